// Vectors of floats, as GCC and Clang offer them on every processor: x + y adds lane by lane.
//
// WIDTH floats make a vector: 16 with AVX-512, 8 with AVX2, 4 with SSE and NEON. Loads and
// stores need no alignment.
#pragma once
#include <cstdint>
#include <cstring>

#include "program.h"

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

INLINE float sum(Vector v) {
  float total = 0;
  for (int i = 0; i < WIDTH; i++) total += v[i];
  return total;
}

// The first n < WIDTH floats, zeros behind them; and the way back.
INLINE Vector load_some(const float* p, i64 n) {
  Vector v = zero();
  __builtin_memcpy(&v, p, n * sizeof(float));
  return v;
}
INLINE void store_some(float* p, Vector v, i64 n) {
  __builtin_memcpy(p, &v, n * sizeof(float));
}

}  // namespace deepneuron::DEEPNEURON_ISA
