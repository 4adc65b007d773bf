// Products of matrices of any size: C = op(A) op(B), where op transposes if asked to.
//
// The tiles of tile.h multiply as fast as the processor can, as long as what they read is
// near. So the matrices are cut into blocks, each of which is used many times while it is in
// a cache:
//
//        depth                 panel
//      +-------+             +-------+
//      |       |  height     |   B   |  depth       C += A B
//      |   A   |             +-------+
//      |       |             copied together ("packed"), stays in the first cache
//      +-------+
//      stays in the second cache, while panel after panel of B goes by
//
// The sum along k is taken in blocks whose bounds depend on its length alone; within a block
// from the first to the last. So each value of C comes out the same, bit by bit, however
// rows and columns are divided among calls and threads.
#pragma once
#include "tile.h"

namespace deepneuron::DEEPNEURON_ISA {
namespace {

constexpr i64 DEPTH = 256;                     // of a block, at most
constexpr i64 HEIGHT = 192;                    // rows of a block of A
constexpr i64 FEW = 4;                         // rows that need no tiles
constexpr i64 STRIP = 4096;                    // values at a time, for few rows
constexpr i64 PACK_A = 640;                    // columns of C from which A is packed
constexpr i64 PACK_B = 24;                     // rows from which B is packed
constexpr i64 MOST_COLUMNS = MOST_VECTORS * WIDTH;
constexpr i64 MOST_VALUES = 24 * WIDTH;        // of a tile
constexpr i64 GAP = 16;                        // between packed rows: no equal addresses

struct Product {
  i64 m, n, k;                // C is m x n, the sum has k terms
  const float* a;             // m x k, or k x m
  i64 lda;                    // floats from one row to the next
  bool ta;
  const float* b;             // k x n, or n x k
  i64 ldb;
  bool tb;
  float* c;                   // m x n
  i64 ldc;
  bool add = false;           // C += ...
  const float* bias = nullptr;  // ... + bias (n)
  bool relu = false;          // ... then max(C, 0)
  const float* mask = nullptr;  // ... then 0 where mask (m x n) is not positive
  i64 ldm = 0;
  float* sum = nullptr;       // besides, the sum of B's rows (n); += if add
};

constexpr i64 gemm_scratch() {
  return (DEPTH * MOST_COLUMNS + (HEIGHT + MOST_ROWS) * (DEPTH + GAP)) * sizeof(float);
}

// Vectors of the next panel: wide ones for few rows, so that registers are full.
INLINE int next_panel(i64 rows, i64 columns) {
  const i64 left = (columns + WIDTH - 1) / WIDTH;
  int vectors = 2;
#if defined(__AVX512F__) || defined(__aarch64__)
  if (rows <= 4) vectors = 6;
  else if (rows <= 6) vectors = 4;
#else
  if (rows <= 4) vectors = 3;
#endif
  if (vectors <= left) return vectors;
  return left >= 4 && MOST_VECTORS > 4 ? 4 : left >= 3 ? 3 : left >= 2 ? 2 : 1;
}

// --- packing: what a tile reads, side by side

// rows x columns of B, with zeros up to `width` columns
INLINE void pack(const float* b, i64 ldb, i64 rows, i64 columns, i64 width, float* to) {
  for (i64 k = 0; k < rows; k++, b += ldb, to += width) {
    __builtin_prefetch(b + width, 0, 2);  // the next panel
    __builtin_prefetch(b + width + 16, 0, 2);
    i64 j = 0;
    for (; j + WIDTH <= columns; j += WIDTH) store(to + j, load(b + j));
    if (j < columns) store(to + j, load_some(b + j, columns - j)), j += WIDTH;
    for (; j < width; j += WIDTH) store(to + j, zero());
  }
}

typedef float Four __attribute__((vector_size(16)));
typedef float LooseFour __attribute__((vector_size(16), aligned(4), may_alias));
INLINE Four load4(const float* p) { return *reinterpret_cast<const LooseFour*>(p); }
INLINE void store4(float* p, Four v) { *reinterpret_cast<LooseFour*>(p) = v; }

// the same of B^T: to[k][j] = b[j][k], in squares of 4 by 4
INLINE void pack_transposed(const float* b, i64 ldb, i64 rows, i64 columns, i64 width,
                            float* to) {
  for (i64 j = 0; j < width; j += 4) {
    const float* p = b + j * ldb;
    i64 k = 0;
    if (j + 4 <= columns)
      for (; k + 4 <= rows; k += 4) {
        const Four r0 = load4(p + k), r1 = load4(p + ldb + k), r2 = load4(p + 2 * ldb + k),
                   r3 = load4(p + 3 * ldb + k);
        const Four a = __builtin_shufflevector(r0, r1, 0, 4, 1, 5),
                   b4 = __builtin_shufflevector(r2, r3, 0, 4, 1, 5),
                   c = __builtin_shufflevector(r0, r1, 2, 6, 3, 7),
                   d = __builtin_shufflevector(r2, r3, 2, 6, 3, 7);
        float* t = to + k * width + j;
        store4(t, __builtin_shufflevector(a, b4, 0, 1, 4, 5));
        store4(t + width, __builtin_shufflevector(a, b4, 2, 3, 6, 7));
        store4(t + 2 * width, __builtin_shufflevector(c, d, 0, 1, 4, 5));
        store4(t + 3 * width, __builtin_shufflevector(c, d, 2, 3, 6, 7));
      }
    for (; k < rows; k++)
      for (i64 i = 0; i < 4; i++)
        to[k * width + j + i] = j + i < columns ? p[i * ldb + k] : 0.0f;
  }
}

// A block of A: rows one after the other; or of A^T, the rows of each tile side by side.
INLINE void pack_a(const Product& p, i64 row, i64 rows, i64 k, i64 depth, int vectors,
                   float* to) {
  if (!p.ta) {
    for (i64 r = 0; r < rows; r++)
      pack(p.a + (row + r) * p.lda + k, 0, 1, depth, depth, to + r * (depth + GAP));
    return;
  }
  const i64 count = tile_count(rows, vectors);
  for (i64 t = 0; t < count; t++) {
    const i64 lo = tile_start(rows, count, t), n = tile_start(rows, count, t + 1) - lo;
    const float* from = p.a + k * p.lda + row + lo;
    const i64 near = p.m - row - lo;  // floats that may be read
    float* tile = to + lo * depth;    // what is stored too much, the next store mends
    if (near >= WIDTH)
      for (i64 i = 0; i < depth; i++) {
        store(tile + i * n, load(from + i * p.lda));
        if (WIDTH < most_rows(2)) store(tile + i * n + n - WIDTH, load(from + i * p.lda + n - WIDTH));
      }
    else
      for (i64 i = 0; i < depth; i++)
        for (i64 r = 0; r < n; r++) tile[i * n + r] = from[i * p.lda + r];
  }
}

// --- what is done to finished values

INLINE void finish(const Product& p, i64 row, i64 column, i64 n, float* c) {
  const float* mask = p.mask ? p.mask + row * p.ldm + column : nullptr;
  i64 j = 0;
  for (; j + WIDTH <= n; j += WIDTH) {
    Vector v = load(c + j);
    if (p.relu) v = relu(v);
    if (mask) v *= where(load(mask + j) > zero(), all(1), zero());
    store(c + j, v);
  }
  for (; j < n; j++) {
    if (p.relu) c[j] = c[j] < 0 ? 0.0f : c[j];
    if (mask) c[j] *= mask[j] > 0 ? 1.0f : 0.0f;
  }
}

// --- one panel

struct Block {
  i64 row, rows;      // of C
  i64 k, depth;       // of the sum
  bool first, last;   // of the blocks along k
};

// C[rows, column..column + columns] of a block: A's rows by `panel`, whose rows are ldb apart.
// packed_a: A's rows in the order of the tiles, or nullptr.
INLINE void multiply_panel(const Product& p, Block block, i64 column, i64 columns, int vectors,
                           const float* panel, i64 ldb, const float* packed_a) {
  alignas(64) float values[MOST_VALUES], bias[MOST_COLUMNS];
  const float* a[MOST_ROWS];
  float* c[MOST_ROWS];
  const i64 width = vectors * WIDTH;
  const bool ragged = columns < width, add = p.add || !block.first;
  const float* bias_here = nullptr;
  if (p.bias && block.first && !p.add) {
    bias_here = p.bias + column;
    if (ragged) {
      for (i64 j = 0; j < width; j++) bias[j] = j < columns ? bias_here[j] : 0.0f;
      bias_here = bias;
    }
  }
  const Into into = bias_here ? Into::bias : add && !ragged ? Into::add : Into::store;
  const i64 count = tile_count(block.rows, p.ta && packed_a ? 2 : vectors), zero_offset = 0;
  for (i64 t = 0; t < count; t++) {
    const i64 lo = tile_start(block.rows, count, t), hi = tile_start(block.rows, count, t + 1);
    const int rows = static_cast<int>(hi - lo);
    for (int r = 0; r < rows; r++)
      c[r] = ragged ? values + r * width : p.c + (block.row + lo + r) * p.ldc + column;
    if (p.ta) {
      const float* start = packed_a ? packed_a + lo * block.depth
                                    : p.a + block.k * p.lda + block.row + lo;
      for (int r = 0; r < rows; r++) a[r] = start + r;
      const Over over{1, block.depth, 0, packed_a ? rows : p.lda, 0, ldb};
      transposed_tiles(vectors)[rows - 1](a, over, panel, c, into);
    } else {
      for (int r = 0; r < rows; r++)
        a[r] = packed_a ? packed_a + (lo + r) * (block.depth + GAP)
                        : p.a + (block.row + lo + r) * p.lda + block.k;
      tiles(vectors)[rows - 1](a, {1, &zero_offset, block.depth}, panel, ldb, c, bias_here,
                               into);
    }
    if (ragged)
      for (int r = 0; r < rows; r++) {
        float* to = p.c + (block.row + lo + r) * p.ldc + column;
        for (i64 j = 0; j < columns; j++) to[j] = add ? to[j] + c[r][j] : c[r][j];
      }
    if (block.last && (p.relu || p.mask))
      for (int r = 0; r < rows; r++) {
        const i64 row = block.row + lo + r;
        finish(p, row, column, columns, p.c + row * p.ldc + column);
      }
  }
}

// sum (+)= the sum of a panel's rows
INLINE void sum_rows(const float* panel, i64 ldb, i64 depth, i64 columns, int vectors, bool add,
                     float* sum) {
  for (int j = 0; j < vectors; j++) {
    Vector total = zero();
    for (i64 k = 0; k < depth; k++) total += load(panel + k * ldb + j * WIDTH);
    const i64 n = columns - j * WIDTH < WIDTH ? columns - j * WIDTH : WIDTH;
    if (n < WIDTH) {
      for (i64 i = 0; i < n; i++) sum[j * WIDTH + i] = total[i] + (add ? sum[j * WIDTH + i] : 0);
    } else {
      store(sum + j * WIDTH, add ? load(sum + j * WIDTH) + total : total);
    }
  }
}

// --- few rows: B is read once, row by row, as memory likes it best

template <int ROWS>
void few_rows(const Product& p, i64 row, Range columns, float* strip) {
  constexpr i64 LENGTH = STRIP / ROWS / WIDTH * WIDTH;
  const i64 blocks = p.k > 0 ? (p.k + DEPTH - 1) / DEPTH : 1;
  for (i64 from = columns.lo; from < columns.hi; from += LENGTH) {
    const i64 n = columns.hi - from < LENGTH ? columns.hi - from : LENGTH;
    const i64 whole = n / WIDTH * WIDTH, rest = n - whole;
    for (i64 block = 0; block < blocks; block++) {
      const i64 end = p.k * (block + 1) / blocks;
      for (int r = 0; r < ROWS; r++)
        for (i64 j = 0; j < n; j++)
          strip[r * LENGTH + j] = p.bias && !p.add && block == 0 ? p.bias[from + j] : 0.0f;
      for (i64 k = p.k * block / blocks; k < end; k += 4) {
        const i64 depth = end - k < 4 ? end - k : 4;
        Vector x[ROWS][4];
        const float* b[4];
        UNROLL for (int i = 0; i < 4; i++) {
          b[i] = p.b + (i < depth ? k + i : k) * p.ldb + from;
          UNROLL for (int r = 0; r < ROWS; r++)
            x[r][i] = i < depth ? all(p.a[p.ta ? (k + i) * p.lda + row + r
                                               : (row + r) * p.lda + k + i]) : zero();
        }
        if (depth == 4) {
          for (i64 j = 0; j < whole; j += WIDTH) {
            Vector v[4];
            UNROLL for (int i = 0; i < 4; i++) v[i] = load(b[i] + j);
            UNROLL for (int r = 0; r < ROWS; r++) {
              Vector y = load(strip + r * LENGTH + j);
              UNROLL for (int i = 0; i < 4; i++) y += x[r][i] * v[i];
              store(strip + r * LENGTH + j, y);
            }
          }
        } else {
          for (i64 i = 0; i < depth; i++)
            for (i64 j = 0; j < whole; j += WIDTH)
              UNROLL for (int r = 0; r < ROWS; r++)
                store(strip + r * LENGTH + j,
                      load(strip + r * LENGTH + j) + x[r][i] * load(b[i] + j));
        }
        if (rest)
          for (i64 i = 0; i < depth; i++) {
            const Vector v = load_some(b[i] + whole, rest);
            UNROLL for (int r = 0; r < ROWS; r++)
              store(strip + r * LENGTH + whole,
                    load(strip + r * LENGTH + whole) + x[r][i] * v);
          }
      }
      const bool add = p.add || block > 0;
      for (int r = 0; r < ROWS; r++) {
        float* c = p.c + (row + r) * p.ldc + from;
        for (i64 j = 0; j < n; j++)
          c[j] = add ? c[j] + strip[r * LENGTH + j] : strip[r * LENGTH + j];
        if (block == blocks - 1 && (p.relu || p.mask)) finish(p, row + r, from, n, c);
      }
    }
  }
}

// --- the whole

// Part `part` of `parts` of the work. `scratch` has gemm_scratch() bytes.
void multiply(const Product& p, int part, int parts, float* scratch) {
  Range rows{0, p.m}, columns{0, p.n};
  const bool divide_rows = p.m > p.n;
  if (divide_rows) rows = cut(p.m, part, parts, 12);
  else columns = cut(p.n, part, parts, p.m <= FEW ? 64 : 2 * WIDTH);
  if (rows.lo >= rows.hi || columns.lo >= columns.hi) return;
  const i64 few = rows.hi - rows.lo;
  if (few <= FEW && !p.tb && !p.sum) {
    if (few == 1) return few_rows<1>(p, rows.lo, columns, scratch);
    if (few == 2) return few_rows<2>(p, rows.lo, columns, scratch);
    if (few == 3) return few_rows<3>(p, rows.lo, columns, scratch);
    return few_rows<4>(p, rows.lo, columns, scratch);
  }
  float* const packed = scratch;
  float* const packed_a = scratch + DEPTH * MOST_COLUMNS;
  const i64 blocks = p.k > 0 ? (p.k + DEPTH - 1) / DEPTH : 1;
  const i64 heights = (rows.hi - rows.lo + HEIGHT - 1) / HEIGHT;
    for (i64 h = 0; h < heights; h++) {
    const i64 top = rows.lo + tile_start(rows.hi - rows.lo, heights, h);
    const i64 bottom = rows.lo + tile_start(rows.hi - rows.lo, heights, h + 1);
    for (i64 i = 0; i < blocks; i++) {
      const i64 k = p.k * i / blocks, end = p.k * (i + 1) / blocks;
      const Block block{top, bottom - top, k, end - k, i == 0, i == blocks - 1};
      const float* a_here = nullptr;
      if (p.n >= PACK_A && block.rows >= PACK_B) {
        pack_a(p, block.row, block.rows, k, block.depth, 2, packed_a);
        a_here = packed_a;
      }
      for (i64 column = columns.lo; column < columns.hi;) {
        const int vectors = next_panel(a_here && p.ta ? HEIGHT : block.rows, columns.hi - column);
        const i64 width = vectors * WIDTH;
        const i64 n = columns.hi - column < width ? columns.hi - column : width;
        const float* panel = packed;
        i64 ldb = width;
        if (p.tb)
          pack_transposed(p.b + column * p.ldb + k, p.ldb, block.depth, n, width, packed);
        else if (n < width || block.rows >= PACK_B)
          pack(p.b + k * p.ldb + column, p.ldb, block.depth, n, width, packed);
        else
          panel = p.b + k * p.ldb + column, ldb = p.ldb;
        if (p.sum && rows.lo == 0 && h == 0)
          sum_rows(panel, ldb, block.depth, n, vectors, p.add || i > 0, p.sum + column);
        multiply_panel(p, block, column, n, vectors, panel, ldb, a_here);
        column += n;
      }
    }
  }
}

}  // namespace
}  // namespace deepneuron::DEEPNEURON_ISA
