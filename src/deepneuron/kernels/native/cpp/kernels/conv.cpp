// Convolution, its two gradients, and the kernel packed for them.
#include "../conv.h"

namespace deepneuron::DEEPNEURON_ISA {
namespace {

// --- panels

// B lies in panels of a few vectors of its columns, one panel behind the other, each with all
// rows of B; the last one is filled up with zeros.
struct Panel {
  i64 first, columns;  // of B
  int vectors;         // 0: half a vector
  i64 width;
};
INLINE Panel panel_from(i64 first, i64 columns) {
  const i64 here = least(columns - first, panel_vectors(columns) * WIDTH);
  if (HALVES && here <= WIDTH / 2) return {first, here, 0, WIDTH / 2};
  const i64 width = whole_vectors(here);
  return {first, here, static_cast<int>(width / WIDTH), width};
}

// The columns of all panels together.
INLINE i64 packed_width(i64 columns) {
  i64 width = 0;
  for (i64 first = 0; first < columns;) {
    const Panel p = panel_from(first, columns);
    width += p.width;
    first += p.columns;
  }
  return width;
}

// --- products

// The pixels of a grid, in several pictures: floats from one to the next.
struct Steps {
  i64 picture, y, x;
};
struct Grid {
  i64 pictures, down, across;
  Steps in, out;
};

// Where windows are small, as in a first layer, a tile is done as soon as it is set up. There
// the weights of a vector of filters stay in registers instead, and pixels pass them by, four
// at a time; the last four may have been there before. It takes 32 registers.
#if defined(__AVX512F__) || defined(__aarch64__)
constexpr i64 PASSING = 4;

template <int PIECES, int LENGTH>
void pass_by(const Grid& g, const float* in, const i64* at, const float* b, i64 ldb, float* out,
             const float* bias, Into into) {
  Vector w[PIECES][LENGTH];
  UNROLL for (int a = 0; a < PIECES; a++)
    UNROLL for (int k = 0; k < LENGTH; k++) w[a][k] = load(b + (a * LENGTH + k) * ldb);
  for (i64 n = 0; n < g.pictures; n++)
    for (i64 y = 0; y < g.down; y++)
      for (i64 i = 0; i < g.across; i += PASSING) {
        const i64 x = least(i, g.across - PASSING);
        const float* from = in + n * g.in.picture + y * g.in.y + x * g.in.x;
        float* to = out + n * g.out.picture + y * g.out.y + x * g.out.x;
        Vector sum[PASSING];
        UNROLL for (int j = 0; j < PASSING; j++) sum[j] = load(bias);
        UNROLL for (int a = 0; a < PIECES; a++)
          UNROLL for (int k = 0; k < LENGTH; k++)
            UNROLL for (int j = 0; j < PASSING; j++)
              sum[j] += from[at[a] + k + j * g.in.x] * w[a][k];
        UNROLL for (int j = 0; j < PASSING; j++)
          store(to + j * g.out.x, into == Into::bias_relu ? relu(sum[j]) : sum[j]);
      }
}

// The one for such windows, if there is one.
using PassBy = decltype(&pass_by<3, 3>);
INLINE PassBy pass_by_for(const Grid& g, const Along& along, i64 depth, i64 columns, Into into) {
  const bool fits = g.across >= PASSING && columns % WIDTH == 0 && into != Into::add &&
                    along.pieces * along.length == depth;
  if (!fits) return nullptr;
  if (along.pieces == 3 && along.length == 3) return pass_by<3, 3>;
  if (along.pieces == 3 && along.length == 9) return pass_by<3, 9>;
  if (along.pieces == 5 && along.length == 5) return pass_by<5, 5>;
  return nullptr;
}
#else
using PassBy = void (*)(const Grid&, const float*, const i64*, const float*, i64, float*,
                        const float*, Into);
INLINE PassBy pass_by_for(const Grid&, const Along&, i64, i64, Into) { return nullptr; }
#endif

// out[pixel, :] = sum over k of in[pixel, k] B[k, :] (+ bias, relu; or added to what is there),
// B in panels of `depth` rows.
INLINE void multiply(const Grid& g, const float* in, Along along, const float* b, i64 depth,
                     i64 columns, float* out, const float* bias, Into into) {
  const i64 pixels = g.pictures * g.down * g.across;
  const PassBy pass_by = pass_by_for(g, along, depth, columns, into);
  for (i64 first = 0; first < columns;) {
    const Panel p = panel_from(first, columns);
    const bool ragged = p.columns < p.width;
    const Tile* of_height = tiles(p.vectors);
    float panel_bias[MOST_VECTORS * WIDTH] = {};
    if (bias) __builtin_memcpy(panel_bias, bias + first, p.columns * sizeof(float));
    float whole[MOST_ROWS * MOST_VECTORS * WIDTH];  // a tile that is wider than C
    for (i64 j = 0; pass_by && j < p.width; j += WIDTH)
      pass_by(g, in, along.at, b + j, p.width, out + first + j, panel_bias + j, into);

    const i64 count = pass_by ? 0 : tile_count(pixels, p.vectors);
    const float *picture_in = in, *line_in = in;
    float *picture_out = out + first, *line_out = picture_out;
    i64 y = 0, x = 0;
    for (i64 i = 0; i < count; i++) {
      const int height = static_cast<int>(tile_start(pixels, count, i + 1) -
                                          tile_start(pixels, count, i));
      const float* a[MOST_ROWS];
      float *c[MOST_ROWS], *to[MOST_ROWS];
      for (int r = 0; r < height; r++) {
        a[r] = line_in + x * g.in.x;
        to[r] = line_out + x * g.out.x;
        c[r] = ragged ? whole + r * p.width : to[r];
        if (++x < g.across) continue;
        x = 0, line_in += g.in.y, line_out += g.out.y;
        if (++y < g.down) continue;
        y = 0, line_in = picture_in += g.in.picture, line_out = picture_out += g.out.picture;
      }
      if (ragged && into == Into::add)
        for (int r = 0; r < height; r++)
          __builtin_memcpy(c[r], to[r], p.columns * sizeof(float));
      of_height[height - 1](a, along, b, p.width, c, panel_bias, into);
      if (ragged)
        for (int r = 0; r < height; r++)
          __builtin_memcpy(to[r], c[r], p.columns * sizeof(float));
    }
    b += depth * p.width;
    first += p.columns;
  }
}

// So many pictures are worked on at once: small ones fill tiles together, large ones should
// stay in the cache.
constexpr i64 BLOCK_BYTES = 1 << 17;
INLINE i64 pictures_at_once(i64 size) {
  return most(1, least(64, BLOCK_BYTES / static_cast<i64>(sizeof(float)) / most(size, 1)));
}

// The taps of output i, which all outputs up to `*end` share.
INLINE Range alike(const Axis& axis, i64 i, i64* end) {
  const Range inner = axis.inner(), taps = axis.taps(i);
  *end = i + 1;
  if (i >= inner.lo && i < inner.hi) *end = inner.hi;
  return taps;
}

// A few pictures: `step` floats from one to the next, in pixels of so many channels.
struct Pictures {
  i64 count, step, channels;
};

// The outputs that `down` and `across` describe, one rectangle of them after the other, such
// that all outputs of a rectangle see the same taps.
void slide(const Axis& down, const Axis& across, i64 groups, const float* in, Pictures from,
           const float* packed, float* out, Pictures to, i64 out_width, const float* bias,
           Into into, i64* pieces) {
  const i64 part = from.channels / groups, some = to.channels / groups;
  const i64 in_line = across.inputs * from.channels, out_line = out_width * to.channels;
  const i64 depth = down.count * across.count * part;
  i64 *at = pieces, *b_at = pieces + down.count * across.count;
  // A row of the kernel covers neighbours in the picture, unless it skips some of them.
  const bool together = groups == 1 && (across.tap == 1 || across.count == 1);
  for (i64 i = 0, i_end; i < down.outputs; i = i_end) {
    const Range rows = alike(down, i, &i_end);
    for (i64 j = 0, j_end; j < across.outputs; j = j_end) {
      const Range columns = alike(across, j, &j_end);
      Along along{0, at, together ? (columns.hi - columns.lo) * part : part, b_at};
      for (i64 a = rows.lo; a < rows.hi; a++)
        for (i64 b = columns.lo; b < (together ? least(columns.lo + 1, columns.hi) : columns.hi);
             b++) {
          at[along.pieces] = a * down.tap * in_line + b * across.tap * from.channels;
          b_at[along.pieces++] = (a * across.count + b) * part;
        }
      const Grid grid{from.count, i_end - i, j_end - j,
                      {from.step, down.move * in_line, across.move * from.channels},
                      {to.step, down.out_step * out_line, across.out_step * to.channels}};
      const float* first = in + (down.at + i * down.move) * in_line +
                           (across.at + j * across.move) * from.channels;
      float* target = out + (down.out + i * down.out_step) * out_line +
                      (across.out + j * across.out_step) * to.channels;
      for (i64 group = 0; group < groups; group++)
        multiply(grid, first + group * part, along,
                 packed + group * depth * packed_width(some), depth, some,
                 target + group * some, bias ? bias + group * some : nullptr, into);
    }
  }
}

// --- forward

// kernel in panels of filters                         kernel | packed ; Convolution
void pack_conv_kernel(const Call& k, Share s) {
  const Convolution& v = convolution(k.ints);
  const i64 depth = v.rows * v.columns * (v.channels / v.groups), some = v.filters / v.groups;
  const Range part = cut(depth, s.part, s.parts);
  for (i64 group = 0; group < v.groups; group++) {
    const float* kernel = k.at(0) + group * some;
    float* packed = k.at(1) + group * depth * packed_width(some);
    for (i64 first = 0; first < some;) {
      const Panel p = panel_from(first, some);
      for (i64 d = part.lo; d < part.hi; d++) {
        float* to = packed + d * p.width;
        __builtin_memcpy(to, kernel + d * v.filters + first, p.columns * sizeof(float));
        for (i64 j = p.columns; j < p.width; j++) to[j] = 0;
      }
      packed += depth * p.width;
      first += p.columns;
    }
  }
}
REGISTER(pack_conv_kernel, nullptr);

i64 conv2d_scratch(const i64* ints) {
  const Convolution& v = convolution(ints);
  return 2 * v.rows * v.columns * sizeof(i64);
}

// y = x * kernel (+ bias) (relu)      x, packed kernel, bias or none | y ; Convolution, relu
void conv2d(const Call& k, Share s) {
  const Convolution& v = convolution(k.ints);
  const Axis down = forward_axis(v.down, v.height, v.rows, v.top, v.stride_y, v.dilation_y);
  const Axis across = forward_axis(v.across, v.width, v.columns, v.left, v.stride_x, v.dilation_x);
  const i64 at_once = pictures_at_once(v.height * v.width * v.channels);
  const Into into = k.ints[CONVOLUTION_NUMBERS] ? Into::bias_relu
                    : k.has(2)                  ? Into::bias
                                                : Into::store;
  for (i64 row = s.lo; row < s.hi; row += at_once) {
    const i64 count = least(at_once, s.hi - row);
    slide(down, across, v.groups, k.at(0, row), {count, k.stride(0), v.channels}, k.at(1),
          k.at(3, row), {count, k.stride(3), v.filters}, v.across, k.at(2),
          into, reinterpret_cast<i64*>(k.context.scratch));
  }
}
REGISTER(conv2d, conv2d_scratch);

// --- the gradient of x: its phases, one after the other (see conv.h)

// kernel in panels of channels, the taps of each phase together
//                                                     kernel | packed ; Convolution
void pack_conv_kernel_for_input(const Call& k, Share s) {
  const Convolution& v = convolution(k.ints);
  const i64 part = v.channels / v.groups, some = v.filters / v.groups;
  const Range filters = cut(some, s.part, s.parts, 16);
  float* packed = k.at(1);
  for (i64 py = 0; py < v.stride_y; py++)
    for (i64 px = 0; px < v.stride_x; px++) {
      const Taps down = taps_of(py, v.top, v.rows, v.stride_y, v.dilation_y);
      const Taps across = taps_of(px, v.left, v.columns, v.stride_x, v.dilation_x);
      for (i64 group = 0; group < v.groups; group++)
        for (i64 first = 0; first < part;) {
          const Panel p = panel_from(first, part);
          for (i64 i = 0; i < down.count; i++)
            for (i64 j = 0; j < across.count; j++, packed += some * p.width) {
              const i64 a = down.first - i * down.step, b = across.first - j * across.step;
              const float* from = k.at(0) + group * some +
                                  ((a * v.columns + b) * part + first) * v.filters;
              // Turned over in squares: 16 values of a line are read, 16 lines written.
              for (i64 f0 = filters.lo; f0 < filters.hi; f0 += 16) {
                const i64 f1 = least(f0 + 16, filters.hi);
                for (i64 c = 0; c < p.width; c++)
                  for (i64 f = f0; f < f1; f++)
                    packed[f * p.width + c] = c < p.columns ? from[c * v.filters + f] : 0;
              }
            }
          first += p.columns;
        }
    }
}
REGISTER(pack_conv_kernel_for_input, nullptr);

// dx, for y = x * kernel (+ another gradient of x)
//                  dy, kernel packed for the input, other gradient or none | dx ; Convolution
void conv2d_input_grad(const Call& k, Share s) {
  const Convolution& v = convolution(k.ints);
  const i64 at_once = pictures_at_once(v.down * v.across * v.filters);
  for (i64 row = s.lo; row < s.hi; row += at_once) {
    const i64 count = least(at_once, s.hi - row);
    const float* packed = k.at(1);
    const bool adds = k.has(2);
    const i64 size = v.height * v.width * v.channels;
    for (i64 i = row; i < row + count && adds && k.at(2, i) != k.at(3, i); i++)
      __builtin_memcpy(k.at(3, i), k.at(2, i), size * sizeof(float));
    for (i64 py = 0; py < v.stride_y; py++)
      for (i64 px = 0; px < v.stride_x; px++) {
        const Axis down = backward_axis(py, v.height, v.down, v.rows, v.top, v.stride_y,
                                        v.dilation_y);
        const Axis across = backward_axis(px, v.width, v.across, v.columns, v.left, v.stride_x,
                                          v.dilation_x);
        if (adds && down.count * across.count == 0) continue;  // nothing reaches this phase
        slide(down, across, v.groups, k.at(0, row), {count, k.stride(0), v.filters}, packed,
              k.at(3, row), {count, k.stride(3), v.channels}, v.width, nullptr,
              adds ? Into::add : Into::store, reinterpret_cast<i64*>(k.context.scratch));
        packed += down.count * across.count * v.filters * packed_width(v.channels / v.groups);
      }
  }
}
REGISTER(conv2d_input_grad, conv2d_scratch);

// --- the gradient of the kernel

// A copy of a picture with zeros around it, for windows that reach over its edge. Lines of
// the picture that no window reads are left out.
struct Frame {
  i64 top, left;      // lines of zeros before the picture
  i64 height, width;  // of the frame, in pixels

