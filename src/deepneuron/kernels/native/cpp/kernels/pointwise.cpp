// Chains of elementwise operations: a small machine that runs a program block after block.
//
// pointwise.h says how programs are written down. All memory is addressed alike: a step
// reads a block of values at one address and writes one at another. For an input these are
// the array's own memory, for a temporary it is scratch; an input that is spread over the
// output (a bias, a column) is first written out for the block.
#include "../pointwise.h"

#include <type_traits>

#include "../vector_math.h"

// The values of a block do not depend on one another, also where a result overwrites an input.
#if defined(__clang__)
#define INDEPENDENT _Pragma("clang loop vectorize(assume_safety)")
#else
#define INDEPENDENT _Pragma("GCC ivdep")
#endif

namespace deepneuron::DEEPNEURON_ISA {
namespace {

using Loop = void (*)(void* y, const void* a, const void* b, const void* c, i64 n);

// --- loops over a block

// y[i] = f(a[i], b[i], c[i]), which the compiler turns into vectors
template <class F, class Y, class... X>
void each(void* y, const void* a, const void* b, const void* c, i64 n) {
  [=]<class X1, class X2 = X1, class X3 = X1>(X1*, X2* = nullptr, X3* = nullptr) {
    Y* to = static_cast<Y*>(y);
    const X1* x1 = static_cast<const X1*>(a);
    [[maybe_unused]] const X2* x2 = static_cast<const X2*>(b);
    [[maybe_unused]] const X3* x3 = static_cast<const X3*>(c);
    INDEPENDENT for (i64 i = 0; i < n; i++) {
      if constexpr (sizeof...(X) == 1) to[i] = F{}(x1[i]);
      if constexpr (sizeof...(X) == 2) to[i] = F{}(x1[i], x2[i]);
      if constexpr (sizeof...(X) == 3) to[i] = F{}(x1[i], x2[i], x3[i]);
    }
  }(static_cast<X*>(nullptr)...);
}

// y = f(a), by functions that are written for vectors of floats
template <class F>
void vectors(void* y, const void* a, const void*, const void*, i64 n) {
  float* to = static_cast<float*>(y);
  const float* x = static_cast<const float*>(a);
  i64 i = 0;
  for (; i + WIDTH <= n; i += WIDTH) store(to + i, F{}(load(x + i)));
  if (i < n) store_some(to + i, F{}(load_some(x + i, n - i)), n - i);
}

// --- arithmetic of whole numbers, as NumPy has it: it wraps around, and x / 0 = 0

template <class T, bool FLOAT = std::is_floating_point_v<T>>
struct Wrapping {
  using type = T;
};
template <class T>
struct Wrapping<T, false> {
  using type = std::make_unsigned_t<T>;  // of signed numbers, overflow is not defined
};
template <class T>
using Wrap = typename Wrapping<T>::type;

template <class T>
INLINE T floor_quotient(T a, T b) {
  if (b == 0) return 0;
  if constexpr (std::is_signed_v<T>) {
    if (b == -1) return static_cast<T>(Wrap<T>(0) - Wrap<T>(a));
    const T q = static_cast<T>(a / b);
    return static_cast<T>(q - (a % b != 0 && (a % b < 0) != (b < 0)));
  }
  return static_cast<T>(a / b);
}

template <class T>
INLINE T modulo(T a, T b) {
  if (b == 0 || b == static_cast<T>(-1)) return std::is_signed_v<T> || b == 0 ? 0 : a % b;
  const T r = static_cast<T>(a % b);
  if constexpr (std::is_signed_v<T>) return static_cast<T>(r && (r < 0) != (b < 0) ? r + b : r);
  return r;
}

// The same of floats: exact remainders first, then a quotient that agrees with them.
INLINE float modulo(float a, float b) {
  const float r = __builtin_fmodf(a, b);
  if (b == 0) return r;
  if (r == 0) return __builtin_copysignf(0.0f, b);
  return (b < 0) != (r < 0) ? r + b : r;
}

INLINE float floor_quotient(float a, float b) {
  if (b == 0) return a / b;
  const float r = __builtin_fmodf(a, b);
  float q = (a - r) / b;
  if (r != 0 && (b < 0) != (r < 0)) q -= 1.0f;
  if (q == 0) return __builtin_copysignf(0.0f, a / b);
  const float f = __builtin_floorf(q);
  return q - f > 0.5f ? f + 1.0f : f;
}

// What is no whole number of 32 bits becomes one in some way: by way of 64, as in C.
template <class Y, class X>
INLINE Y converted(X x) {
  if constexpr (std::is_floating_point_v<X> && sizeof(Y) == 1)
    return static_cast<Y>(static_cast<std::int32_t>(x));
  else if constexpr (std::is_floating_point_v<X> && std::is_unsigned_v<Y>)
    return static_cast<Y>(static_cast<i64>(x));
  else
    return static_cast<Y>(x);
}

INLINE float power(float a, float b) { return __builtin_powf(a, b); }

// --- the table of all loops

using Truth = std::uint8_t;  // a boolean in memory: 0 or 1

struct Table {
  Loop at[static_cast<int>(Step::COUNT)][TYPES] = {};

