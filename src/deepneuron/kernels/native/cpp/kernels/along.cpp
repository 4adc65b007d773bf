// Along one axis, whichever it is: places of extremes, orders, values by their places, sums so
// far, softmax.
//
// A row of the batch is (before, n, after): n values along the axis, `after` apart. What
// lies behind the axis stands side by side and is done lane by lane.
#include "../lanes.h"
#include "../vector_math.h"

namespace deepneuron::DEEPNEURON_ISA {
namespace {

// body(the first value of a line, its number), for all lines along the axis
template <class Body>
INLINE void each_line(i64 before, i64 n, i64 after, Body body) {
  for (i64 b = 0; b < before; b++)
    for (i64 a = 0; a < after; a++) body(b * n * after + a, b * after + a);
}

// y = the first place of the largest x, or of the smallest; of the first NaN, if there is one
//                                             x | y ; before, n, after, smallest?
void position(const Call& k, Share s) {
  const i64 n = k.ints[1], after = k.ints[2];
  const float sign = k.ints[3] ? -1.0f : 1.0f;
  for (i64 row = s.lo; row < s.hi; row++) {
    const float* x = k.at(0, row);
    auto* y = k.at<std::int32_t>(1, row);
    each_line(k.ints[0], n, after, [&](i64 from, i64 line) __attribute__((always_inline)) {
      float best = x[from] * sign;
      std::int32_t place = 0;
      for (i64 i = 1; i < n && best == best; i++) {
        const float v = x[from + i * after] * sign;
        if (v > best || v != v) best = v, place = static_cast<std::int32_t>(i);
      }
      y[line] = place;
    });
  }
}
REGISTER(position, nullptr);

// y = the places of x in ascending order, or in descending order; equals keep theirs, and NaN
// is larger than any number. Runs that are in order become longer ones: 1, 2, 4, ...
//                                             x | y ; before, n, after, descending?
void order(const Call& k, Share s) {
  const i64 n = k.ints[1], after = k.ints[2];
  const bool descending = k.ints[3];
  auto* from = reinterpret_cast<std::int32_t*>(k.context.scratch);
  auto* to = from + n;
  for (i64 row = s.lo; row < s.hi; row++) {
    auto* y = k.at<std::int32_t>(1, row);
    each_line(k.ints[0], n, after, [&](i64 first, i64) {
      const float* x = k.at(0, row) + first;
      const auto follows = [&](std::int32_t i, std::int32_t j) __attribute__((always_inline)) {
        float a = x[i * after], b = x[j * after];
        if (descending) { const float swapped = a; a = b, b = swapped; }
        return a > b || (a != a && b == b);
      };
      for (i64 i = 0; i < n; i++) from[i] = static_cast<std::int32_t>(i);
      for (i64 run = 1; run < n; run *= 2) {
        for (i64 lo = 0; lo < n; lo += 2 * run) {
          const i64 middle = lo + run < n ? lo + run : n, hi = lo + 2 * run < n ? lo + 2 * run : n;
          for (i64 i = lo, j = middle, at = lo; at < hi; at++) {
            const bool left = j == hi || (i < middle && !follows(from[i], from[j]));
            to[at] = left ? from[i++] : from[j++];
          }
        }
        auto* swapped = from;
        from = to, to = swapped;
      }
      for (i64 i = 0; i < n; i++) y[first + i * after] = from[i];
    });
  }
}
i64 two_orders(const i64* ints) { return 2 * ints[1] * static_cast<i64>(sizeof(std::int32_t)); }
REGISTER(order, two_orders);

// The place t of n, negative ones being counted from the end; -1 if there is none.
INLINE i64 place_of(i64 t, i64 n) { return t >= 0 ? (t < n ? t : -1) : t + n >= 0 ? t + n : -1; }

// y[b][j][a] = x[b][t[b][j][a]][a]. A place that does not exist stops the step.
//                                             x t | y ; before, n, after, places
template <class Label>
INLINE void take_along(const Call& k, Share s) {
  const i64 n = k.ints[1], after = k.ints[2], places = k.ints[3];
  for (i64 row = s.lo; row < s.hi; row++) {
    const auto* x = k.at<std::uint32_t>(0, row);
    const Label* t = k.at<Label>(1, row);
    auto* y = k.at<std::uint32_t>(2, row);
    for (i64 b = 0; b < k.ints[0]; b++, x += n * after)
      for (i64 j = 0; j < places; j++)
        for (i64 a = 0; a < after; a++) {
          const i64 place = place_of(*t++, n);
          if (place < 0) return k.context.fault->store(1);
          *y++ = x[place * after + a];
        }
  }
}
void take_along_int32(const Call& k, Share s) { take_along<std::int32_t>(k, s); }
void take_along_int64(const Call& k, Share s) { take_along<i64>(k, s); }
REGISTER(take_along_int32, nullptr);
REGISTER(take_along_int64, nullptr);

// dx = 0, and every dy added at its place     dy t | dx ; before, n, after, places
template <class Label>
INLINE void add_along(const Call& k, Share s) {
  const i64 n = k.ints[1], after = k.ints[2], places = k.ints[3];
  for (i64 row = s.lo; row < s.hi; row++) {
    const float* dy = k.at(0, row);
    const Label* t = k.at<Label>(1, row);
    float* dx = k.at(2, row);
    std::memset(dx, 0, k.ints[0] * n * after * sizeof(float));
    for (i64 b = 0; b < k.ints[0]; b++, dx += n * after)
      for (i64 j = 0; j < places; j++)
        for (i64 a = 0; a < after; a++) {
          const i64 place = place_of(*t++, n);
          if (place < 0) return k.context.fault->store(1);
          dx[place * after + a] += *dy++;
        }
  }
}
void add_along_int32(const Call& k, Share s) { add_along<std::int32_t>(k, s); }
void add_along_int64(const Call& k, Share s) { add_along<i64>(k, s); }
REGISTER(add_along_int32, nullptr);
REGISTER(add_along_int64, nullptr);

// y[b][j] = x[b][t[j]], the same places in every row: `after` values side by side
//                                             x t | y ; before, n, after, places
void take_same(const Call& k, Share s) {
  const i64 n = k.ints[1], after = k.ints[2], places = k.ints[3];
  const auto* t = k.at<std::int32_t>(1);
  for (i64 row = s.lo; row < s.hi; row++) {
    const auto* x = k.at<std::uint32_t>(0, row);
    auto* y = k.at<std::uint32_t>(2, row);
    for (i64 b = 0; b < k.ints[0]; b++, x += n * after)
      for (i64 j = 0; j < places; j++, y += after) {
        const i64 place = place_of(t[j], n);
        if (place < 0) return k.context.fault->store(1);
        for (i64 a = 0; a < after; a++) y[a] = x[place * after + a];
      }
  }
}
REGISTER(take_same, nullptr);

// dx = 0, and dy[b][j] added to dx[b][t[j]]   dy t | dx ; before, n, after, places
void add_same(const Call& k, Share s) {
  const i64 n = k.ints[1], after = k.ints[2], places = k.ints[3];
  const auto* t = k.at<std::int32_t>(1);
  for (i64 row = s.lo; row < s.hi; row++) {
    const float* dy = k.at(0, row);
    float* dx = k.at(2, row);
    std::memset(dx, 0, k.ints[0] * n * after * sizeof(float));
    for (i64 b = 0; b < k.ints[0]; b++, dx += n * after)
      for (i64 j = 0; j < places; j++, dy += after) {
        const i64 place = place_of(t[j], n);
        if (place < 0) return k.context.fault->store(1);
        for (i64 a = 0; a < after; a++) dx[place * after + a] += dy[a];
      }
  }
}
REGISTER(add_same, nullptr);

// y = 1 at the number of the class, else 0    t | y ; before, classes, after, the bits of 1
template <class Label>
INLINE void one_hot(const Call& k, Share s) {
  const i64 classes = k.ints[1], after = k.ints[2];
  for (i64 row = s.lo; row < s.hi; row++) {
    const Label* t = k.at<Label>(0, row);
    auto* y = k.at<std::uint32_t>(1, row);
    std::memset(y, 0, k.ints[0] * classes * after * sizeof *y);
    each_line(k.ints[0], classes, after, [&](i64 to, i64 line) __attribute__((always_inline)) {
      const i64 label = t[line];
      if (label >= 0 && label < classes) y[to + label * after] = static_cast<std::uint32_t>(k.ints[3]);
    });
  }
}
void one_hot_int32(const Call& k, Share s) { one_hot<std::int32_t>(k, s); }
void one_hot_int64(const Call& k, Share s) { one_hot<i64>(k, s); }
REGISTER(one_hot_int32, nullptr);
REGISTER(one_hot_int64, nullptr);

// y[i] = x[0] + ... + x[i]                    x | y ; before, n, after
void cumulative_sum(const Call& k, Share s) {
  const i64 n = k.ints[1], after = k.ints[2];
  for (i64 row = s.lo; row < s.hi; row++) {
    const float* x = k.at(0, row);
    float* y = k.at(1, row);
    for (i64 b = 0; b < k.ints[0]; b++, x += n * after, y += n * after) {
      std::memcpy(y, x, after * sizeof(float));
      for (i64 i = after; i < n * after; i++) y[i] = y[i - after] + x[i];
    }
  }
}
REGISTER(cumulative_sum, nullptr);

// body(the first values of some lines side by side, the lanes that are in use)
template <class Body>
INLINE void each_lines(i64 before, i64 n, i64 after, Body body) {
  for (i64 b = 0; b < before; b++)
    in_vectors(after, [&](i64 a, auto lanes) __attribute__((always_inline)) {
      body(b * n * after + a, lanes);
    });
}

// y = e^x / sum of e^x                        x | y ; before, n, after
void softmax_along(const Call& k, Share s) {
  const i64 n = k.ints[1], after = k.ints[2];
  for (i64 row = s.lo; row < s.hi; row++) {
    const float* x = k.at(0, row);
    float* y = k.at(1, row);
    each_lines(k.ints[0], n, after, [&](i64 at, auto lanes) __attribute__((always_inline)) {
      Vector most = all(-__builtin_inff()), total = zero();
      for (i64 i = 0; i < n; i++) most = maximum(most, lanes.load(x + at + i * after));
      for (i64 i = 0; i < n; i++) {
        const Vector e = exp(lanes.load(x + at + i * after) - most);
        lanes.store(y + at + i * after, e);
        total += e;
      }
      for (i64 i = 0; i < n; i++) {
        float* p = y + at + i * after;
        lanes.store(p, lanes.load(p) / lanes.only(total, 1.0f));
      }
    });
  }
}
REGISTER(softmax_along, nullptr);

// dx = y (dy - sum of y dy)                   dy y | dx ; before, n, after
void softmax_along_grad(const Call& k, Share s) {
  const i64 n = k.ints[1], after = k.ints[2];
  for (i64 row = s.lo; row < s.hi; row++) {
    const float *dy = k.at(0, row), *y = k.at(1, row);
    float* dx = k.at(2, row);
    each_lines(k.ints[0], n, after, [&](i64 at, auto lanes) __attribute__((always_inline)) {
      Vector mean = zero();
      for (i64 i = at; i < at + n * after; i += after) mean += lanes.load(dy + i) * lanes.load(y + i);
      for (i64 i = at; i < at + n * after; i += after)
        lanes.store(dx + i, (lanes.load(dy + i) - mean) * lanes.load(y + i));
    });
  }
}
REGISTER(softmax_along_grad, nullptr);

}  // namespace
}  // namespace deepneuron::DEEPNEURON_ISA
