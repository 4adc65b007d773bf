// Softmax along lines of `classes` values, and what is taken of it: logarithm, gradients,
// cross-entropies with labels and with shares.
//
//   p = e^z / sum of e^z      A row of the batch holds `lines` of them.
//
// The largest z is taken off first, so that no e^z can overflow. Lines are read to their end
// before they are written, so results may lie where the inputs lay.
#include "../lines.h"
#include "../vector_math.h"

#define LINES [&](i64 line, auto lines) __attribute__((always_inline))
#define VALUES [&](i64 j, auto lanes) __attribute__((always_inline))

namespace deepneuron::DEEPNEURON_ISA {
namespace {

// What the kernels have in common: `classes`, and how many lines there are in their rows.
struct Size {
  i64 classes, lines;
  INLINE Size(const Call& k, Share s) : classes(k.ints[1]), lines((s.hi - s.lo) * k.ints[0]) {}
};

// y = e^(z - most), if there is a y; returns the sum of it
template <class Lines>
INLINE Vector exponentials(Lines lines, const float* z, Vector most, float* y) {
  return lines.sum(VALUES {
    const Vector e = exp(lanes.load(z + j) - most);
    if (y) lanes.store(y + j, e);
    return e;
  });
}

// y *= factor
template <class Lines>
INLINE void scale(Lines lines, float* y, Vector factor) {
  lines.each(VALUES { lanes.store(y + j, lanes.load(y + j) * factor); });
}

// y = softmax(x)                                            x | y ; lines, classes
void softmax(const Call& k, Share s) {
  const Size size(k, s);
  const float* x = k.at(0, s.lo);
  float* y = k.at(1, s.lo);
  over_lines(size.lines, size.classes, LINES {
    const float* from = x + line * size.classes;
    float* to = y + line * size.classes;
    scale(lines, to, 1.0f / exponentials(lines, from, lines.largest(from), to));
  });
}
REGISTER(softmax, nullptr);

// dx = y (dy - sum of y dy)                                 dy y | dx ; lines, classes
void softmax_grad(const Call& k, Share s) {
  const Size size(k, s);
  const float *dy = k.at(0, s.lo), *y = k.at(1, s.lo);
  float* dx = k.at(2, s.lo);
  over_lines(size.lines, size.classes, LINES {
    const i64 at = line * size.classes;
    const Vector mean = lines.sum(VALUES { return lanes.load(y + at + j) * lanes.load(dy + at + j); });
    lines.each(VALUES {
      lanes.store(dx + at + j, (lanes.load(dy + at + j) - mean) * lanes.load(y + at + j));
    });
  });
}
REGISTER(softmax_grad, nullptr);

// y = x - log(sum of e^x)                                   x | y ; lines, classes
void log_softmax(const Call& k, Share s) {
  const Size size(k, s);
  const float* x = k.at(0, s.lo);
  float* y = k.at(1, s.lo);
  over_lines(size.lines, size.classes, LINES {
    const float* from = x + line * size.classes;
    float* to = y + line * size.classes;
    const Vector most = lines.largest(from);
    const Vector rest = log(exponentials(lines, from, most, nullptr));
    lines.each(VALUES { lanes.store(to + j, lanes.load(from + j) - most - rest); });
  });
}
REGISTER(log_softmax, nullptr);

// dx = dy - e^y sum of dy                                   dy y | dx ; lines, classes
void log_softmax_grad(const Call& k, Share s) {
  const Size size(k, s);
  const float *dy = k.at(0, s.lo), *y = k.at(1, s.lo);
  float* dx = k.at(2, s.lo);
  over_lines(size.lines, size.classes, LINES {
    const i64 at = line * size.classes;
    const Vector total = lines.sum(VALUES { return lanes.load(dy + at + j); });
    lines.each(VALUES {
      lanes.store(dx + at + j, lanes.load(dy + at + j) - exp(lanes.load(y + at + j)) * total);
    });
  });
}
REGISTER(log_softmax_grad, nullptr);

// --- cross-entropies of a softmax

// Whether all labels are those of classes that exist. If not, the step stops.
template <class Label>
INLINE bool exist(const Label* t, const Size& size, const Call& k) {
  bool good = true;
  for (i64 i = 0; i < size.lines; i++) good &= t[i] >= 0 && t[i] < size.classes;
  if (!good) k.context.fault->store(1);
  return good;
}

// y = -log p[t]                             t z | y p ; lines, classes      p may be absent
template <class Label>
INLINE void sparse_cross_entropy(const Call& k, Share s) {
  const Size size(k, s);
  const Label* t = k.at<Label>(0, s.lo);
  const float* z = k.at(1, s.lo);
  float *y = k.at(2, s.lo), *p = k.at(3, s.lo);
  if (!exist(t, size, k)) return;
  over_lines(size.lines, size.classes, LINES {
    const float* from = z + line * size.classes;
    float* to = p ? p + line * size.classes : nullptr;
    const Vector most = lines.largest(from), shifted = lines.pick(from, t + line) - most;
    const Vector total = exponentials(lines, from, most, to);
    if (p) scale(lines, to, 1.0f / total);
    lines.put(y + line, log(total) - shifted);
  });
}
void sparse_softmax_cross_entropy_int32(const Call& k, Share s) {
  sparse_cross_entropy<std::int32_t>(k, s);
}
void sparse_softmax_cross_entropy_int64(const Call& k, Share s) {
  sparse_cross_entropy<std::int64_t>(k, s);
}
REGISTER(sparse_softmax_cross_entropy_int32, nullptr);
REGISTER(sparse_softmax_cross_entropy_int64, nullptr);

// dz = dy (p - t), t being 1 at the number of the class     dy t p | dz ; lines, classes
template <class Label>
INLINE void sparse_cross_entropy_grad(const Call& k, Share s) {
  const Size size(k, s);
  const float *dy = k.at(0, s.lo), *p = k.at(2, s.lo);
  const Label* t = k.at<Label>(1, s.lo);
  float* dz = k.at(3, s.lo);
  if (!exist(t, size, k)) return;
  over_lines(size.lines, size.classes, LINES {
    const i64 at = line * size.classes;
    const Vector factor = lines.get(dy + line);
    lines.each(VALUES { lanes.store(dz + at + j, lanes.load(p + at + j) * factor); });
    for (i64 i = 0; i < lines.count(); i++)
      dz[at + i * size.classes + t[line + i]] -= dy[line + i];
  });
}
void sparse_softmax_cross_entropy_grad_int32(const Call& k, Share s) {
  sparse_cross_entropy_grad<std::int32_t>(k, s);
}
void sparse_softmax_cross_entropy_grad_int64(const Call& k, Share s) {
  sparse_cross_entropy_grad<std::int64_t>(k, s);
}
REGISTER(sparse_softmax_cross_entropy_grad_int32, nullptr);
REGISTER(sparse_softmax_cross_entropy_grad_int64, nullptr);

// y = -sum of t log p                                       t z | y p ; lines, classes
void softmax_cross_entropy(const Call& k, Share s) {
  const Size size(k, s);
  const float *t = k.at(0, s.lo), *z = k.at(1, s.lo);
  float *y = k.at(2, s.lo), *p = k.at(3, s.lo);
  over_lines(size.lines, size.classes, LINES {
    const i64 at = line * size.classes;
    float* to = p ? p + at : nullptr;
    const Vector most = lines.largest(z + at);
    const Vector total = exponentials(lines, z + at, most, to), rest = log(total);
    lines.put(y + line, -lines.sum(VALUES {
      return lanes.load(t + at + j) * (lanes.load(z + at + j) - most - rest);
    }));
    if (p) scale(lines, to, 1.0f / total);
  });
}
REGISTER(softmax_cross_entropy, nullptr);

// dz = dy (p sum of t - t)                                  dy t p | dz ; lines, classes
void softmax_cross_entropy_grad(const Call& k, Share s) {
  const Size size(k, s);
  const float *dy = k.at(0, s.lo), *t = k.at(1, s.lo), *p = k.at(2, s.lo);
  float* dz = k.at(3, s.lo);
  over_lines(size.lines, size.classes, LINES {
    const i64 at = line * size.classes;
    const Vector total = lines.sum(VALUES { return lanes.load(t + at + j); });
    const Vector factor = lines.get(dy + line);
    lines.each(VALUES {
      lanes.store(dz + at + j, (lanes.load(p + at + j) * total - lanes.load(t + at + j)) * factor);
    });
  });
}
REGISTER(softmax_cross_entropy_grad, nullptr);

}  // namespace
}  // namespace deepneuron::DEEPNEURON_ISA