  template <class Y, class... X, class F>
  constexpr void put(Step step, Type type, F) {
    at[static_cast<int>(step)][type] = each<F, Y, X...>;
  }
  template <class F>
  constexpr void put_vectors(Step step, F) {
    at[static_cast<int>(step)][F32] = vectors<F>;
  }

  template <class T>
  constexpr void put_conversions(Type type) {
    put<T, T>(Step::copy, type, [](T x) { return x; });
    put<float, T>(Step::to_f32, type, [](T x) { return converted<float>(x); });
    put<std::int32_t, T>(Step::to_i32, type, [](T x) { return converted<std::int32_t>(x); });
    put<i64, T>(Step::to_i64, type, [](T x) { return converted<i64>(x); });
    put<std::uint32_t, T>(Step::to_u32, type, [](T x) { return converted<std::uint32_t>(x); });
    put<std::int8_t, T>(Step::to_i8, type, [](T x) { return converted<std::int8_t>(x); });
    put<std::uint8_t, T>(Step::to_u8, type, [](T x) { return converted<std::uint8_t>(x); });
    put<Truth, T>(Step::to_bool, type, [](T x) -> Truth { return x != 0; });
  }

  // What all types have in common; of booleans, the maximum is "or", the minimum "and".
  template <class T>
  constexpr void put_order(Type type) {
    put_conversions<T>(type);
    put<Truth, T, T>(Step::equal, type, [](T a, T b) -> Truth { return a == b; });
    put<Truth, T, T>(Step::not_equal, type, [](T a, T b) -> Truth { return a != b; });
    put<Truth, T, T>(Step::greater, type, [](T a, T b) -> Truth { return a > b; });
    put<Truth, T, T>(Step::greater_equal, type, [](T a, T b) -> Truth { return a >= b; });
    put<Truth, T, T>(Step::less, type, [](T a, T b) -> Truth { return a < b; });
    put<Truth, T, T>(Step::less_equal, type, [](T a, T b) -> Truth { return a <= b; });
    put<T, T, T>(Step::maximum, type, [](T a, T b) { return (a > b) | (a != a) ? a : b; });
    put<T, T, T>(Step::minimum, type, [](T a, T b) { return (a < b) | (a != a) ? a : b; });
    put<T, Truth, T, T>(Step::select, type, [](Truth p, T a, T b) { return p ? a : b; });
  }

  template <class T>
  constexpr void put_arithmetic(Type type) {
    using W = Wrap<T>;
    put_order<T>(type);
    put<T, T, T>(Step::add, type, [](T a, T b) { return T(W(a) + W(b)); });
    put<T, T, T>(Step::subtract, type, [](T a, T b) { return T(W(a) - W(b)); });
    put<T, T, T>(Step::multiply, type, [](T a, T b) {
      using Wide = std::conditional_t<sizeof(W) < 4, unsigned, W>;
      return T(Wide(W(a)) * Wide(W(b)));
    });
    put<T, T>(Step::negative, type, [](T x) {
      if constexpr (std::is_floating_point_v<T>) return -x;
      else return T(W(0) - W(x));
    });
    put<T, T>(Step::absolute, type, [](T x) {
      if constexpr (std::is_floating_point_v<T>) return __builtin_fabsf(x);
      else return x < 0 ? T(W(0) - W(x)) : x;
    });
    put<T, T>(Step::sign, type, [](T x) { return x > 0 ? T(1) : x < 0 ? T(-1) : x; });
    put<T, T, T>(Step::floor_divide, type, [](T a, T b) { return floor_quotient(a, b); });
    put<T, T, T>(Step::mod, type, [](T a, T b) { return modulo(a, b); });
  }

