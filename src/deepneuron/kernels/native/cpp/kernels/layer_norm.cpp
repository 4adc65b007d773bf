// Layer normalisation: every line of features gets mean 0 and variance 1.
//
//   y = gamma (x - mean) / sqrt(variance + epsilon) + beta
//
// A row of the batch holds `lines` of them, one after another.
#include "../lanes.h"

namespace deepneuron::DEEPNEURON_ISA {
namespace {

// The sum of term(j) over all features; `term` gets the first feature and the lanes.
template <class Term>
INLINE float sum_of(i64 features, Term term) {
  Vector total[4]{};  // four sums side by side, since an addition takes four cycles
  i64 j = 0;
  for (; j + 4 * WIDTH <= features; j += 4 * WIDTH)
    UNROLL for (int u = 0; u < 4; u++) total[u] += term(j + u * WIDTH, Whole{});
  for (; j + WIDTH <= features; j += WIDTH) total[0] += term(j, Whole{});
  if (j < features) {
    const Some rest{features - j};
    total[1] += rest.only(term(j, rest));
  }
  return sum((total[0] + total[1]) + (total[2] + total[3]));
}

//                  x gamma beta | y mean variance ; lines, features ; epsilon
void layer_norm(const Call& k, Share s) {
  const i64 lines = k.ints[0], features = k.ints[1];
  const float n = static_cast<float>(features), epsilon = static_cast<float>(k.floats[0]);
  const float *gamma = k.at(1), *beta = k.at(2);
  for (i64 row = s.lo; row < s.hi; row++) {
    const float* x = k.at(0, row);
    float *y = k.at(3, row), *means = k.at(4, row), *variances = k.at(5, row);
    for (i64 line = 0; line < lines; line++, x += features, y += features) {
      const float mean = sum_of(features, [&](i64 j, auto lanes) __attribute__((always_inline)) {
        return lanes.load(x + j);
      }) / n;
      const float variance = sum_of(features, [&](i64 j, auto lanes) __attribute__((always_inline)) {
        const Vector d = lanes.load(x + j) - mean;
        return d * d;
      }) / n;
      const float r = 1 / __builtin_sqrtf(variance + epsilon);
      in_vectors(features, [&](i64 j, auto lanes) __attribute__((always_inline)) {
        const Vector xhat = (lanes.load(x + j) - mean) * r;
        lanes.store(y + j, xhat * lanes.load(gamma + j) + lanes.load(beta + j));
      });
      if (means) means[line] = mean;
      if (variances) variances[line] = variance;
    }
  }
}
REGISTER(layer_norm, nullptr);

// dx = (dxhat - mean of dxhat - xhat mean of dxhat xhat) / sqrt(variance + epsilon),
// dxhat = gamma dy,  sums of dy xhat (for gamma) and of dy (for beta), to begin with over
// the lines of one row: sums of sums are more precise than long sums
//                  dy x gamma mean variance | dx sums ; lines, features ; epsilon
void layer_norm_grad(const Call& k, Share s) {
  const i64 lines = k.ints[0], features = k.ints[1];
  const float n = static_cast<float>(features), epsilon = static_cast<float>(k.floats[0]);
  const float* gamma = k.at(2);
  float* sums = k.at(6);
  auto* of_row = reinterpret_cast<float*>(k.context.scratch);
  if (k.context.fresh) std::memset(sums, 0, 2 * features * sizeof(float));
  for (i64 row = s.lo; row < s.hi; row++) {
    const float *dy = k.at(0, row), *x = k.at(1, row);
    const float *means = k.at(3, row), *variances = k.at(4, row);
    float* dx = k.at(5, row);
    std::memset(of_row, 0, 2 * features * sizeof(float));
    for (i64 line = 0; line < lines; line++, dy += features, x += features, dx += features) {
      const float mean = means[line], r = 1 / __builtin_sqrtf(variances[line] + epsilon);
      const float level = sum_of(features, [&](i64 j, auto lanes) __attribute__((always_inline)) {
        return lanes.load(dy + j) * lanes.load(gamma + j);
      }) / n;
      const float slope = sum_of(features, [&](i64 j, auto lanes) __attribute__((always_inline)) {
        const Vector xhat = (lanes.load(x + j) - mean) * r;
        return lanes.load(dy + j) * lanes.load(gamma + j) * xhat;
      }) / n;
      in_vectors(features, [&](i64 j, auto lanes) __attribute__((always_inline)) {
        const Vector xhat = (lanes.load(x + j) - mean) * r, v = lanes.load(dy + j);
        lanes.store(dx + j, (v * lanes.load(gamma + j) - (xhat * slope + level)) * r);
        float *products = of_row + j, *totals = products + features;
        lanes.store(products, lanes.load(products) + v * xhat);
        lanes.store(totals, lanes.load(totals) + v);
      });
    }
    in_vectors(2 * features, [&](i64 j, auto lanes) __attribute__((always_inline)) {
      lanes.store(sums + j, lanes.load(sums + j) + lanes.load(of_row + j));
    });
  }
}
i64 bytes_of_sums(const i64* ints) { return 2 * ints[1] * static_cast<i64>(sizeof(float)); }
REGISTER(layer_norm_grad, bytes_of_sums);

// y1, y2 = both halves of what the shards summed, in their order        sums | y1 y2 ; n
void sum_shards_of_two(const Call& k, Share s) {
  const i64 n = k.ints[0];
  const Range part = cut(2 * n, s.part, s.parts, WIDTH);
  float *one = k.at(1), *two = k.at(2);
  for (i64 i = part.lo; i < part.hi; i++) {
    float total = k.shard(0, 0)[i];
    for (int q = 1; q < k.context.shard_count; q++) total += k.shard(0, q)[i];
    (i < n ? one[i] : two[i - n]) = total;
  }
}
REGISTER(sum_shards_of_two, nullptr);

}  // namespace
}  // namespace deepneuron::DEEPNEURON_ISA
