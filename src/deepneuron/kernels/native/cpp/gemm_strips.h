// C = A^T B for one who takes the values of C as they come out, such as the update of a kernel
// by its gradient: C is never written to memory.
//
//                    group of columns
//                  +---+---+---+---+
//                  |   |   |   |   |  B: packed once, panel by panel
//                  +---+---+---+---+
//      +--+        +===+===+-------+
//      |A^T        | strip         |  C: as many rows as a tile has; the tiles are made
//      +--+        +===+===+-------+     from left to right
//                  | the one before|  ... while the one before is taken, vector by vector
//
// An update has square roots and quotients, which keep a part of the processor busy that the
// product does not use, and reads from far away, while a tile multiplies what is near. So a
// vector is updated after every few terms of a tile's sum, and takes hardly any time of its
// own. It has to be that fine: a processor looks only some hundred instructions ahead.
#pragma once
#include "gemm.h"

namespace deepneuron::DEEPNEURON_ISA {
namespace {

constexpr int STRIP_ROWS = MOST_VECTORS > 3 ? 12 : 6;
constexpr i64 STRIP_WIDTH = 2 * WIDTH;  // columns of a tile
constexpr i64 STRIP_COLUMNS = 1024;
constexpr i64 STRIP_SIZE = STRIP_ROWS * STRIP_COLUMNS;
constexpr i64 GROUP = 1 << 16;  // numbers of B in a group, which stay in the second cache

constexpr i64 strips_scratch() {
  return (GROUP + 2 * STRIP_SIZE + STRIP_ROWS * DEPTH + WIDTH) * sizeof(float);
}

// A tile of a strip; `other.next()` is called after every so many terms of the sum.
template <class Other>
void strip_tile(const float* a, const float* b, i64 depth, i64 every, float* c, i64 ldc,
                Other& other) {
  Vector sum[STRIP_ROWS][2];
  UNROLL for (int r = 0; r < STRIP_ROWS; r++) sum[r][0] = sum[r][1] = zero();
  while (depth > 0) {
    const i64 terms = every < depth ? every : depth;
    depth -= terms;
    for (i64 k = 0; k < terms; k++, a += STRIP_ROWS, b += STRIP_WIDTH) {
      const Vector b0 = load(b), b1 = load(b + WIDTH);
      UNROLL for (int r = 0; r < STRIP_ROWS; r++) {
        sum[r][0] += a[r] * b0;
        sum[r][1] += a[r] * b1;
      }
    }
    other.next();
  }
  UNROLL for (int r = 0; r < STRIP_ROWS; r++, c += ldc) {
    store(c, sum[r][0]);
    store(c + WIDTH, sum[r][1]);
  }
}

// Goes over a finished strip: taker.one(at, c) gets a vector of C, and where it belongs;
// taker.some(at, c, n) what is left at the end of a row.
template <class Taker>
struct Walk {
  const Taker* taker;
  i64 n = 0, ld = 0, step = 0;  // columns; floats from row to row, here and in C
  i64 rows = 0, column = 0, at = 0;  // what is left, and where the walk is
  const float* c = nullptr;

  INLINE void next() {
    if (rows == 0) return;
    if (column + WIDTH <= n) {
      taker->one(at + column, c + column);
      column += WIDTH;
    }
    if (column + WIDTH > n) {
      if (column < n) taker->some(at + column, c + column, n - column);
      rows--, column = 0, at += step, c += ld;
    }
  }
};

// Part `part` of `parts` of C, where the sum has at most DEPTH terms.
template <class Taker>
void multiply_strips(const Product& p, int part, int parts, float* scratch,
                     const Taker& taker) {
  Range rows{0, p.m}, columns{0, p.n};
  if (p.m > p.n) rows = cut(p.m, part, parts, STRIP_ROWS);
  else columns = cut(p.n, part, parts, STRIP_WIDTH);
  float* const packed = scratch;
  float* strip = packed + GROUP;
  float* spare = strip + STRIP_SIZE;
  float* const packed_a = spare + STRIP_SIZE;

  const i64 fitting = GROUP / p.k / STRIP_WIDTH * STRIP_WIDTH;
  const i64 most = fitting < STRIP_COLUMNS ? fitting : STRIP_COLUMNS;
  Walk<Taker> before{&taker};
  for (i64 column = columns.lo; column < columns.hi; column += most) {
    const i64 n = columns.hi - column < most ? columns.hi - column : most;
    const i64 ld = (n + STRIP_WIDTH - 1) / STRIP_WIDTH * STRIP_WIDTH;
    for (i64 j = 0; j < ld; j += STRIP_WIDTH) {
      const i64 some = n - j < STRIP_WIDTH ? n - j : STRIP_WIDTH;
      pack(p.b + column + j, p.ldb, p.k, some, STRIP_WIDTH, packed + j * p.k);
      if (p.sum && rows.lo == 0)
        sum_rows(packed + j * p.k, STRIP_WIDTH, p.k, some, some > WIDTH ? 2 : 1, false,
                 p.sum + column + j);
    }
    const i64 vectors = 2 * STRIP_ROWS;  // of a tile
    const i64 every = p.k > vectors ? p.k / vectors : 1;
    for (i64 row = rows.lo; row < rows.hi; row += STRIP_ROWS) {
      const i64 height = rows.hi - row < STRIP_ROWS ? rows.hi - row : STRIP_ROWS;
      pack(p.a + row, p.lda, p.k, height, STRIP_ROWS, packed_a);
      for (i64 j = 0; j < ld; j += STRIP_WIDTH)
        strip_tile(packed_a, packed + j * p.k, p.k, every, strip + j, ld, before);
      while (before.rows) before.next();
      before = {&taker, n, ld, p.ldc, height, 0, row * p.ldc + column, strip};
      float* const finished = strip;
      strip = spare, spare = finished;
    }
  }
  while (before.rows) before.next();
}

}  // namespace
}  // namespace deepneuron::DEEPNEURON_ISA
