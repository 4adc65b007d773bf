// Products that are thin in one direction: tiles would cost more than they save there.
//
//   few rows, such as the prediction for one sample: the time goes into reading B
//   few rows and B^T: the same
//   a short sum, such as the gradient behind ten classes: the time goes into writing C
//
// The sums are taken in the order in which gemm.h takes them, whose values are the same
// then; only dot products have an order of their own.
#pragma once
#include "product.h"

namespace deepneuron::DEEPNEURON_ISA {
namespace {

constexpr i64 DEPTH = 256;                     // of a block, at most
constexpr i64 FEW = 4;                         // rows that need no tiles
constexpr i64 STRIP = 4096;                    // values at a time, for few rows

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

// --- few rows and B^T: dot products along B's rows, as they lie in memory

template <int COLUMNS>
INLINE void dot_products(const Product& p, i64 row, i64 column) {
  const float* a = p.a + row * p.lda;
  const float* b = p.b + column * p.ldb;
  Vector total[COLUMNS];
  UNROLL for (int j = 0; j < COLUMNS; j++) total[j] = zero();
  i64 k = 0;
  for (; k + WIDTH <= p.k; k += WIDTH) {
    const Vector x = load(a + k);
    UNROLL for (int j = 0; j < COLUMNS; j++) total[j] += x * load(b + j * p.ldb + k);
  }
  float* c = p.c + row * p.ldc + column;
  for (int j = 0; j < COLUMNS; j++) {
    float y = sum(total[j]);
    for (i64 i = k; i < p.k; i++) y += a[i] * b[j * p.ldb + i];
    c[j] = y + (p.bias ? p.bias[column + j] : 0.0f);
  }
  if (p.relu || p.mask) finish(p, row, column, COLUMNS, c);
}

INLINE void dots(const Product& p, Range rows, Range columns) {
  for (i64 r = rows.lo; r < rows.hi; r++) {
    i64 j = columns.lo;
    for (; j + 4 <= columns.hi; j += 4) dot_products<4>(p, r, j);
    for (; j < columns.hi; j++) dot_products<1>(p, r, j);
  }
}

// --- a short sum: setting up tiles would take longer than their work. C is written once, row
// by row, and a strip of B stays in the first cache meanwhile.

constexpr i64 SHORT = 64, SHORT_STRIP = 4096;  // terms (of A^T half); numbers of B
constexpr i64 SHORT_BLOCK = 16;
constexpr int SHORT_ROWS = MOST_VECTORS > 3 ? 4 : 2;

INLINE bool is_short(const Product& p) {
  return p.k <= (p.ta ? SHORT / 2 : SHORT) && p.n >= 4 * WIDTH;
}

// Has the compiler keep a vector in a register; it would rather load it for every row anew.
#if defined(__x86_64__)
#define KEEP(vector) __asm__("" : "+v"(vector))
#elif defined(__aarch64__)
#define KEEP(vector) __asm__("" : "+w"(vector))
#else
#define KEEP(vector)
#endif

// ROWS rows, VECTORS vectors; if RAGGED, only `n` columns count.
template <bool TA, int ROWS, int VECTORS, bool RAGGED = false>
INLINE void short_sums(const Product& p, i64 row, i64 column, const float* a, i64 lda,
                       const float* b, i64 ldb, i64 n = WIDTH) {
  Vector c[ROWS][VECTORS];
  const float* bias = p.bias && !p.add ? p.bias + column : nullptr;
  UNROLL for (int j = 0; j < VECTORS; j++) {
    const Vector start = !bias ? zero() : RAGGED ? load_some(bias, n) : load(bias + j * WIDTH);
    UNROLL for (int r = 0; r < ROWS; r++) c[r][j] = start;
  }
  for (i64 k = 0; k < p.k; k++) {
    Vector v[VECTORS];
    UNROLL for (int j = 0; j < VECTORS; j++) {
      v[j] = load(b + k * ldb + j * WIDTH);
      KEEP(v[j]);
    }
    UNROLL for (int r = 0; r < ROWS; r++) {
      const float x = TA ? a[k * lda + r] : a[r * lda + k];
      UNROLL for (int j = 0; j < VECTORS; j++) c[r][j] += x * v[j];
    }
  }
  UNROLL for (int r = 0; r < ROWS; r++) {
    float* to = p.c + (row + r) * p.ldc + column;
    UNROLL for (int j = 0; j < VECTORS; j++, to += WIDTH) {
      if (RAGGED) store_some(to, p.add ? load_some(to, n) + c[r][j] : c[r][j], n);
      else store(to, p.add ? load(to) + c[r][j] : c[r][j]);
    }
  }
}

template <bool TA, int ROWS>
INLINE void short_rows(const Product& p, i64 row, Range columns, const float* a, i64 lda,
                       const float* b, i64 ldb) {
  const i64 lo = columns.lo, n = columns.hi - lo;
  i64 j = 0;
  for (; j + 4 * WIDTH <= n; j += 4 * WIDTH)
    short_sums<TA, ROWS, 4>(p, row, lo + j, a, lda, b + j, ldb);
  for (; j + WIDTH <= n; j += WIDTH) short_sums<TA, ROWS, 1>(p, row, lo + j, a, lda, b + j, ldb);
  if (j < n) short_sums<TA, ROWS, 1, true>(p, row, lo + j, a, lda, b + j, ldb, n - j);
  for (int r = 0; r < ROWS && (p.relu || p.mask); r++)
    finish(p, row + r, lo, n, p.c + (row + r) * p.ldc + lo);
}

template <bool TA>
void short_sum(const Product& p, Range rows, Range columns, float* packed) {
  const bool whole = !p.tb && p.k * p.n <= SHORT_STRIP && p.n % WIDTH == 0;
  const i64 width =
      whole ? p.n : SHORT_STRIP / (p.k > 4 ? p.k : 4) / (4 * WIDTH) * (4 * WIDTH);
  for (i64 from = columns.lo; from < columns.hi; from += width) {
    const Range strip{from, columns.hi - from < width ? columns.hi : from + width};
    const i64 n = strip.hi - from;
    const i64 ldb = whole ? p.ldb : (n + WIDTH - 1) / WIDTH * WIDTH;
    const float* b = whole ? p.b + from : packed;
    if (p.tb) pack_transposed(p.b + from * p.ldb, p.ldb, p.k, n, ldb, packed);
    else if (!whole) pack(p.b + from, p.ldb, p.k, n, ldb, packed);
    if (p.sum && rows.lo == 0)
      for (i64 j = 0; j < n; j++) {
        float total = 0;
        for (i64 k = 0; k < p.k; k++) total += b[k * ldb + j];
        p.sum[from + j] = p.add ? p.sum[from + j] + total : total;
      }
    for (i64 row = rows.lo; row < rows.hi;) {
      // Rows of A^T are columns in memory: of a few, copied together, no line is read twice.
      i64 stop = rows.hi, lda = p.lda;
      const float* a = p.a + row * p.lda;
      float block[SHORT * SHORT_BLOCK];
      if (TA) {
        stop = stop - row < SHORT_BLOCK ? stop : row + SHORT_BLOCK;
        pack(p.a + row, p.lda, p.k, stop - row, SHORT_BLOCK, block);
        a = block, lda = SHORT_BLOCK;
      }
      const i64 next = TA ? 1 : lda;
      for (; row + SHORT_ROWS <= stop; row += SHORT_ROWS, a += SHORT_ROWS * next)
        short_rows<TA, SHORT_ROWS>(p, row, strip, a, lda, b, ldb);
      for (; row < stop; row++, a += next) short_rows<TA, 1>(p, row, strip, a, lda, b, ldb);
    }
  }
}

}  // namespace
}  // namespace deepneuron::DEEPNEURON_ISA
