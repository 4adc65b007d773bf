// Vectors of floats, as GCC and Clang offer them on every processor: x + y adds lane by lane.
//
// WIDTH floats make a vector: 16 with AVX-512, 8 with AVX2, 4 with SSE and NEON. Loads and
// stores need no alignment.
#pragma once
#include <cstdint>
#include <cstring>

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

// Lanes are added half to half: a chain of WIDTH additions would take far longer.
INLINE float sum(Vector v) {
  UNROLL for (int half = WIDTH / 2; half > 0; half /= 2)
    UNROLL for (int i = 0; i < half; i++) v[i] += v[i + half];
  return v[0];
}
INLINE float largest(Vector v) {  // NaN, if there is one
  UNROLL for (int half = WIDTH / 2; half > 0; half /= 2)
    UNROLL for (int i = 0; i < half; i++) {
      const float a = v[i], b = v[i + half];
      v[i] = a > b || a != a ? a : b;
    }
  return v[0];
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

}  // namespace deepneuron::DEEPNEURON_ISA
