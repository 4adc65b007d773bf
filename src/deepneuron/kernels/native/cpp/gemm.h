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
#include "gemm_thin.h"

namespace deepneuron::DEEPNEURON_ISA {
namespace {

constexpr i64 HEIGHT = 192;                    // rows of a block of A
constexpr i64 PACK_A = WIDTH == 16 ? 640 : 384;  // columns of C from which A is packed
constexpr i64 CROWDED = 1024;                  // rows so far apart fall on the same cache lines
constexpr i64 PACK_B = 24;                     // rows from which B is packed
constexpr i64 MOST_COLUMNS = MOST_VECTORS * WIDTH;
constexpr i64 MOST_VALUES = 24 * WIDTH;        // of a tile
constexpr i64 GAP = 16;                        // between packed rows: no equal addresses

constexpr i64 gemm_scratch() {
  return (DEPTH * MOST_COLUMNS + (HEIGHT + MOST_ROWS) * (DEPTH + GAP)) * sizeof(float);
}

constexpr int PANEL = MOST_VECTORS > 3 ? 4 : 2;  // vectors; so many that registers are full

// Vectors of the next panel: more of them for few rows.
INLINE int next_panel(i64 rows, i64 columns) {
  const i64 left = (columns + WIDTH - 1) / WIDTH;
  const int vectors = rows <= 4 ? MOST_VECTORS : PANEL;
  if (vectors <= left) return vectors;
  return left >= 4 && MOST_VECTORS > 4 ? 4 : left >= 3 ? 3 : left >= 2 ? 2 : 1;
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
    float* tile = to + lo * depth;
    if (p.m - row - lo >= (n + WIDTH - 1) / WIDTH * WIDTH)  // so many floats may be read
      for (i64 i = 0; i < depth; i++)
        for (i64 r = 0; r < n; r += WIDTH)  // what is stored too much, the next store mends
          store(tile + i * n + r, load(from + i * p.lda + r));
    else
      for (i64 i = 0; i < depth; i++)
        for (i64 r = 0; r < n; r++) tile[i * n + r] = from[i * p.lda + r];
  }
}

// --- one panel

struct Block {
  i64 row, rows;      // of C
  i64 k, depth;       // of the sum
  bool first, last;   // of the blocks along k
};

// Rows of the panel that comes next. They are fetched into the second cache while this panel
// is being multiplied, some for each tile.
struct Ahead {
  const float* at = nullptr;
  i64 rows = 0, length = 0, ld = 0;

  INLINE void fetch(i64 part, i64 parts) const {
    for (i64 r = rows * part / parts; r < rows * (part + 1) / parts; r++)
      for (i64 j = 0; j < length; j += 16) __builtin_prefetch(at + r * ld + j, 0, 2);
  }
};

// C[rows, column..column + columns] of a block: A's rows by `panel`, whose rows are ldb apart.
// packed_a: A's rows in the order of the tiles, or nullptr.
INLINE void multiply_panel(const Product& p, Block block, i64 column, i64 columns, int vectors,
                           const float* panel, i64 ldb, const float* packed_a, Ahead ahead) {
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
  const i64 count = tile_count(block.rows, p.ta && packed_a ? PANEL : vectors), zero_offset = 0;
  for (i64 t = 0; t < count; t++) {
    const i64 lo = tile_start(block.rows, count, t), hi = tile_start(block.rows, count, t + 1);
    const int rows = static_cast<int>(hi - lo);
    ahead.fetch(t, count);
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

// --- the whole

// Part `part` of `parts` of the work. `scratch` has gemm_scratch() bytes.
inline void multiply(const Product& p, int part, int parts, float* scratch) {
  Range rows{0, p.m}, columns{0, p.n};
  const bool divide_rows = p.m > p.n;
  if (divide_rows) rows = cut(p.m, part, parts, 12);
  else columns = cut(p.n, part, parts, p.m <= FEW ? 64 : 2 * WIDTH);
  if (rows.lo >= rows.hi || columns.lo >= columns.hi) return;
  if (p.dots) return dots(p, rows, columns);
  if (is_short(p)) 
    return p.ta ? short_sum<true>(p, rows, columns, scratch)
                : short_sum<false>(p, rows, columns, scratch);
  const i64 few = rows.hi - rows.lo;
  if (few <= FEW && p.n >= 64 && !p.tb && !p.sum) {
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
      const bool crowded = p.lda % CROWDED == 0 && !p.ta;
      if ((p.n >= PACK_A && block.rows >= PACK_B) || crowded) {
        pack_a(p, block.row, block.rows, k, block.depth, PANEL, packed_a);
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
        column += n;
        Ahead ahead;
        const bool more = column < columns.hi;
        const i64 next_k = more ? k : end, next = more ? column : columns.lo;
        if (more || !block.last)
          ahead = p.tb ? Ahead{p.b + next * p.ldb + next_k, width, block.depth, p.ldb}
                       : Ahead{p.b + next_k * p.ldb + next, block.depth, width, p.ldb};
        multiply_panel(p, block, column - n, n, vectors, panel, ldb, a_here, ahead);
      }
    }
  }
}

}  // namespace
}  // namespace deepneuron::DEEPNEURON_ISA
