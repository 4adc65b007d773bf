// Products with a few columns and a short sum: the layers of small networks.
//
// A layer of eight units takes less time than it takes to arrange its numbers for tiles. So
// here they stay where they are. How many columns there are is known when this is compiled,
// once for each number up to 16, so that a row of C is a register or two, and reading and
// writing one is a single instruction or two. Vectors have 4 or 8 lanes: of 16, most would
// be empty.
#pragma once
#include "gemm.h"

namespace deepneuron::DEEPNEURON_ISA {
namespace {

constexpr i64 SMALL_COLUMNS = 16, SMALL_DEPTH = 64;

typedef float Eight __attribute__((vector_size(32)));
template <int LANES>
struct LanesOf {
  using Type = Eight;
};
template <>
struct LanesOf<4> {
  using Type = Four;
};

// A row of N floats, as vectors with zeros behind them.
template <int N>
struct SmallRow {
  static constexpr int LANES = N <= 4 ? 4 : 8;
  static constexpr int VECTORS = (N + LANES - 1) / LANES;
  static constexpr int LAST = N - (VECTORS - 1) * LANES;
  using Lanes = typename LanesOf<LANES>::Type;
  Lanes v[VECTORS];

  INLINE void load(const float* p) {
    if (VECTORS == 2) __builtin_memcpy(&v[0], p, LANES * sizeof(float));
    Lanes last{};
    if (LAST == LANES) __builtin_memcpy(&last, p + N - LAST, sizeof last);
    else UNROLL for (int i = 0; i < LAST; i++) last[i] = p[N - LAST + i];
    v[VECTORS - 1] = last;
  }
  INLINE void store(float* p) const {
    if (VECTORS == 2) __builtin_memcpy(p, &v[0], LANES * sizeof(float));
    __builtin_memcpy(p + N - LAST, &v[VECTORS - 1], LAST * sizeof(float));
  }
  INLINE void clear() { UNROLL for (int i = 0; i < VECTORS; i++) v[i] = Lanes{}; }
  INLINE void add(float x, const SmallRow& y) {
    UNROLL for (int i = 0; i < VECTORS; i++) v[i] += x * y.v[i];
  }
  INLINE void add(const SmallRow& y) { UNROLL for (int i = 0; i < VECTORS; i++) v[i] += y.v[i]; }
  INLINE void relu() { UNROLL for (int i = 0; i < VECTORS; i++) v[i] = v[i] < 0 ? Lanes{} : v[i]; }
  INLINE void mask(const SmallRow& y) {
    UNROLL for (int i = 0; i < VECTORS; i++) v[i] *= y.v[i] > 0 ? Lanes{} + 1 : Lanes{};
  }
};

// ROWS rows of C.
template <int N, int ROWS>
INLINE void small_rows(const Product& p, i64 row, const SmallRow<N>* b, const SmallRow<N>& bias) {
  SmallRow<N> c[ROWS];
  const float* a = p.a + row * p.lda;
  UNROLL for (int r = 0; r < ROWS; r++) c[r] = bias;
  for (i64 k = 0; k < p.k; k++)
    UNROLL for (int r = 0; r < ROWS; r++) c[r].add(a[r * p.lda + k], b[k]);
  UNROLL for (int r = 0; r < ROWS; r++) {
    if (p.relu) c[r].relu();
    if (p.mask) {
      SmallRow<N> mask;
      mask.load(p.mask + (row + r) * p.ldm);
      c[r].mask(mask);
    }
    c[r].store(p.c + (row + r) * p.ldc);
  }
}

template <int N>
void small(const Product& p) {
  SmallRow<N> b[SMALL_DEPTH], bias;
  for (i64 k = 0; k < p.k; k++) {
    if (p.tb) {
      float row[N];
      UNROLL for (int j = 0; j < N; j++) row[j] = p.b[j * p.ldb + k];
      b[k].load(row);
    } else {
      b[k].load(p.b + k * p.ldb);
    }
  }
  if (p.bias) bias.load(p.bias);
  else bias.clear();
  constexpr int ROWS = 8 / SmallRow<N>::VECTORS;
  i64 row = 0;
  for (; row + ROWS <= p.m; row += ROWS) small_rows<N, ROWS>(p, row, b, bias);
  for (; row < p.m; row++) small_rows<N, 1>(p, row, b, bias);
}

// ROWS rows of C = A^T B, and the sum of B's rows.
template <int N, int ROWS>
INLINE void small_sum_rows(const Product& p, i64 row) {
  SmallRow<N> c[ROWS], sum, b;
  UNROLL for (int r = 0; r < ROWS; r++) c[r].clear();
  sum.clear();
  for (i64 k = 0; k < p.k; k++) {
    b.load(p.b + k * p.ldb);
    const float* a = p.a + k * p.lda + row;
    UNROLL for (int r = 0; r < ROWS; r++) c[r].add(a[r], b);
    sum.add(b);
  }
  SmallRow<N> before;
  UNROLL for (int r = 0; r < ROWS; r++) {
    float* to = p.c + (row + r) * p.ldc;
    if (p.add) before.load(to), c[r].add(before);
    c[r].store(to);
  }
  if (p.sum && row == 0) {
    if (p.add) before.load(p.sum), sum.add(before);
    sum.store(p.sum);
  }
}

template <int N>
void small_sum(const Product& p) {
  constexpr int ROWS = 8 / SmallRow<N>::VECTORS;
  i64 row = 0;
  for (; row + ROWS <= p.m; row += ROWS) small_sum_rows<N, ROWS>(p, row);
  if (ROWS == 8)
    for (; row + 4 <= p.m; row += 4) small_sum_rows<N, 4>(p, row);
  for (; row + 2 <= p.m; row += 2) small_sum_rows<N, 2>(p, row);
  for (; row < p.m; row++) small_sum_rows<N, 1>(p, row);
}

template <int... J>
INLINE void small_product(const Product& p, std::integer_sequence<int, J...>) {
  using Function = void (*)(const Product&);
  static const Function products[] = {small<J + 1>...}, sums[] = {small_sum<J + 1>...};
  (p.ta ? sums : products)[p.n - 1](p);
}

// Whether C is so small; of A^T B, whose sum goes over the batch, how long it is is no matter.
INLINE bool is_small(const Product& p) {
  if (p.ta && p.tb) return false;
  return p.n > 0 && p.n <= SMALL_COLUMNS && (p.ta ? p.m : p.k) <= SMALL_DEPTH && p.m > 0;
}
INLINE void multiply_small(const Product& p) {
  small_product(p, std::make_integer_sequence<int, SMALL_COLUMNS>{});
}

}  // namespace
}  // namespace deepneuron::DEEPNEURON_ISA
