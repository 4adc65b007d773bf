// Convolution, its two gradients, and the kernel packed for them.
#include "../conv.h"

namespace deepneuron::DEEPNEURON_ISA {
namespace {

// --- forward

// kernel in panels of filters                         kernel | packed ; Convolution
void pack_conv_kernel(const Call& k, Share s) {
  const Convolution& v = convolution(k.ints);
  const i64 depth = v.rows * v.columns * (v.channels / v.groups), some = v.filters / v.groups;
  const Range part = cut(depth, s.part, s.parts);
  for (i64 group = 0; group < v.groups; group++) {
    const float* kernel = k.at(0) + group * some;
    float* packed = k.at(1) + group * depth * whole_vectors(some);
    for (i64 first = 0; first < some;) {
      const Panel p = panel_from(first, some);
      const i64 width = p.vectors * WIDTH;
      for (i64 d = part.lo; d < part.hi; d++) {
        float* to = packed + d * width;
        __builtin_memcpy(to, kernel + d * v.filters + first, p.columns * sizeof(float));
        for (i64 j = p.columns; j < width; j++) to[j] = 0;
      }
      packed += depth * width;
      first += p.columns;
    }
  }
}
REGISTER(pack_conv_kernel, nullptr);

i64 conv2d_scratch(const i64* ints) {
  const Convolution& v = convolution(ints);
  const i64 frame = frame_of_x(v).size(v.channels);
  return v.rows * v.columns * sizeof(i64) + pictures_at_once(frame) * frame * sizeof(float);
}

// y = x * kernel (+ bias) (relu)      x, packed kernel, bias or none | y ; Convolution, relu
void conv2d(const Call& k, Share s) {
  const Convolution& v = convolution(k.ints);
  const bool rectify = k.ints[CONVOLUTION_NUMBERS];
  const i64 part = v.channels / v.groups, some = v.filters / v.groups;
  const Frame f = frame_of_x(v);
  const i64 size = f.size(v.channels), at_once = pictures_at_once(size);
  i64* at = reinterpret_cast<i64*>(k.context.scratch);
  float* frames = reinterpret_cast<float*>(at + v.rows * v.columns);
  if (f.needed(v.height, v.width))
    __builtin_memset(frames, 0, least(at_once, s.hi - s.lo) * size * sizeof(float));

  for (i64 row = s.lo; row < s.hi; row += at_once) {
    const i64 end = least(row + at_once, s.hi);
    const Pictures x = framed(k, 0, row, end, v.height, v.width, v.channels, f, frames);
    // A row of the kernel covers neighbours in the picture, unless it skips some of them.
    const bool together = v.groups == 1 && (v.dilation_x == 1 || v.columns == 1);
    Along along{0, at, together ? v.columns * part : part};
    for (i64 a = 0; a < v.rows; a++)
      for (i64 b = 0; b < (together ? 1 : v.columns); b++)
        at[along.pieces++] = a * v.dilation_y * x.line + b * v.dilation_x * v.channels;
    const Grid grid{end - row, v.down, v.across,
                    {x.step, v.stride_y * x.line, v.stride_x * v.channels},
                    {k.stride(3), v.across * v.filters, v.filters}};
    for (i64 group = 0; group < v.groups; group++)
      multiply(grid, x.first + group * part, along,
               k.at(1) + group * v.rows * v.columns * part * whole_vectors(some), some,
               k.at(3, row) + group * some, k.has(2) ? k.at(2) + group * some : nullptr, rectify);
  }
}
REGISTER(conv2d, conv2d_scratch);

// --- the gradient of x: its phases, one after the other (see taps in conv.h)

// kernel in panels of channels, the taps of each phase together
//                                                     kernel | packed ; Convolution
void pack_conv_kernel_for_input(const Call& k, Share s) {
  const Convolution& v = convolution(k.ints);
  const i64 part = v.channels / v.groups, some = v.filters / v.groups;
  const Range filters = cut(some, s.part, s.parts, 16);
  float* packed = k.at(1);
  for (i64 group = 0; group < v.groups; group++)
    for (i64 py = 0; py < v.stride_y; py++)
      for (i64 px = 0; px < v.stride_x; px++) {
        const Taps down = taps_of(py, v.top, v.rows, v.stride_y, v.dilation_y);
        const Taps across = taps_of(px, v.left, v.columns, v.stride_x, v.dilation_x);
        for (i64 first = 0; first < part;) {
          const Panel p = panel_from(first, part);
          const i64 width = p.vectors * WIDTH;
          for (i64 i = 0; i < down.count; i++)
            for (i64 j = 0; j < across.count; j++, packed += some * width) {
              const i64 a = down.first - i * down.step, b = across.first - j * across.step;
              const float* from = k.at(0) + group * some +
                                  ((a * v.columns + b) * part + first) * v.filters;
              // Turned over in squares: 16 values of a line are read, 16 lines written.
              for (i64 f0 = filters.lo; f0 < filters.hi; f0 += 16) {
                const i64 f1 = least(f0 + 16, filters.hi);
                for (i64 c = 0; c < width; c++)
                  for (i64 f = f0; f < f1; f++)
                    packed[f * width + c] = c < p.columns ? from[c * v.filters + f] : 0;
              }
            }
          first += p.columns;
        }
      }
}
REGISTER(pack_conv_kernel_for_input, nullptr);

i64 conv2d_input_grad_scratch(const i64* ints) {
  const Convolution& v = convolution(ints);
  const i64 frame = frame_of_dy(v).size(v.filters);
  return v.rows * v.columns * sizeof(i64) + pictures_at_once(frame) * frame * sizeof(float);
}

// dx, for y = x * kernel              dy, kernel packed for the input | dx ; Convolution
void conv2d_input_grad(const Call& k, Share s) {
  const Convolution& v = convolution(k.ints);
  const i64 part = v.channels / v.groups, some = v.filters / v.groups;
  const Frame f = frame_of_dy(v);
  const i64 size = f.size(v.filters), at_once = pictures_at_once(size);
  i64* at = reinterpret_cast<i64*>(k.context.scratch);
  float* frames = reinterpret_cast<float*>(at + v.rows * v.columns);
  if (f.needed(v.down, v.across))
    __builtin_memset(frames, 0, least(at_once, s.hi - s.lo) * size * sizeof(float));

  for (i64 row = s.lo; row < s.hi; row += at_once) {
    const i64 end = least(row + at_once, s.hi);
    const Pictures dy = framed(k, 0, row, end, v.down, v.across, v.filters, f, frames);
    const float* packed = k.at(1);
    for (i64 group = 0; group < v.groups; group++)
      for (i64 py = 0; py < v.stride_y; py++)
        for (i64 px = 0; px < v.stride_x; px++) {
          const Taps down = taps_of(py, v.top, v.rows, v.stride_y, v.dilation_y);
          const Taps across = taps_of(px, v.left, v.columns, v.stride_x, v.dilation_x);
          const bool together = v.groups == 1 && across.stride == 1;
          Along along{0, at, together ? across.count * some : some};
          for (i64 i = 0; i < down.count; i++)
            for (i64 j = 0; j < (together ? least(1, across.count) : across.count); j++)
              at[along.pieces++] = (f.top + down.at + i * down.stride) * dy.line +
                                   (f.left + across.at + j * across.stride) * v.filters;
          const i64 line = v.width * v.channels;
          const Grid grid{end - row, divide_up(v.height - py, v.stride_y),
                          divide_up(v.width - px, v.stride_x),
                          {dy.step, dy.line, v.filters},
                          {k.stride(2), v.stride_y * line, v.stride_x * v.channels}};
          multiply(grid, dy.first + group * some, along, packed, part,
                   k.at(2, row) + py * line + px * v.channels + group * part, nullptr, false);
          packed += down.count * across.count * some * whole_vectors(part);
        }
  }
}
REGISTER(conv2d_input_grad, conv2d_input_grad_scratch);

// --- the gradient of the kernel

// Small pictures are summed several at a time, or a tile would hardly be filled before it has
// to be stored. Of large ones each has its own sum, since long sums are less exact.
constexpr i64 SMALL_PICTURE = 128;  // pixels

struct KernelGrad {
  Frame frame;
  i64 size;      // of a frame
  i64 depth;     // rows of dkernel in a group of filters
  i64 pixels;    // of dy
  i64 dy_pixel;  // floats from one pixel of dy to the next
  bool ragged;   // a pixel of dy does not fill vectors: it is copied, zeros behind it
  i64 at_once;   // pictures
};
INLINE KernelGrad kernel_grad(const Convolution& v) {
  const i64 some = v.filters / v.groups, pixels = v.down * v.across;
  const bool ragged = some % WIDTH;
  const Frame f = frame_of_x(v);
  const i64 size = f.size(v.channels);
  return {f, size, v.rows * v.columns * (v.channels / v.groups), pixels,
          ragged ? whole_vectors(some) : v.filters, ragged,
          pixels > SMALL_PICTURE ? 1 : pictures_at_once(size + pixels * v.filters)};
}

i64 conv2d_kernel_grad_scratch(const i64* ints) {
  const KernelGrad g = kernel_grad(convolution(ints));
  return g.depth * sizeof(i64) +
         g.at_once * (g.size + g.ragged * g.pixels * g.dy_pixel) * sizeof(float);
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
    const Pictures x = framed(k, 0, row, row + n, v.height, v.width, v.channels, g.frame, frames);
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
      const Over over{v.down, v.across, v.stride_y * x.line, v.stride_x * v.channels,
                      v.across * g.dy_pixel, g.dy_pixel, n, x.step, dy_picture};
      const Into into = g.pixels > SMALL_PICTURE ? Into::add : Into::go_on;
      for (i64 first = 0; first < some;) {
        const Panel p = panel_from(first, some);
        const bool whole = p.columns == p.vectors * WIDTH;
        const TransposedTile* of_height = transposed_tiles(p.vectors);
        float wide[MOST_ROWS * MOST_VECTORS * WIDTH];  // for a tile that is wider than dkernel
        const i64 count = tile_count(g.depth, p.vectors);
        for (i64 i = 0; i < count; i++) {
          const i64 lo = tile_start(g.depth, count, i), height = tile_start(g.depth, count, i + 1) - lo;
          const float* a[MOST_ROWS];
          float *c[MOST_ROWS], *sums = k.at(2) + lo * v.filters + group * some + first;
          for (i64 r = 0; r < height; r++) {
            a[r] = x.first + group * part + at[lo + r];
            c[r] = whole ? sums + r * v.filters : wide + r * p.vectors * WIDTH;
            if (!whole) __builtin_memcpy(c[r], sums + r * v.filters, p.columns * sizeof(float));
          }
          of_height[height - 1](a, over, dy + first, c, into);
          for (i64 r = 0; r < height && !whole; r++)
            __builtin_memcpy(sums + r * v.filters, c[r], p.columns * sizeof(float));
        }
        first += p.columns;
      }
    }
  }
}
REGISTER(conv2d_kernel_grad, conv2d_kernel_grad_scratch);

}  // namespace
}  // namespace deepneuron::DEEPNEURON_ISA
