// Softmax along lines of `classes` values, and what is taken of it: logarithm, gradients,
// cross-entropies with labels and with shares.
//
//   p = e^z / sum of e^z      A row of the batch holds `lines` of them.
//
// The largest z is taken off first, so that no e^z can overflow.
#include "../lanes.h"
#include "../vector_math.h"

namespace deepneuron::DEEPNEURON_ISA {
namespace {

// The sum of term(j, lanes) over a line.
template <class Term>
INLINE float total_of(i64 classes, Term term) {
  Vector total = zero();
  in_vectors(classes, [&](i64 j, auto lanes) __attribute__((always_inline)) {
    total += lanes.only(term(j, lanes));
  });
  return sum(total);
}

INLINE float logarithm(float x) { return log(all(x))[0]; }

// y = e^(z - most); returns the sum of it
INLINE float exponentials(const float* z, float most, float* y, i64 classes) {
  return total_of(classes, [&](i64 j, auto lanes) __attribute__((always_inline)) {
    const Vector e = exp(lanes.load(z + j) - most);
    lanes.store(y + j, e);
    return e;
  });
}

// y *= factor
INLINE void scale(float* y, float factor, i64 classes) {
  in_vectors(classes, [&](i64 j, auto lanes) __attribute__((always_inline)) {
    lanes.store(y + j, lanes.load(y + j) * factor);
  });
}

// y = softmax(x)                                            x | y ; lines, classes
void softmax(const Call& k, Share s) {
  const i64 lines = k.ints[0], classes = k.ints[1];
  for (i64 row = s.lo; row < s.hi; row++) {
    const float* x = k.at(0, row);
    float* y = k.at(1, row);
    for (i64 line = 0; line < lines; line++, x += classes, y += classes) {
      const float total = exponentials(x, largest_of(x, classes), y, classes);
      scale(y, 1 / total, classes);
    }
  }
}
REGISTER(softmax, nullptr);

// dx = y (dy - sum of y dy)                                 dy y | dx ; lines, classes
void softmax_grad(const Call& k, Share s) {
  const i64 lines = k.ints[0], classes = k.ints[1];
  for (i64 row = s.lo; row < s.hi; row++) {
    const float *dy = k.at(0, row), *y = k.at(1, row);
    float* dx = k.at(2, row);
    for (i64 line = 0; line < lines; line++, dy += classes, y += classes, dx += classes) {
      const float mean = total_of(classes, [&](i64 j, auto lanes) __attribute__((always_inline)) {
        return lanes.load(y + j) * lanes.load(dy + j);
      });
      in_vectors(classes, [&](i64 j, auto lanes) __attribute__((always_inline)) {
        lanes.store(dx + j, (lanes.load(dy + j) - mean) * lanes.load(y + j));
      });
    }
  }
}
REGISTER(softmax_grad, nullptr);

// y = x - log(sum of e^x)                                   x | y ; lines, classes
void log_softmax(const Call& k, Share s) {
  const i64 lines = k.ints[0], classes = k.ints[1];
  for (i64 row = s.lo; row < s.hi; row++) {
    const float* x = k.at(0, row);
    float* y = k.at(1, row);
    for (i64 line = 0; line < lines; line++, x += classes, y += classes) {
      const float most = largest_of(x, classes);
      const float rest = logarithm(
          total_of(classes, [&](i64 j, auto lanes) __attribute__((always_inline)) {
            return exp(lanes.load(x + j) - most);
          }));
      in_vectors(classes, [&](i64 j, auto lanes) __attribute__((always_inline)) {
        lanes.store(y + j, lanes.load(x + j) - most - rest);
      });
    }
  }
}
REGISTER(log_softmax, nullptr);

// dx = dy - e^y sum of dy                                   dy y | dx ; lines, classes
void log_softmax_grad(const Call& k, Share s) {
  const i64 lines = k.ints[0], classes = k.ints[1];
  for (i64 row = s.lo; row < s.hi; row++) {
    const float *dy = k.at(0, row), *y = k.at(1, row);
    float* dx = k.at(2, row);
    for (i64 line = 0; line < lines; line++, dy += classes, y += classes, dx += classes) {
      const float total = total_of(classes, [&](i64 j, auto lanes) __attribute__((always_inline)) {
        return lanes.load(dy + j);
      });
      in_vectors(classes, [&](i64 j, auto lanes) __attribute__((always_inline)) {
        lanes.store(dx + j, lanes.load(dy + j) - exp(lanes.load(y + j)) * total);
      });
    }
  }
}
REGISTER(log_softmax_grad, nullptr);

// --- cross-entropies of a softmax

// y = -log p[t]. A class that does not exist stops the step.
//                  t z | y p ; lines, classes                    p may be absent
template <class Label>
INLINE void sparse_cross_entropy(const Call& k, Share s) {
  const i64 lines = k.ints[0], classes = k.ints[1];
  auto* room = reinterpret_cast<float*>(k.context.scratch);
  for (i64 row = s.lo; row < s.hi; row++) {
    const Label* t = k.at<Label>(0, row);
    const float* z = k.at(1, row);
    float *y = k.at(2, row), *p = k.at(3, row);
    for (i64 line = 0; line < lines; line++, z += classes) {
      const i64 label = t[line];
      if (label < 0 || label >= classes) {
        k.context.fault->store(1);
        return;
      }
      // z[label] is read before p is written: they may share memory.
      const float most = largest_of(z, classes), shifted = z[label] - most;
      float* e = p ? p + line * classes : room;
      const float total = exponentials(z, most, e, classes);
      if (p) scale(e, 1 / total, classes);
      y[line] = logarithm(total) - shifted;
    }
  }
}
void sparse_softmax_cross_entropy_int32(const Call& k, Share s) {
  sparse_cross_entropy<std::int32_t>(k, s);
}
void sparse_softmax_cross_entropy_int64(const Call& k, Share s) {
  sparse_cross_entropy<std::int64_t>(k, s);
}
i64 bytes_of_line(const i64* ints) { return ints[1] * static_cast<i64>(sizeof(float)); }
REGISTER(sparse_softmax_cross_entropy_int32, bytes_of_line);
REGISTER(sparse_softmax_cross_entropy_int64, bytes_of_line);

// dz = dy (p - t), t being 1 at the number of the class     dy t p | dz ; lines, classes
template <class Label>
INLINE void sparse_cross_entropy_grad(const Call& k, Share s) {
  const i64 lines = k.ints[0], classes = k.ints[1];
  for (i64 row = s.lo; row < s.hi; row++) {
    const float *dy = k.at(0, row), *p = k.at(2, row);
    const Label* t = k.at<Label>(1, row);
    float* dz = k.at(3, row);
    for (i64 line = 0; line < lines; line++, p += classes, dz += classes) {
      const i64 label = t[line];
      if (label < 0 || label >= classes) {
        k.context.fault->store(1);
        return;
      }
      const float factor = dy[line];
      in_vectors(classes, [&](i64 j, auto lanes) __attribute__((always_inline)) {
        lanes.store(dz + j, lanes.load(p + j) * factor);
      });
      dz[label] -= factor;
    }
  }
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
  const i64 lines = k.ints[0], classes = k.ints[1];
  auto* room = reinterpret_cast<float*>(k.context.scratch);
  for (i64 row = s.lo; row < s.hi; row++) {
    const float *t = k.at(0, row), *z = k.at(1, row);
    float *y = k.at(2, row), *p = k.at(3, row);
    for (i64 line = 0; line < lines; line++, t += classes, z += classes) {
      const float most = largest_of(z, classes);
      float* e = p ? p + line * classes : room;
      const float total = exponentials(z, most, e, classes), rest = logarithm(total);
      y[line] = -total_of(classes, [&](i64 j, auto lanes) __attribute__((always_inline)) {
        return lanes.load(t + j) * (lanes.load(z + j) - most - rest);
      });
      if (p) scale(e, 1 / total, classes);
    }
  }
}
REGISTER(softmax_cross_entropy, bytes_of_line);

// dz = dy (p sum of t - t)                                  dy t p | dz ; lines, classes
void softmax_cross_entropy_grad(const Call& k, Share s) {
  const i64 lines = k.ints[0], classes = k.ints[1];
  for (i64 row = s.lo; row < s.hi; row++) {
    const float *dy = k.at(0, row), *t = k.at(1, row), *p = k.at(2, row);
    float* dz = k.at(3, row);
    for (i64 line = 0; line < lines; line++, t += classes, p += classes, dz += classes) {
      const float total = total_of(classes, [&](i64 j, auto lanes) __attribute__((always_inline)) {
        return lanes.load(t + j);
      });
      in_vectors(classes, [&](i64 j, auto lanes) __attribute__((always_inline)) {
        lanes.store(dz + j, (lanes.load(p + j) * total - lanes.load(t + j)) * dy[line]);
      });
    }
  }
}
REGISTER(softmax_cross_entropy_grad, nullptr);

}  // namespace
}  // namespace deepneuron::DEEPNEURON_ISA