  INLINE i64 size(i64 channels) const { return height * width * channels; }
  INLINE bool needed(i64 picture_height, i64 picture_width) const {
    return top || left || height > picture_height || width > picture_width;
  }
};

// What the windows over x read.
INLINE Frame frame_of_x(const Convolution& v) {
  return {v.top, v.left, (v.down - 1) * v.stride_y + (v.rows - 1) * v.dilation_y + 1,
          (v.across - 1) * v.stride_x + (v.columns - 1) * v.dilation_x + 1};
}

// A few pictures, one `step` of floats behind the other; their lines are `line` floats long.
struct Framed {
  const float* first;
  i64 step, line;
};

// Rows `lo..hi` of operand i as they are, or in frames, whose margins are zero already.
INLINE Framed framed(const Call& k, int i, i64 lo, i64 hi, i64 height, i64 width, i64 channels,
                       const Frame& f, float* frames) {
  if (!f.needed(height, width)) return {k.at(i, lo), k.stride(i), width * channels};
  const i64 line = f.width * channels;
  const i64 lines = least(height, f.height - f.top);
  const i64 length = most(0, least(width, f.width - f.left)) * channels;
  for (i64 row = lo; row < hi; row++) {
    const float* from = k.at(i, row);
    float* to = frames + (row - lo) * f.size(channels) + f.top * line + f.left * channels;
    for (i64 y = 0; y < lines; y++)
      __builtin_memcpy(to + y * line, from + y * width * channels, length * sizeof(float));
  }
  return {frames, f.size(channels), line};
}

// How the sum over all pixels is cut: into blocks of pixels that stay in a near cache
// while tile after tile of dkernel runs over them. Small pictures are summed several at a
// time, or a tile would hardly be filled before it has to be stored.
constexpr i64 SMALL_PICTURE = 128;  // pixels
constexpr i64 NEAR_BYTES = 96 << 10;

struct KernelGrad {
  Frame frame;
  i64 size;      // of a frame
  i64 depth;     // rows of dkernel in a group of filters
  i64 pixels;    // of dy
  bool ragged;   // pixels of dy do not fill panels: they are copied, zeros behind them
  i64 dy_pixel;  // floats from one pixel of dy to the next
  i64 at_once;   // pictures
  i64 lines;     // of dy
};
INLINE KernelGrad kernel_grad(const Convolution& v) {
  const i64 some = v.filters / v.groups, pixels = v.down * v.across;
  const bool ragged = packed_width(some) != some;
  const Frame f = frame_of_x(v);
  const i64 size = f.size(v.channels);
  const i64 line_bytes = 4 * (v.stride_y * f.width * v.channels + v.across * v.filters);
  const bool small = pixels <= SMALL_PICTURE;
  return {f, size, v.rows * v.columns * (v.channels / v.groups), pixels, ragged,
          ragged ? packed_width(some) : v.filters,
          small ? pictures_at_once(size + pixels * v.filters) : 1,
          small ? v.down : least(v.down, most(1, NEAR_BYTES / line_bytes))};
}

i64 conv2d_kernel_grad_scratch(const i64* ints) {
  const KernelGrad g = kernel_grad(convolution(ints));
  return g.depth * sizeof(i64) +
         g.at_once * (g.size + g.ragged * g.pixels * g.dy_pixel) * sizeof(float);
}

// sums[d, :] += sum over pixels of x[at[d] + pixel] dy[pixel, :]      d < depth
INLINE void add_products(const float* x, const i64* at, i64 depth, const float* dy, i64 columns,
                         const Over& over, float* sums, i64 sums_row, Into into) {
  for (i64 first = 0; first < columns;) {
    const Panel p = panel_from(first, columns);
    const bool ragged = p.columns < p.width;
    const TransposedTile* of_height = transposed_tiles(p.vectors);
    float whole[MOST_ROWS * MOST_VECTORS * WIDTH] = {};  // a tile that is wider than dkernel
    const i64 count = tile_count(depth, p.vectors);
    for (i64 i = 0; i < count; i++) {
      const i64 lo = tile_start(depth, count, i), height = tile_start(depth, count, i + 1) - lo;
      const float* a[MOST_ROWS];
      float *c[MOST_ROWS], *to = sums + lo * sums_row + first;
      for (i64 r = 0; r < height; r++) {
        a[r] = x + at[lo + r];
        c[r] = ragged ? whole + r * p.width : to + r * sums_row;
        if (ragged) __builtin_memcpy(c[r], to + r * sums_row, p.columns * sizeof(float));
      }
      of_height[height - 1](a, over, dy + first, c, into);
      for (i64 r = 0; r < height && ragged; r++)
        __builtin_memcpy(to + r * sums_row, c[r], p.columns * sizeof(float));
    }
    first += p.columns;
  }
}

// dkernel += x^T dy                   x, dy | sums of dkernel ; Convolution
void conv2d_kernel_grad(const Call& k, Share s) {
  const Convolution& v = convolution(k.ints);
  const KernelGrad g = kernel_grad(v);
  const i64 part = v.channels / v.groups, some = v.filters / v.groups;
  i64* at = reinterpret_cast<i64*>(k.context.scratch);
  float* frames = reinterpret_cast<float*>(at + g.depth);
  float* copy = frames + g.at_once * g.size;
  const bool needed = g.frame.needed(v.height, v.width);
  if (needed)
    __builtin_memset(frames, 0, least(g.at_once, s.hi - s.lo) * g.size * sizeof(float));
  if (k.context.fresh) __builtin_memset(k.at(2), 0, g.depth * v.filters * sizeof(float));
  // Row (a, b, c) of dkernel sums the pixels of x from here on.
  const i64 line = (needed ? g.frame.width : v.width) * v.channels;
  for (i64 a = 0, d = 0; a < v.rows; a++)
    for (i64 b = 0; b < v.columns; b++)
      for (i64 c = 0; c < part; c++)
        at[d++] = a * v.dilation_y * line + b * v.dilation_x * v.channels + c;

  for (i64 row = s.lo; row < s.hi; row += g.at_once) {
    const i64 n = least(g.at_once, s.hi - row);
    const Framed x = framed(k, 0, row, row + n, v.height, v.width, v.channels, g.frame, frames);
    for (i64 group = 0; group < v.groups; group++) {
      const float* dy = k.at(1, row) + group * some;
      i64 dy_picture = k.stride(1);
      if (g.ragged) {
        for (i64 i = 0; i < n; i++)
          for (i64 j = 0; j < g.pixels; j++) {
            float* to = copy + (i * g.pixels + j) * g.dy_pixel;
            __builtin_memcpy(to, dy + i * dy_picture + j * v.filters, some * sizeof(float));
            for (i64 f = some; f < g.dy_pixel; f++) to[f] = 0;
          }
        dy = copy;
        dy_picture = g.pixels * g.dy_pixel;
      }
      for (i64 i = 0; i < v.down; i += g.lines) {
        const i64 x_line = v.stride_y * x.line, dy_line = v.across * g.dy_pixel;
        const Over over{least(g.lines, v.down - i), v.across, x_line, v.stride_x * v.channels,
                        dy_line, g.dy_pixel, n, x.step, dy_picture};
        add_products(x.first + i * x_line + group * part, at, g.depth, dy + i * dy_line, some,
                     over, k.at(2) + group * some, v.filters,
                     g.pixels > SMALL_PICTURE ? Into::add : Into::go_on);
      }
    }
  }
}
REGISTER(conv2d_kernel_grad, conv2d_kernel_grad_scratch);

}  // namespace
}  // namespace deepneuron::DEEPNEURON_ISA
