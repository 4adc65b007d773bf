// Convolution with kernels of 3x3 by Winograd's algorithm, which `winograd.h` explains.
//
// Channels and filters are multiples of WIDTH. Tiles are numbered through all pictures of a
// chunk and worked on in blocks, so that what lies between the transforms stays in the cache.
#include "../winograd.h"

#include "../tile.h"

namespace deepneuron::DEEPNEURON_ISA {
namespace {

using namespace winograd;

// --- blocks of tiles

// Pictures of x and y. y has `down` x `across` pixels; `top` and `left`: x's margin of zeros;
// `out`: a tile makes out x out outputs; `block`: how many tiles at least are worked on at
// once, if there are so many.
struct Shape {
  i64 height, width, channels, filters, top, left, down, across, out, block;

  INLINE i64 tiles_across() const { return (across + out - 1) / out; }
  INLINE i64 tiles() const { return (down + out - 1) / out * tiles_across(); }
};
INLINE Shape shape_of(const i64* n) {
  return {n[0], n[1], n[2], n[3], n[4], n[5], n[6], n[7], n[8], n[9]};
}

// Calls work(the algorithm) that makes tiles of out x out outputs.
template <class Work>
INLINE void with_algorithm(i64 out, Work work) {
  out == Winograd<2>::OUT ? work(Winograd<2>{}) : work(Winograd<3>{});
}

// Where a tile lies: in which row of the batch, and its first pixel in y.
struct Place {
  i64 row, y, x;
};
INLINE Place place_of(const Shape& shape, i64 first_row, i64 tile) {
  const i64 each = shape.tiles(), across = shape.tiles_across(), in_picture = tile % each;
  return {first_row + tile / each, in_picture / across * shape.out,
          in_picture % across * shape.out};
}

// The matrices of a block, one for each position, have one row for each tile. They begin a cache line further apart
// than their size: at powers of two, all would fall on the same few places of the cache.
INLINE i64 matrix_step(i64 tiles, i64 depth) { return tiles * depth + 16; }

// Tiles first..first+n and their matrices, in scratch memory.
struct Block {
  i64 first, n;
  float *v, *m, *frame;  // (positions, n, channels), (positions, n, filters), one tile
  i64 v_step, m_step;
};

// Calls visit(block) for all tiles of some rows: `shape.block` of them at least, and less than
// twice as many.
template <class Visit>
INLINE void each_block(const Shape& shape, i64 rows, char* scratch, Visit visit) {
  const i64 tiles = rows * shape.tiles(), fitting = tiles / shape.block;
  const i64 positions = (shape.out + 2) * (shape.out + 2);
  const i64 count = fitting ? fitting : 1;
  for (i64 i = 0; i < count; i++) {
    Block b;
    b.first = tile_start(tiles, count, i);
    b.n = tile_start(tiles, count, i + 1) - b.first;
    b.v_step = matrix_step(b.n, shape.channels);
    b.m_step = matrix_step(b.n, shape.filters);
    b.v = reinterpret_cast<float*>(scratch);
    b.m = b.v + positions * b.v_step;
    b.frame = b.m + positions * b.m_step;
    visit(b);
  }
}

i64 scratch_of(const i64* ints) {
  const Shape s = shape_of(ints);
  const i64 positions = (s.out + 2) * (s.out + 2);
  const i64 frame = positions * (s.channels > s.filters ? s.channels : s.filters);
  const i64 most = 2 * s.block;
  const i64 matrices = matrix_step(most, s.channels) + matrix_step(most, s.filters);
  return (positions * matrices + frame) * static_cast<i64>(sizeof(float));
}

// --- tiles in pictures, whose edges they may overhang

// Pixels of a picture, or copies of them: `step` floats from row to row.
struct Window {
  float* start;
  i64 step;
};

struct Picture {
  float* start;
  i64 height, width, depth;

