// Many values become one: sums, means, products, extremes, any and all.
//
// However many axes an array has, and whichever of them vanish: neighbours of a kind are
// one axis, so four are left, kept and reduced ones in turn. x is (k0, r0, k1, r1), y is
// (k0, k1), where each of them may be 1:
//
//   y[k0][k1] = the sum (or the largest, ...) over r0 and r1 of x[k0][r0][k1][r1]
//
// Where r1 is 1, whole rows of x are added to a row of y; else numbers that lie side by
// side become one. Floats are summed in short runs, and these runs are summed again: each
// number is rounded together with few others, so long sums are better than NumPy's.
#include "../pointwise.h"

#include <type_traits>

#include "../simd.h"

namespace deepneuron::DEEPNEURON_ISA {
namespace {

enum Reduction : i64 { SUM, PRODUCT, LARGEST, SMALLEST, ANY, ALL, SUM_OF_SQUARES };

// --- how two become one; `start` is what changes nothing

struct Sum {
  template <class T>
  static INLINE T start() { return T(0); }
  template <class T>
  static INLINE T of(T a, T b) { return a + b; }
  static INLINE Vector of(Vector a, Vector b) { return a + b; }
};
struct SumOfSquares : Sum {};  // what is summed is squared on the way
struct Product {
  template <class T>
  static INLINE T start() { return T(1); }
  template <class T>
  static INLINE T of(T a, T b) { return a * b; }
  static INLINE Vector of(Vector a, Vector b) { return a * b; }
};
template <class T>
constexpr T most() {
  if constexpr (std::is_floating_point_v<T>) return T(__builtin_inf());
  else return std::is_signed_v<T> ? T((1ull << (sizeof(T) * 8 - 1)) - 1) : T(~T(0));
}
template <class T>
constexpr T least() {
  if constexpr (std::is_floating_point_v<T>) return -most<T>();
  else return std::is_signed_v<T> ? T(-most<T>() - 1) : T(0);
}
struct Largest {
  template <class T>
  static INLINE T start() { return least<T>(); }
  template <class T>
  static INLINE T of(T a, T b) { return (a > b) | (a != a) ? a : b; }
  static INLINE Vector of(Vector a, Vector b) { return maximum(a, b); }
};
struct Smallest {
  template <class T>
  static INLINE T start() { return most<T>(); }
  template <class T>
  static INLINE T of(T a, T b) { return (a < b) | (a != a) ? a : b; }
  static INLINE Vector of(Vector a, Vector b) { return minimum(a, b); }
};
struct Or : Sum {
  template <class T>
  static INLINE T of(T a, T b) { return a | b; }
};
struct And : Product {
  template <class T>
  static INLINE T of(T a, T b) { return a & b; }
};

template <class F>
INLINE Vector taken(Vector x) {
  if constexpr (std::is_same_v<F, SumOfSquares>) return x * x;
  return x;
}

// --- floats that lie side by side

// Some vectors at a time, so that no addition waits for the one before.
template <class F>
double fold_run(const float* x, i64 n) {
  constexpr i64 RUN = 64 * WIDTH;
  double total = F::template start<double>();
  while (n > 0) {
    const i64 m = n < RUN ? n : RUN;
    const Vector start = all(F::template start<float>());
    Vector lanes[4] = {start, start, start, start};
    i64 i = 0;
    for (; i + 4 * WIDTH <= m; i += 4 * WIDTH)
      UNROLL for (int j = 0; j < 4; j++)
        lanes[j] = F::of(lanes[j], taken<F>(load(x + i + j * WIDTH)));
    for (; i + WIDTH <= m; i += WIDTH) lanes[0] = F::of(lanes[0], taken<F>(load(x + i)));
    if (i) {
      const Vector four = F::of(F::of(lanes[0], lanes[1]), F::of(lanes[2], lanes[3]));
      UNROLL for (int j = 0; j < WIDTH; j++) total = F::of(total, double(four[j]));
    }
    for (; i < m; i++) {
      const double one = x[i];
      total = F::of(total, std::is_same_v<F, SumOfSquares> ? one * one : one);
    }
    x += m, n -= m;
  }
  return total;
}

// --- floats in columns: y[j] = f(y[j], x[0][j], x[1][j], ...)

constexpr i64 ROWS = 32;  // so many rows are summed before they meet y

template <class F, int VECTORS>
INLINE void fold_strip(const float* x, i64 rows, i64 columns, float* y) {
  for (i64 first = 0; first < rows; first += ROWS) {
    const i64 last = first + ROWS < rows ? first + ROWS : rows;
    Vector lanes[VECTORS];
    UNROLL for (int j = 0; j < VECTORS; j++) lanes[j] = load(x + first * columns + j * WIDTH);
    for (i64 row = first + 1; row < last; row++)
      UNROLL for (int j = 0; j < VECTORS; j++)
        lanes[j] = F::of(lanes[j], load(x + row * columns + j * WIDTH));
    UNROLL for (int j = 0; j < VECTORS; j++)
      store(y + j * WIDTH, F::of(load(y + j * WIDTH), lanes[j]));
  }
}

template <class F>
void fold_wide(const float* x, i64 rows, i64 columns, float* y) {
  i64 j = 0;
  for (; j + 4 * WIDTH <= columns; j += 4 * WIDTH) fold_strip<F, 4>(x + j, rows, columns, y + j);
  for (; j + WIDTH <= columns; j += WIDTH) fold_strip<F, 1>(x + j, rows, columns, y + j);
  const i64 rest = columns - j;
  if (rest == 0) return;
  for (i64 first = 0; first < rows; first += ROWS) {
    const i64 last = first + ROWS < rows ? first + ROWS : rows;
    Vector lanes = load_some(x + first * columns + j, rest);
    for (i64 row = first + 1; row < last; row++)
      lanes = F::of(lanes, load_some(x + row * columns + j, rest));
    store_some(y + j, F::of(load_some(y + j, rest), lanes), rest);
  }
}

constexpr i64 greatest_common_divisor(i64 a, i64 b) {
  return b == 0 ? a : greatest_common_divisor(b, a % b);
}

// Few columns do not fill vectors. But several rows do, taken as one wide row; at the end
// its parts are summed in their turn.
template <class F>
void fold_columns(const float* x, i64 rows, i64 columns, float* y) {
  constexpr i64 NARROW = 4 * WIDTH;
  const i64 together = WIDTH / greatest_common_divisor(columns, WIDTH);
  if (columns >= NARROW || together == 1 || rows < 2 * together)
    return fold_wide<F>(x, rows, columns, y);
  float wide[NARROW * WIDTH];
  for (i64 i = 0; i < together * columns; i++) wide[i] = F::template start<float>();
  const i64 whole = rows / together;
  fold_wide<F>(x, whole, together * columns, wide);
  fold_wide<F>(wide, together, columns, y);
  fold_wide<F>(x + whole * together * columns, rows % together, columns, y);
}

// --- any type

// y[k1] = f(y[k1], x[r0][k1][r1] ...)
template <class F, class X, class Y>
void fold(const X* x, i64 r0, i64 k1, i64 r1, Y* y) {
  if constexpr (std::is_same_v<X, float>) {
    if (r1 == 1 && k1 > 1 && std::is_same_v<Y, float> && !std::is_same_v<F, SumOfSquares>)
      return fold_columns<F>(x, r0, k1, reinterpret_cast<float*>(y));
    if (k1 == 1) {
      y[0] = static_cast<Y>(F::of(double(y[0]), fold_run<F>(x, r0 * r1)));
      return;
    }
    for (i64 j = 0; j < k1; j++) {
      double total = y[j];
      for (i64 i = 0; i < r0; i++)
        total = F::of(total, fold_run<F>(x + (i * k1 + j) * r1, r1));
      y[j] = static_cast<Y>(total);
    }
  } else {
    for (i64 i = 0; i < r0; i++)
      for (i64 j = 0; j < k1; j++, x += r1)
        for (i64 l = 0; l < r1; l++) y[j] = F::of(y[j], static_cast<Y>(x[l]));
  }
}

// --- from numbers in a call to a template of these types

// The ints of a call, by name.
struct Fold {
  i64 how, from, to, k0, r0, k1, r1;
  explicit INLINE Fold(const i64* p)
      : how(p[0]), from(p[1]), to(p[2]), k0(p[3]), r0(p[4]), k1(p[5]), r1(p[6]) {}
  INLINE i64 inputs() const { return k0 * r0 * k1 * r1; }
  INLINE i64 outputs() const { return k0 * k1; }
};

// use<F, X, Y>() for what `f` says; sums of booleans and bytes are of 32 bits
template <class X, class Y, class Use>
INLINE void with_numbers(i64 how, Use use) {
  switch (how) {
    case PRODUCT: return use.template operator()<Product, X, Y>();
    case LARGEST: return use.template operator()<Largest, X, Y>();
    case SMALLEST: return use.template operator()<Smallest, X, Y>();
    default: return use.template operator()<Sum, X, Y>();
  }
}
template <class Use>
INLINE void with_types(i64 how, i64 from, i64 to, Use use) {
  using Byte = std::uint8_t;
  if (how == ANY) return use.template operator()<Or, Byte, Byte>();
  if (how == ALL) return use.template operator()<And, Byte, Byte>();
  if (how == SUM_OF_SQUARES) return use.template operator()<SumOfSquares, float, float>();
  switch (from * TYPES + to) {
    case F32 * TYPES + F32: return with_numbers<float, float>(how, use);
    case I32 * TYPES + I32: return with_numbers<std::int32_t, std::int32_t>(how, use);
    case I64 * TYPES + I64: return with_numbers<i64, i64>(how, use);
    case U32 * TYPES + U32: return with_numbers<std::uint32_t, std::uint32_t>(how, use);
    case I8 * TYPES + I32: return with_numbers<std::int8_t, std::int32_t>(how, use);
    case U8 * TYPES + U32: return with_numbers<Byte, std::uint32_t>(how, use);
    case BOOL * TYPES + I32: return with_numbers<Byte, std::int32_t>(how, use);
    case I8 * TYPES + I8: return with_numbers<std::int8_t, std::int8_t>(how, use);
    default: return with_numbers<Byte, Byte>(how, use);
  }
}

// Sums of floats that become one number are kept in double precision; columns of them not.
template <class Y>
using Wide = std::conditional_t<std::is_same_v<Y, float>, double, Y>;

// Means are sums, divided at the end.
template <class Y>
INLINE Y shared_out(Y total, double divisor) {
  if constexpr (std::is_floating_point_v<Y>)
    return divisor == 1.0 ? total : static_cast<Y>(total / divisor);
  return total;
}

template <class F, class X, class Y>
void fold_row(const X* x, Y* y, const Fold& f, i64 lo, i64 hi, double divisor) {
  for (i64 i = lo; i < hi; i++) {
    Y* to = y + i * f.k1;
    const X* from = x + i * f.r0 * f.k1 * f.r1;
    if (f.k1 == 1) {
      Wide<Y> total = F::template start<Wide<Y>>();
      fold<F>(from, f.r0, 1, f.r1, &total);
      to[0] = static_cast<Y>(shared_out(total, divisor));
      continue;
    }
    for (i64 j = 0; j < f.k1; j++) to[j] = F::template start<Y>();
    fold<F>(from, f.r0, f.k1, f.r1, to);
    for (i64 j = 0; j < f.k1; j++) to[j] = shared_out(to[j], divisor);
  }
}

// --- kernels

// y = x, reduced along axes of a row, or (7th int 0) of everything
//                                x | y ; how, from, to, k0, r0, k1, r1, by rows ; divisor
void reduce(const Call& k, Share s) {
  const Fold f(k.ints);
  with_types(f.how, f.from, f.to, [&]<class F, class X, class Y>() {
    if (k.ints[7]) {
      for (i64 row = s.lo; row < s.hi; row++)
        fold_row<F>(k.at<X>(0, row), k.at<Y>(1, row), f, 0, f.k0, k.floats[0]);
    } else {
      const Range part = cut(f.k0, s.part, s.parts);
      fold_row<F>(k.at<X>(0), k.at<Y>(1), f, part.lo, part.hi, k.floats[0]);
    }
  });
}
REGISTER(reduce, nullptr);

// the sums of a shard = x, reduced along its rows and along axes of a row
//                                x | sums ; how, from, to, k0, r0, k1, r1
void reduce_rows(const Call& k, Share s) {
  const Fold f(k.ints);
  with_types(f.how, f.from, f.to, [&]<class F, class X, class Y>() {
    const bool joined = k.operands[0].step == f.inputs() * static_cast<i64>(sizeof(X));
    const i64 rows = s.hi - s.lo;
    const auto add = [&]<class A>(A* sums) {
      if (k.context.fresh)
        for (i64 i = 0; i < f.outputs(); i++) sums[i] = F::template start<A>();
      if (joined && f.k0 == 1) return fold<F>(k.at<X>(0, s.lo), rows * f.r0, f.k1, f.r1, sums);
      for (i64 row = s.lo; row < s.hi; row++)
        for (i64 i = 0; i < f.k0; i++)
          fold<F>(k.at<X>(0, row) + i * f.r0 * f.k1 * f.r1, f.r0, f.k1, f.r1, sums + i * f.k1);
    };
    if (f.outputs() == 1) add(k.at<Wide<Y>>(1));
    else add(k.at<Y>(1));
  });
}
REGISTER(reduce_rows, nullptr);

// y = the sums of all shards, reduced in their order
//                                sums | y ; how, from, to, k0, r0, k1, r1 ; divisor
void reduce_shards(const Call& k, Share s) {
  const Fold f(k.ints);
  const Range part = cut(f.outputs(), s.part, s.parts, WIDTH);
  with_types(f.how, f.from, f.to, [&]<class F, class X, class Y>() {
    const auto combine = [&]<class A>(A*) {
      for (i64 i = part.lo; i < part.hi; i++) {
        A total = k.shard<A>(0, 0)[i];
        for (int q = 1; q < k.context.shard_count; q++)
          total = F::of(total, k.shard<A>(0, q)[i]);
        k.at<Y>(1)[i] = static_cast<Y>(shared_out(total, k.floats[0]));
      }
    };
    if (f.outputs() == 1) combine(static_cast<Wide<Y>*>(nullptr));
    else combine(static_cast<Y*>(nullptr));
  });
}
REGISTER(reduce_shards, nullptr);

// A large array as one number: its pieces are the same, however many threads there are.
constexpr i64 PIECES = 64;

// y[p] = piece p of x, reduced     x | y (64 doubles) ; how, from, to, values of x
void reduce_pieces(const Call& k, Share s) {
  const i64 n = k.ints[3];
  const Range part = cut(PIECES, s.part, s.parts);
  with_types(k.ints[0], k.ints[1], k.ints[2], [&]<class F, class X, class Y>() {
    for (i64 p = part.lo; p < part.hi; p++) {
      const Range piece = cut(n, static_cast<int>(p), PIECES);
      Wide<Y> total = F::template start<Wide<Y>>();
      fold<F>(k.at<X>(0) + piece.lo, 1, 1, piece.hi - piece.lo, &total);
      __builtin_memcpy(k.at<char>(1) + p * 8, &total, sizeof total);
    }
  });
}
REGISTER(reduce_pieces, nullptr);

// y = all pieces, reduced          pieces | y ; how, from, to ; divisor
void join_pieces(const Call& k, Share) {
  with_types(k.ints[0], k.ints[1], k.ints[2], [&]<class F, class X, class Y>() {
    Wide<Y> total = F::template start<Wide<Y>>();
    for (i64 p = 0; p < PIECES; p++) {
      Wide<Y> one;
      __builtin_memcpy(&one, k.at<char>(0) + p * 8, sizeof one);
      total = F::of(total, one);
    }
    k.at<Y>(1)[0] = static_cast<Y>(shared_out(total, k.floats[0]));
  });
}
REGISTER(join_pieces, nullptr);

}  // namespace
}  // namespace deepneuron::DEEPNEURON_ISA