  constexpr Table() {
    put_arithmetic<float>(F32);
    put_arithmetic<std::int32_t>(I32);
    put_arithmetic<i64>(I64);
    put_arithmetic<std::uint32_t>(U32);
    put_arithmetic<std::int8_t>(I8);
    put_arithmetic<std::uint8_t>(U8);
    put_order<Truth>(BOOL);

    put<Truth, Truth, Truth>(Step::logical_and, BOOL, [](Truth a, Truth b) -> Truth { return a & b; });
    put<Truth, Truth, Truth>(Step::logical_or, BOOL, [](Truth a, Truth b) -> Truth { return a | b; });
    put<Truth, Truth, Truth>(Step::logical_xor, BOOL, [](Truth a, Truth b) -> Truth { return a ^ b; });
    put<Truth, Truth>(Step::logical_not, BOOL, [](Truth x) -> Truth { return !x; });

    using f = float;
    put<Truth, f>(Step::isnan, F32, [](f x) -> Truth { return x != x; });
    put<Truth, f>(Step::isinf, F32, [](f x) -> Truth { return __builtin_fabsf(x) == __builtin_inff(); });
    put<Truth, f>(Step::isfinite, F32, [](f x) -> Truth { return __builtin_fabsf(x) < __builtin_inff(); });
    put<f, f, f>(Step::divide, F32, [](f a, f b) { return a / b; });
    put<f, f>(Step::relu, F32, [](f x) { return (x > 0) | (x != x) ? x : 0.0f; });
    put<f, f, f>(Step::relu_grad, F32, [](f dy, f y) { return dy * (y > 0 ? 1.0f : 0.0f); });
    put<f, f>(Step::floor, F32, [](f x) { return __builtin_floorf(x); });
    put<f, f>(Step::ceil, F32, [](f x) { return __builtin_ceilf(x); });
    put<f, f>(Step::rint, F32, [](f x) { return __builtin_rintf(x); });
    put<f, f>(Step::sqrt, F32, [](f x) { return __builtin_sqrtf(x); });

    // What is written for vectors, in vector_math.h ...
    put_vectors(Step::exp, [](Vector x) { return exp(x); });
    put_vectors(Step::expm1, [](Vector x) { return expm1(x); });
    put_vectors(Step::log, [](Vector x) { return log(x); });
    put_vectors(Step::log1p, [](Vector x) { return log1p(x); });
    put_vectors(Step::tanh, [](Vector x) { return tanh(x); });
    put_vectors(Step::sigmoid, [](Vector x) { return sigmoid(x); });
    put_vectors(Step::softplus, [](Vector x) { return softplus(x); });
    put_vectors(Step::erf, [](Vector x) { return erf(x); });
    put_vectors(Step::erfc, [](Vector x) { return erfc(x); });

    // ... and what is so rare that the C library's functions will do.
    put<f, f, f>(Step::power, F32, [](f a, f b) { return power(a, b); });
    put<f, f>(Step::exp2, F32, [](f x) { return __builtin_exp2f(x); });
    put<f, f>(Step::log2, F32, [](f x) { return __builtin_log2f(x); });
    put<f, f>(Step::log10, F32, [](f x) { return __builtin_log10f(x); });
    put<f, f>(Step::sin, F32, [](f x) { return __builtin_sinf(x); });
    put<f, f>(Step::cos, F32, [](f x) { return __builtin_cosf(x); });
    put<f, f>(Step::tan, F32, [](f x) { return __builtin_tanf(x); });
    put<f, f>(Step::arcsin, F32, [](f x) { return __builtin_asinf(x); });
    put<f, f>(Step::arccos, F32, [](f x) { return __builtin_acosf(x); });
    put<f, f>(Step::arctan, F32, [](f x) { return __builtin_atanf(x); });
    put<f, f, f>(Step::arctan2, F32, [](f a, f b) { return __builtin_atan2f(a, b); });
    put<f, f>(Step::sinh, F32, [](f x) { return __builtin_sinhf(x); });
    put<f, f>(Step::cosh, F32, [](f x) { return __builtin_coshf(x); });
  }
};

constexpr Table LOOPS;

// --- programs

// The ints of a call, by name.
struct Formula {
  i64 inputs, outputs, constants, temporaries, steps, block, scratch, by_rows;
  const i64 *shape, *input, *output, *constant, *temporary, *step;

