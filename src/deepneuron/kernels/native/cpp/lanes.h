// Loops over any number of floats: whole vectors first, then the lanes that are left.
//
//   in_vectors(n, [&](i64 j, auto lanes) { lanes.store(y + j, lanes.load(x + j) * 2.0f); });
//
// The body is compiled twice. For whole vectors, lanes.load is a plain load; for the rest
// it touches the first few lanes only, so that nothing beyond the end is read or written.
#pragma once
#include "simd.h"

namespace deepneuron::DEEPNEURON_ISA {
namespace {

struct Whole {
  INLINE Vector load(const float* p, float = 0) const { return DEEPNEURON_ISA::load(p); }
  INLINE void store(float* p, Vector v) const { DEEPNEURON_ISA::store(p, v); }
  INLINE i64 count() const { return WIDTH; }
  INLINE Vector only(Vector v, float = 0) const { return v; }
};

struct Some {
  i64 n;
  // Lanes beyond the end are filled.
  INLINE Vector load(const float* p, float fill = 0) const {
    return fill == 0 ? load_some(p, n) : only(load_some(p, n), fill);
  }
  INLINE void store(float* p, Vector v) const { store_some(p, v, n); }
  INLINE i64 count() const { return n; }
  INLINE Vector only(Vector v, float fill = 0) const {
    Mask lane;
    UNROLL for (int i = 0; i < WIDTH; i++) lane[i] = i;
    return where(lane < Mask{} + static_cast<std::int32_t>(n), v, all(fill));
  }
};

template <class Body>
INLINE void in_vectors(i64 n, Body body) {
  i64 j = 0;
  for (; j + WIDTH <= n; j += WIDTH) body(j, Whole{});
  if (j < n) body(j, Some{n - j});
}

// The largest of n values; NaN, if there is one. Four maxima side by side, since each waits
// for the one before it.
INLINE float largest_of(const float* x, i64 n) {
  const Vector least = all(-__builtin_inff());
  Vector most[4] = {least, least, least, least};
  i64 j = 0;
  for (; j + 4 * WIDTH <= n; j += 4 * WIDTH)
    UNROLL for (int u = 0; u < 4; u++) most[u] = maximum(most[u], load(x + j + u * WIDTH));
  for (; j + WIDTH <= n; j += WIDTH) most[0] = maximum(most[0], load(x + j));
  if (j < n) most[1] = maximum(most[1], Some{n - j}.load(x + j, -__builtin_inff()));
  return largest(maximum(maximum(most[0], most[1]), maximum(most[2], most[3])));
}

// Whether a mask is true in any lane.
INLINE bool any(Mask mask) {
  std::int32_t found = 0;
  for (int i = 0; i < WIDTH; i++) found |= mask[i];
  return found;
}

// dy where y > 0, as relu's gradient is in NumPy: a NaN of dy stays, whatever y is.
INLINE Vector past_relu(Vector dy, Vector y) {
  return dy * where(y > zero(), all(1.0f), zero());
}

}  // namespace
}  // namespace deepneuron::DEEPNEURON_ISA
