// What stands between classes and their numbers: the value of a class, the number of the
// largest value, how many numbers agree; and yes or no.
#include "../lanes.h"
#include "../vector_math.h"

namespace deepneuron::DEEPNEURON_ISA {
namespace {

// y = x[t]. A class that does not exist stops the step.     t x | y ; lines, classes
template <class Label>
INLINE void pick(const Call& k, Share s) {
  const i64 lines = k.ints[0], classes = k.ints[1];
  for (i64 row = s.lo; row < s.hi; row++) {
    const Label* t = k.at<Label>(0, row);
    const float* x = k.at(1, row);
    float* y = k.at(2, row);
    for (i64 line = 0; line < lines; line++) {
      const i64 label = t[line];
      if (label < 0 || label >= classes) {
        k.context.fault->store(1);
        return;
      }
      y[line] = x[line * classes + label];
    }
  }
}
void pick_int32(const Call& k, Share s) { pick<std::int32_t>(k, s); }
void pick_int64(const Call& k, Share s) { pick<std::int64_t>(k, s); }
REGISTER(pick_int32, nullptr);
REGISTER(pick_int64, nullptr);

// dx = dy at the true class, 0 elsewhere                    dy t | dx ; lines, classes
template <class Label>
INLINE void pick_grad(const Call& k, Share s) {
  const i64 lines = k.ints[0], classes = k.ints[1];
  for (i64 row = s.lo; row < s.hi; row++) {
    const float* dy = k.at(0, row);
    const Label* t = k.at<Label>(1, row);
    float* dx = k.at(2, row);
    std::memset(dx, 0, lines * classes * sizeof(float));
    for (i64 line = 0; line < lines; line++) {
      const i64 label = t[line];
      if (label < 0 || label >= classes) {
        k.context.fault->store(1);
        return;
      }
      dx[line * classes + label] = dy[line];
    }
  }
}
void pick_grad_int32(const Call& k, Share s) { pick_grad<std::int32_t>(k, s); }
void pick_grad_int64(const Call& k, Share s) { pick_grad<std::int64_t>(k, s); }
REGISTER(pick_grad_int32, nullptr);
REGISTER(pick_grad_int64, nullptr);

// y = the first position of the largest x; of the first NaN, if there is one. As whole
// numbers of 4 or 8 bytes, or as floats (they are compared with labels of that type).
//                                                           x | y ; lines, classes
template <class Number>
INLINE void argmax(const Call& k, Share s) {
  const i64 lines = k.ints[0], classes = k.ints[1];
  for (i64 row = s.lo; row < s.hi; row++) {
    const float* x = k.at(0, row);
    Number* y = k.at<Number>(1, row);
    for (i64 line = 0; line < lines; line++, x += classes) {
      const float best = largest_of(x, classes);
      i64 place = 0;  // whole vectors without it are passed over
      for (; place + WIDTH < classes; place += WIDTH) {
        const Vector v = load(x + place);
        if (any((v == all(best)) | (v != v))) break;
      }
      while (place < classes - 1 && x[place] != best && x[place] == x[place]) place++;
      y[line] = static_cast<Number>(place);
    }
  }
}
void argmax_int32(const Call& k, Share s) { argmax<std::int32_t>(k, s); }
void argmax_int64(const Call& k, Share s) { argmax<std::int64_t>(k, s); }
void argmax_float32(const Call& k, Share s) { argmax<float>(k, s); }
REGISTER(argmax_int32, nullptr);
REGISTER(argmax_int64, nullptr);
REGISTER(argmax_float32, nullptr);

// sum = how often a equals b, in this shard                 a b | sum ; values of a row
template <class Number>
INLINE void count_equal(const Call& k, Share s) {
  float* sum = k.at(2);
  i64 count = 0;
  for (i64 row = s.lo; row < s.hi; row++) {
    const Number *a = k.at<Number>(0, row), *b = k.at<Number>(1, row);
    for (i64 i = 0; i < k.ints[0]; i++) count += a[i] == b[i];
  }
  *sum = (k.context.fresh ? 0 : *sum) + static_cast<float>(count);
}
void count_equal_int32(const Call& k, Share s) { count_equal<std::int32_t>(k, s); }
void count_equal_int64(const Call& k, Share s) { count_equal<std::int64_t>(k, s); }
void count_equal_float32(const Call& k, Share s) { count_equal<float>(k, s); }
REGISTER(count_equal_int32, nullptr);
REGISTER(count_equal_int64, nullptr);
REGISTER(count_equal_float32, nullptr);

// --- yes or no:  y = -(t log p + (1 - t) log(1 - p)),  p = sigmoid(z)

// y = max(z, 0) - z t + log(1 + e^-|z|)                     t z | y ; values of a row
void sigmoid_cross_entropy(const Call& k, Share s) {
  const float *t = k.at(0, s.lo), *z = k.at(1, s.lo);
  float* y = k.at(2, s.lo);
  in_vectors((s.hi - s.lo) * k.ints[0], [&](i64 j, auto lanes) __attribute__((always_inline)) {
    const Vector v = lanes.load(z + j);
    const Vector certain = maximum(v, zero()) - v * lanes.load(t + j);
    lanes.store(y + j, certain + log1p(exp(-absolute(v))));
  });
}
REGISTER(sigmoid_cross_entropy, nullptr);

// dz = dy (sigmoid(z) - t)                                  dy t z | dz ; values of a row
void sigmoid_cross_entropy_grad(const Call& k, Share s) {
  const float *dy = k.at(0, s.lo), *t = k.at(1, s.lo), *z = k.at(2, s.lo);
  float* dz = k.at(3, s.lo);
  in_vectors((s.hi - s.lo) * k.ints[0], [&](i64 j, auto lanes) __attribute__((always_inline)) {
    const Vector p = sigmoid(lanes.load(z + j));
    lanes.store(dz + j, lanes.load(dy + j) * (p - lanes.load(t + j)));
  });
}
REGISTER(sigmoid_cross_entropy_grad, nullptr);

}  // namespace
}  // namespace deepneuron::DEEPNEURON_ISA