  static constexpr int INPUT = 7, STEP = 5;  // ints of each
  enum { TYPE, PERIOD, PLACE, STRIDES };

  explicit INLINE Formula(const i64* p)
      : inputs(p[0]), outputs(p[1]), constants(p[2]), temporaries(p[3]), steps(p[4]), block(p[5]),
        scratch(p[6]), by_rows(p[7]), shape(p + 8), input(p + 12), output(input + inputs * INPUT),
        constant(output + outputs), temporary(constant + constants * 2),
        step(temporary + temporaries * 2) {}

  INLINE i64 size() const { return shape[0] * shape[1] * shape[2] * shape[3]; }
};

i64 scratch_of_pointwise(const i64* ints) { return Formula(ints).scratch * BLOCK; }

INLINE void copy_bytes(char* y, const char* x, i64 bytes) {
  __builtin_memcpy(y, x, bytes);
}

// y[i] = x[i * stride] for n values
template <class T>
INLINE void spread(T* y, const T* x, i64 stride, i64 n) {
  if (stride == 1) {
    copy_bytes(reinterpret_cast<char*>(y), reinterpret_cast<const char*>(x), n * sizeof(T));
  } else if (stride == 0) {
    const T value = *x;
    for (i64 i = 0; i < n; i++) y[i] = value;
  } else {
    for (i64 i = 0; i < n; i++) y[i] = x[i * stride];
  }
}

// The first n values of x, `period` of them again and again.
template <class T>
void repeat(void* y, const void* x, i64 period, i64 n) {
  T* to = static_cast<T*>(y);
  const T* from = static_cast<const T*>(x);
  for (i64 i = 0; i < n; i += period) spread(to + i, from, 1, n - i < period ? n - i : period);
}

// The values number at .. at + n of an input that is spread over the output's shape.
template <class T>
void expand(void* y, const Call& k, int input, i64 row, const Formula& f, i64 at, i64 n) {
  T* to = static_cast<T*>(y);
  const i64 *size = f.shape, *stride = f.input + input * Formula::INPUT + Formula::STRIDES;
  const i64 all = f.size();
  row += at / all;
  at %= all;
  i64 i3 = at % size[3], i2 = at / size[3] % size[2], i1 = at / size[3] / size[2] % size[1];
  i64 i0 = at / size[3] / size[2] / size[1];
  const T* x = k.at<T>(input, row);
  while (n > 0) {
    const i64 run = size[3] - i3 < n ? size[3] - i3 : n;
    spread(to, x + i0 * stride[0] + i1 * stride[1] + i2 * stride[2] + i3 * stride[3], stride[3],
           run);
    to += run, n -= run, i3 = 0;
    if (++i2 == size[2]) {  // carry, as in counting
      i2 = 0;
      if (++i1 == size[1]) {
        i1 = 0;
        if (++i0 == size[0]) i0 = 0, x = n > 0 ? k.at<T>(input, ++row) : x;
      }
    }
  }
}

template <class T>
void fill(void* y, double x, i64 n) {
  const T value = static_cast<T>(x);
  for (i64 i = 0; i < n; i++) static_cast<T*>(y)[i] = value;
}

INLINE void fill_any(i64 type, void* y, double x, i64 n) {
  switch (type) {
    case F32: return fill<float>(y, x, n);
    case I32: return fill<std::int32_t>(y, x, n);
    case I64: return fill<i64>(y, x, n);
    case U32: return fill<std::uint32_t>(y, x, n);
    case I8: return fill<std::int8_t>(y, x, n);
    default: return fill<std::uint8_t>(y, x, n);
  }
}

// Memory does not care what its bits mean: of the same size is good enough for a copy.
INLINE void repeat_any(i64 size, void* y, const void* x, i64 period, i64 n) {
  if (size == 4) return repeat<std::uint32_t>(y, x, period, n);
  if (size == 8) return repeat<i64>(y, x, period, n);
  return repeat<std::uint8_t>(y, x, period, n);
}
INLINE void expand_any(i64 size, void* y, const Call& k, int input, i64 row, const Formula& f,
                       i64 at, i64 n) {
  if (size == 4) return expand<std::uint32_t>(y, k, input, row, f, at, n);
  if (size == 8) return expand<i64>(y, k, input, row, f, at, n);
  return expand<std::uint8_t>(y, k, input, row, f, at, n);
}

// The values number lo..hi, counted from the beginning of a row.
void run(const Call& k, const Formula& f, i64 row, i64 lo, i64 hi) {
  if (lo >= hi) return;
  char* at[MOST_VALUES];         // where the values of the present block are
  i64 onward[MOST_VALUES];       // how far on those of the next block are
  const i64 block = f.block, first = hi - lo < block ? hi - lo : block;
  int spread_inputs = 0;
  int v = 0;
  for (int i = 0; i < f.inputs; i++, v++) {
    const i64* input = f.input + i * Formula::INPUT;
    const i64 size = SIZE[input[Formula::TYPE]], period = input[Formula::PERIOD];
    if (period == 0 || (period == 1 && first == 1)) {
      at[v] = k.at<char>(i, row) + (period ? 0 : lo * size);
      onward[v] = period ? 0 : block * size;
    } else {
      at[v] = k.context.scratch + input[Formula::PLACE] * BLOCK;
      onward[v] = 0;
      if (period > 0) repeat_any(size, at[v], k.at<char>(i, row), period, first);
      else spread_inputs++;
    }
  }
  for (int i = 0; i < f.outputs; i++, v++) {
    const i64 size = SIZE[f.output[i]];
    at[v] = k.at<char>(static_cast<int>(f.inputs) + i, row) + lo * size;
    onward[v] = block * size;
  }
  for (int i = 0; i < f.constants; i++, v++) {
    at[v] = k.context.scratch + f.constant[2 * i + 1] * BLOCK;
    onward[v] = 0;
    fill_any(f.constant[2 * i], at[v], k.floats[i], first);
  }
  for (int i = 0; i < f.temporaries; i++, v++) {
    at[v] = k.context.scratch + f.temporary[2 * i + 1] * BLOCK;
    onward[v] = 0;
  }
  const int moving = static_cast<int>(f.inputs + f.outputs);
  for (i64 p = lo; p < hi; p += block) {
    const i64 n = hi - p < block ? hi - p : block;
    if (spread_inputs)
      for (int i = 0; i < f.inputs; i++) {
        const i64* input = f.input + i * Formula::INPUT;
        if (input[Formula::PERIOD] == -1)
          expand_any(SIZE[input[Formula::TYPE]], at[i], k, i, row, f, p, n);
      }
    const i64* step = f.step;
    for (i64 i = 0; i < f.steps; i++, step += Formula::STEP)
      LOOPS.at[step[0] / TYPES][step[0] % TYPES](at[step[1]], at[step[2]], at[step[3]],
                                                 at[step[4]], n);
    for (int i = 0; i < moving; i++) at[i] += onward[i];
  }
}

// Whether the rows of every operand of the output's shape lie one behind the other.
INLINE bool rows_are_joined(const Call& k, const Formula& f) {
  const i64 size = f.size();
  bool joined = true;
  for (int i = 0; i < f.inputs; i++) {
    const i64* input = f.input + i * Formula::INPUT;
    if (input[Formula::PERIOD] == 0)
      joined &= k.operands[i].step == size * SIZE[input[Formula::TYPE]];
  }
  for (int i = 0; i < f.outputs; i++)
    joined &= k.operands[f.inputs + i].step == size * SIZE[f.output[i]];
  return joined;
}

// any chain of elementwise operations      inputs | outputs ; a program, see pointwise.h ;
//                                          its constants
void pointwise(const Call& k, Share s) {
  const Formula f(k.ints);
  const i64 size = f.size();
  if (!f.by_rows) {
    const Range part = cut(size, s.part, s.parts, f.block);
    run(k, f, 0, part.lo, part.hi);
  } else if (rows_are_joined(k, f)) {
    run(k, f, s.lo, 0, (s.hi - s.lo) * size);
  } else {
    for (i64 row = s.lo; row < s.hi; row++) run(k, f, row, 0, size);
  }
}
REGISTER(pointwise, scratch_of_pointwise);

}  // namespace
}  // namespace deepneuron::DEEPNEURON_ISA
