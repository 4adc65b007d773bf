// What a product of matrices is, and the small steps that all ways to compute one share.
#pragma once
#include "tile.h"

namespace deepneuron::DEEPNEURON_ISA {
namespace {

struct Product {
  i64 m, n, k;                  // C is m x n, the sum has k terms
  const float* a;               // m x k, or k x m
  i64 lda;                      // floats from one row to the next
  bool ta;
  const float* b;               // k x n, or n x k
  i64 ldb;
  bool tb;
  float* c;                     // m x n
  i64 ldc;
  bool add = false;             // C += ...
  const float* bias = nullptr;  // ... + bias (n); without ta only
  bool relu = false;            // ... then max(C, 0)
  const float* mask = nullptr;  // ... then 0 where mask (m x n) is not positive
  i64 ldm = 0;
  float* sum = nullptr;         // besides, the sum of B's rows (n); += if add
  bool dots = false;            // A and B^T as dot products, for at most FEW rows in all
};

// --- packing: what a tile reads, side by side

// rows x columns of B, with zeros up to `width` columns
INLINE void pack(const float* b, i64 ldb, i64 rows, i64 columns, i64 width, float* to) {
  for (i64 k = 0; k < rows; k++, b += ldb, to += width) {
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

}  // namespace
}  // namespace deepneuron::DEEPNEURON_ISA