  // Whether the window of SIDE x SIDE pixels that begins at (y, x) lies in the picture.
  template <int SIDE>
  INLINE bool contains(i64 y, i64 x) const {
    return y >= 0 && x >= 0 && y + SIDE <= height && x + SIDE <= width;
  }
  INLINE Window window(i64 y, i64 x) const {
    return {start + (y * width + x) * depth, width * depth};
  }
  // Calls visit(pixels of the picture, the same in `frame`, floats) for each row of such a
  // window, as far as it lies in the picture.
  template <int SIDE, class Visit>
  INLINE void each_row(i64 y, i64 x, float* frame, Visit visit) const {
    const i64 left = x < 0 ? -x : 0, right = x + SIDE <= width ? SIDE : width - x;
    if (left >= right) return;
    for (i64 i = y < 0 ? -y : 0; i < SIDE && y + i < height; i++)
      visit(start + ((y + i) * width + x + left) * depth, frame + (i * SIDE + left) * depth,
            (right - left) * depth);
  }
  // The window for reading. Where it overhangs it is a copy in `frame`, with zeros outside.
  template <int SIDE>
  INLINE Window read(i64 y, i64 x, float* frame) const {
    if (contains<SIDE>(y, x)) return window(y, x);
    std::memset(frame, 0, SIDE * SIDE * depth * sizeof(float));
    each_row<SIDE>(y, x, frame, [](const float* from, float* to, i64 n) {
      std::memcpy(to, from, n * sizeof(float));
    });
    return {frame, SIDE * depth};
  }
};

// --- between pictures and matrices: a tile is one row of each of them

// Calls work(n), for usual n with a number that the compiler knows: it then folds the places
// of a tile's pixels into its instructions.
template <i64 N>
struct Constant {
  INLINE constexpr operator i64() const { return N; }
};
template <class Work>
INLINE void with_constant(i64 n, Work work) {
  switch (n) {
    case 16: return work(Constant<16>{});
    case 32: return work(Constant<32>{});
    case 64: return work(Constant<64>{});
    case 128: return work(Constant<128>{});
    default: return work(n);
  }
}

// B^T d B of a window of x, or A dy A^T of one of dy
template <class Matrix>
void into_matrices(const Picture& picture, i64 y, i64 x, float* frame, float* row, i64 step) {
  constexpr int IN = Matrix::TO;
  const Window w = picture.read<Matrix::FROM>(y, x, frame);
  with_constant(picture.depth, [&](auto depth) {
    for (i64 c = 0; c < depth; c += WIDTH) {
      const float* from = w.start + c;
      float* to = row + c;
      transform<Matrix>([&](int i, int j) { return load(from + i * w.step + j * depth); },
                        [&](int i, int j, Vector v) { store(to + (i * IN + j) * step, v); });
    }
  });
}

// y = A^T m A + bias, or max of that and 0, cropped to the picture
template <class W>
void out_of_matrices(const float* row, i64 step, const float* bias, bool with_relu,
                     const Picture& picture, i64 y, i64 x) {
  const Window w = picture.window(y, x);
  const i64 rows = picture.height - y, columns = picture.width - x;
  with_constant(picture.depth, [&](auto depth) {
    for (i64 c = 0; c < depth; c += WIDTH) {
      const float* from = row + c;
      float* to = w.start + c;
      const Vector b = bias ? load(bias + c) : zero();
      transform<typename W::Output>(
          [&](int i, int j) { return load(from + (i * W::IN + j) * step); },
          [&](int i, int j, Vector v) {
            if (i >= rows || j >= columns) return;
            v += b;
            store(to + i * w.step + j * depth, with_relu ? relu(v) : v);
          });
    }
  });
}

// dx += B dv B^T, as far as the window lies in the picture
template <class W>
void add_window(const float* row, i64 step, const Picture& picture, i64 y, i64 x, float* frame) {
  constexpr int IN = W::IN;
  const bool inside = picture.contains<IN>(y, x);
  const Window w = inside ? picture.window(y, x) : Window{frame, IN * picture.depth};
  if (!inside) std::memset(frame, 0, IN * IN * picture.depth * sizeof(float));
  with_constant(picture.depth, [&](auto depth) {
    for (i64 c = 0; c < depth; c += WIDTH) {
      const float* from = row + c;
      float* to = w.start + c;
      transform<typename W::InputGrad>(
          [&](int i, int j) { return load(from + (i * IN + j) * step); },
          [&](int i, int j, Vector v) {
            float* pixel = to + i * w.step + j * depth;
            store(pixel, load(pixel) + v);
          });
    }
  });
  if (inside) return;
  picture.each_row<IN>(y, x, frame, [](float* to, const float* from, i64 n) {
    for (i64 i = 0; i < n; i += WIDTH) store(to + i, load(to + i) + load(from + i));
  });
}

// --- the products between the transforms, at one position

// Calls visit(column, vectors) for panels that cover n columns, a multiple of WIDTH.
template <class Visit>
INLINE void each_panel(i64 n, Visit visit) {
  const i64 panel = panel_vectors(n) * WIDTH;
  for (i64 j = 0; j < n; j += panel)
    visit(j, static_cast<int>((n - j < panel ? n - j : panel) / WIDTH));
}

// c = a b      a: (rows, depth), b: (depth, columns)
void multiply(const float* a, i64 rows, i64 depth, const float* b, i64 columns, float* c) {
  const i64 start = 0;
  each_panel(columns, [&](i64 column, int vectors) {
    const Tile* of_height = tiles(vectors);
    const i64 count = tile_count(rows, vectors);
    for (i64 t = 0; t < count; t++) {
      const i64 lo = tile_start(rows, count, t), n = tile_start(rows, count, t + 1) - lo;
      const float* from[MOST_ROWS];
      float* to[MOST_ROWS];
      for (i64 r = 0; r < n; r++) {
        from[r] = a + (lo + r) * depth;
        to[r] = c + (lo + r) * columns + column;
      }
      of_height[n - 1](from, {1, &start, depth}, b + column, columns, to, nullptr, Into::store);
    }
  });
}

// c += a^T b   a: (rows, depth), b: (rows, columns)
void add_transposed_product(const float* a, i64 rows, i64 depth, const float* b, i64 columns,
                            float* c, Into into) {
  each_panel(columns, [&](i64 column, int vectors) {
    const TransposedTile* of_height = transposed_tiles(vectors);
    const i64 count = tile_count(depth, vectors);
    for (i64 t = 0; t < count; t++) {
      const i64 lo = tile_start(depth, count, t), n = tile_start(depth, count, t + 1) - lo;
      const float* from[MOST_ROWS];
      float* to[MOST_ROWS];
      for (i64 r = 0; r < n; r++) {
        from[r] = a + lo + r;
        to[r] = c + (lo + r) * columns + column;
        for (int j = 0; j < vectors * WIDTH; j += 16)  // c is large: bring the next tile closer
          __builtin_prefetch(to[r] + n * columns + j, 1);
      }
      of_height[n - 1](from, {1, rows, 0, depth, 0, columns}, b + column, to, into);
    }
  });
}

// --- the kernels

// u = G g G^T, and the same with channels and filters exchanged; either may be absent
// kernel (3, 3, channels, filters) | u (positions, channels, filters), ut (positions, filters,
// channels) ; channels, filters, out
void winograd_kernel(const Call& k, Share s) {
  const i64 channels = k.ints[0], filters = k.ints[1], size = channels * filters;
  const float* kernel = k.at(0);
  float *u = k.at(1), *ut = k.at(2);
  const Range some = cut(channels, s.part, s.parts, WIDTH);
  with_algorithm(k.ints[2], [&](auto algorithm) {
    using W = decltype(algorithm);
    const auto evaluate = [&](const float* g, i64 g_step, float* to) {
      transform<typename W::Kernel>(
          [&](int i, int j) { return load(g + (i * 3 + j) * g_step); },
          [&](int i, int j, Vector v) { store(to + (i * W::IN + j) * size, v); });
    };
    if (u)
      for (i64 i = some.lo * filters; i < some.hi * filters; i += WIDTH)
        evaluate(kernel + i, size, u + i);
    if (!ut) return;
    // Vectors along the channels: first exchange WIDTH x WIDTH values of each of the nine.
    float block[9 * WIDTH * WIDTH];
    for (i64 c = some.lo; c < some.hi; c += WIDTH) {
      for (i64 f = 0; f < filters; f += WIDTH) {
        for (int g = 0; g < 9; g++)
          for (int i = 0; i < WIDTH; i++)
            for (int j = 0; j < WIDTH; j++)
              block[(g * WIDTH + j) * WIDTH + i] = kernel[g * size + (c + i) * filters + f + j];
        for (int j = 0; j < WIDTH; j++)
          evaluate(block + j * WIDTH, WIDTH * WIDTH, ut + (f + j) * channels + c);
      }
    }
  });
}
REGISTER(winograd_kernel, nullptr);

// y = x * kernel + bias, or max of that and 0
// x, u, bias or none | y ; the numbers of Shape, relu
void conv2d_winograd(const Call& k, Share s) {
  const Shape shape = shape_of(k.ints);
  const i64 channels = shape.channels, filters = shape.filters, size = channels * filters;
  const float *u = k.at(1), *bias = k.at(2);
  const bool with_relu = k.ints[10];
  with_algorithm(shape.out, [&](auto algorithm) {
    using W = decltype(algorithm);
    each_block(shape, s.hi - s.lo, k.context.scratch, [&](const Block& b) {
      for (i64 t = 0; t < b.n; t++) {
        const Place at = place_of(shape, s.lo, b.first + t);
        const Picture x{k.at(0, at.row), shape.height, shape.width, channels};
        into_matrices<typename W::Input>(x, at.y - shape.top, at.x - shape.left, b.frame,
                                         b.v + t * channels, b.v_step);
      }
      for (i64 e = 0; e < W::POSITIONS; e++)
        multiply(b.v + e * b.v_step, b.n, channels, u + e * size, filters, b.m + e * b.m_step);
      for (i64 t = 0; t < b.n; t++) {
        const Place at = place_of(shape, s.lo, b.first + t);
        const Picture y{k.at(3, at.row), shape.down, shape.across, filters};
        out_of_matrices<W>(b.m + t * filters, b.m_step, bias, with_relu, y, at.y, at.x);
      }
    });
  });
}
REGISTER(conv2d_winograd, scratch_of);

// du += v^T dm, dx = B (dm u^T) B^T    either of them alone, or both, which share dm
// x, dy, ut, other gradient of x or none | du (positions, channels, filters), dx ; the numbers of Shape
void conv2d_winograd_grad(const Call& k, Share s) {
  const Shape shape = shape_of(k.ints);
  const i64 channels = shape.channels, filters = shape.filters, size = channels * filters;
  const float* ut = k.at(2);
  float* du = k.at(4);
  const bool wants_dx = k.has(5);
  // Windows overlap, so each is added to what is there: zeros, or another gradient.
  const i64 picture = shape.height * shape.width * channels * static_cast<i64>(sizeof(float));
  for (i64 row = s.lo; wants_dx && row < s.hi; row++) {
    const float* other = k.at(3, row);
    float* dx = k.at(5, row);
    if (!other) std::memset(dx, 0, picture);
    else if (other != dx) std::memcpy(dx, other, picture);
  }
  with_algorithm(shape.out, [&](auto algorithm) {
    using W = decltype(algorithm);
    each_block(shape, s.hi - s.lo, k.context.scratch, [&](const Block& b) {
      for (i64 t = 0; t < b.n; t++) {
        const Place at = place_of(shape, s.lo, b.first + t);
        const Picture dy{k.at(1, at.row), shape.down, shape.across, filters};
        into_matrices<typename W::OutputGrad>(dy, at.y, at.x, b.frame, b.m + t * filters,
                                              b.m_step);
        if (!du) continue;
        const Picture x{k.at(0, at.row), shape.height, shape.width, channels};
        into_matrices<typename W::Input>(x, at.y - shape.top, at.x - shape.left, b.frame,
                                         b.v + t * channels, b.v_step);
      }
      const Into into = k.context.fresh && b.first == 0 ? Into::store : Into::go_on;
      for (i64 e = 0; e < W::POSITIONS; e++) {
        float *v = b.v + e * b.v_step, *m = b.m + e * b.m_step;
        if (du) add_transposed_product(v, b.n, channels, m, filters, du + e * size, into);
        if (wants_dx) multiply(m, b.n, filters, ut + e * size, channels, v);  // dv over v
      }
      for (i64 t = 0; wants_dx && t < b.n; t++) {
        const Place at = place_of(shape, s.lo, b.first + t);
        const Picture dx{k.at(5, at.row), shape.height, shape.width, channels};
        add_window<W>(b.v + t * channels, b.v_step, dx, at.y - shape.top, at.x - shape.left,
                      b.frame);
      }
    });
  });
}
REGISTER(conv2d_winograd_grad, scratch_of);

// dkernel = G^T du G, du summed over the shards
// du | dkernel ; channels, filters, out
void winograd_reduce(const Call& k, Share s) {
  const i64 size = k.ints[0] * k.ints[1];
  const Range some = cut(size, s.part, s.parts, WIDTH);
  with_algorithm(k.ints[2], [&](auto algorithm) {
    using W = decltype(algorithm);
    for (i64 i = some.lo; i < some.hi; i += WIDTH) {
      float* dkernel = k.at(1) + i;
      const auto sum_of_shards = [&](int position) {
        Vector du = load(k.shard(0, 0) + position * size + i);
        for (int q = 1; q < k.context.shard_count; q++)
          du += load(k.shard(0, q) + position * size + i);
        return du;
      };
      transform<typename W::KernelGrad>(
          [&](int i, int j) { return sum_of_shards(i * W::IN + j); },
          [&](int i, int j, Vector v) { store(dkernel + (i * 3 + j) * size, v); });
    }
  });
}
REGISTER(winograd_reduce, nullptr);

}  // namespace
}  // namespace deepneuron::DEEPNEURON_ISA
