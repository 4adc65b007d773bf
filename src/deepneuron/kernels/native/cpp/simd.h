// Vectors of floats, as GCC and Clang offer them on every processor: x + y adds lane by lane.
//
// WIDTH floats make a vector: 16 with AVX-512, 8 with AVX2, 4 with SSE and NEON. Loads and
// stores need no alignment.
#pragma once
#include <cstdint>
#include <cstring>
#include <utility>

#include "program.h"

#if defined(__AVX2__)
#include <immintrin.h>
#endif

#if defined(__AVX512F__)
#define DEEPNEURON_WIDTH 16
#elif defined(__AVX2__)
#define DEEPNEURON_WIDTH 8
#else
#define DEEPNEURON_WIDTH 4
#endif

#define UNROLL _Pragma("GCC unroll 16")

namespace deepneuron::DEEPNEURON_ISA {

constexpr int WIDTH = DEEPNEURON_WIDTH;

typedef float Vector __attribute__((vector_size(WIDTH * 4)));
typedef std::int32_t Mask __attribute__((vector_size(WIDTH * 4)));  // -1 where true
typedef float LooseVector __attribute__((vector_size(WIDTH * 4), aligned(4), may_alias));
typedef std::int32_t LooseMask __attribute__((vector_size(WIDTH * 4), aligned(4), may_alias));

INLINE Vector load(const float* p) { return *reinterpret_cast<const LooseVector*>(p); }
INLINE void store(float* p, Vector v) { *reinterpret_cast<LooseVector*>(p) = v; }
INLINE Vector all(float x) { return x - Vector{}; }
INLINE Vector zero() { return Vector{}; }

// The lanes of a where the mask is true, of b elsewhere.
INLINE Vector where(Mask mask, Vector a, Vector b) { return mask ? a : b; }

// NaN where either is NaN, as NumPy's maximum and minimum have it.
INLINE Vector maximum(Vector a, Vector b) { return where((a > b) | (a != a), a, b); }
INLINE Vector minimum(Vector a, Vector b) { return where((a < b) | (a != a), a, b); }

INLINE Vector relu(Vector x) { return where(x < zero(), zero(), x); }

// Lanes half to half, then halves of the halves: a chain of WIDTH steps would take far longer.
template <int HALF, int... I>
INLINE Vector swapped(Vector v, std::integer_sequence<int, I...>) {
  return __builtin_shufflevector(v, v, (I ^ HALF)...);
}
template <int HALF = WIDTH / 2, class Two>
INLINE float over_lanes(Vector v, Two two) {
  v = two(v, swapped<HALF>(v, std::make_integer_sequence<int, WIDTH>{}));
  if constexpr (HALF == 1) return v[0];
  else return over_lanes<HALF / 2>(v, two);
}
INLINE float sum(Vector v) {
  return over_lanes(v, [](Vector a, Vector b) __attribute__((always_inline)) { return a + b; });
}
INLINE float largest(Vector v) {  // NaN, if there is one
  return over_lanes(v, [](Vector a, Vector b) __attribute__((always_inline)) {
    return maximum(a, b);
  });
}

// The first n < WIDTH floats, zeros behind them; and the way back. Processors that can
// leave lanes out are told to; others go lane by lane.
#if defined(__AVX512F__)
INLINE Vector load_some(const float* p, i64 n) {
  return Vector(_mm512_maskz_loadu_ps(static_cast<__mmask16>((1u << n) - 1), p));
}
INLINE void store_some(float* p, Vector v, i64 n) {
  _mm512_mask_storeu_ps(p, static_cast<__mmask16>((1u << n) - 1), __m512(v));
}
#elif defined(__AVX2__)
INLINE __m256i first_lanes(i64 n) {
  static constexpr std::int32_t edge[16] = {-1, -1, -1, -1, -1, -1, -1, -1};
  return _mm256_loadu_si256(reinterpret_cast<const __m256i*>(edge + 8 - n));
}
INLINE Vector load_some(const float* p, i64 n) {
  return Vector(_mm256_maskload_ps(p, first_lanes(n)));
}
INLINE void store_some(float* p, Vector v, i64 n) {
  _mm256_maskstore_ps(p, first_lanes(n), __m256(v));
}
#else
INLINE Vector load_some(const float* p, i64 n) {
  Vector v = zero();
  UNROLL for (int i = 0; i < WIDTH - 1; i++)
    if (i < n) v[i] = p[i];
  return v;
}
INLINE void store_some(float* p, Vector v, i64 n) {
  UNROLL for (int i = 0; i < WIDTH - 1; i++)
    if (i < n) p[i] = v[i];
}
#endif

// n <= WIDTH floats that stand `step` apart, zeros behind them; and the way back.
#if defined(__AVX512F__)
INLINE __m512i apart(i64 step) {
  const Mask lane = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};
  return __m512i(lane * static_cast<std::int32_t>(step));
}
INLINE Vector load_apart(const float* p, i64 step, i64 n) {
  const auto some = static_cast<__mmask16>((1u << n) - 1);
  return Vector(_mm512_mask_i32gather_ps(__m512(zero()), some, apart(step), p, 4));
}
INLINE void store_apart(float* p, Vector v, i64 step, i64 n) {
  const auto some = static_cast<__mmask16>((1u << n) - 1);
  _mm512_mask_i32scatter_ps(p, some, apart(step), __m512(v), 4);
}
#else
INLINE Vector load_apart(const float* p, i64 step, i64 n) {
  Vector v = zero();
  UNROLL for (int i = 0; i < WIDTH; i++)
    if (i < n) v[i] = p[i * step];
  return v;
}
INLINE void store_apart(float* p, Vector v, i64 step, i64 n) {
  UNROLL for (int i = 0; i < WIDTH; i++)
    if (i < n) p[i * step] = v[i];
}
#endif

}  // namespace deepneuron::DEEPNEURON_ISA
