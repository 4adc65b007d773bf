// Batch normalisation: every channel gets mean 0 and variance 1 over the batch.
//
//   y = gamma (x - mean) / sqrt(variance + epsilon) + beta
//
// Three kernels each way: sums over the rows of every shard, what follows from them, and
// the values themselves. A row of the batch is a picture of `pixels` with `channels` each.
//
// Sums of x and x^2 would cancel where the mean is large. So what is summed are deviations
// from a guess, the mean of the shard's first picture; as floats within a block of pixels,
// as doubles over the blocks. Blocks end with the picture: how many pictures a call gets
// changes nothing.
#include "../lanes.h"

namespace deepneuron::DEEPNEURON_ISA {
namespace {

constexpr i64 BLOCK = 64;  // pixels

typedef double Doubles __attribute__((vector_size(WIDTH * 8)));
typedef double LooseDoubles __attribute__((vector_size(WIDTH * 8), aligned(8), may_alias));

INLINE void add(double* sums, Vector v) {
  auto* loose = reinterpret_cast<LooseDoubles*>(sums);
  *loose = *loose + __builtin_convertvector(v, Doubles);
}

// Rows of sums are a multiple of the longest vector, so that these need no special end.
INLINE i64 padded(i64 channels) { return (channels + 15) / 16 * 16; }

// ones, twos += the sums of term(pixel), which is a pair, over all pixels
struct Pair {
  Vector one, two;
};
template <class Term>
INLINE void add_sums(i64 pixels, double* ones, double* twos, Term term) {
  for (i64 start = 0; start < pixels; start += BLOCK) {
    const i64 end = start + BLOCK < pixels ? start + BLOCK : pixels;
    // Four sums side by side, since an addition takes four cycles.
    Vector one[4]{}, two[4]{};
    i64 p = start;
    for (; p + 4 <= end; p += 4)
      UNROLL for (int u = 0; u < 4; u++) {
        const Pair t = term(p + u);
        one[u] += t.one, two[u] += t.two;
      }
    for (; p < end; p++) {
      const Pair t = term(p);
      one[0] += t.one, two[0] += t.two;
    }
    add(ones, (one[0] + one[1]) + (one[2] + one[3]));
    add(twos, (two[0] + two[1]) + (two[2] + two[3]));
  }
}

// sums, for each shard: of x - guess, of (x - guess)^2, and the guess
//                  x | sums (padded channels: double, double, float) ; pixels, channels
void batch_norm_sums(const Call& k, Share s) {
  const i64 pixels = k.ints[0], channels = k.ints[1];
  auto* totals = k.at<double>(1);
  double* squares = totals + padded(channels);
  auto* guess = reinterpret_cast<float*>(squares + padded(channels));
  if (k.context.fresh) {
    std::memset(totals, 0, 2 * padded(channels) * sizeof(double));
    const float* x = k.at(0, s.lo);
    in_vectors(channels, [&](i64 c, auto lanes) __attribute__((always_inline)) {
      Vector sum = zero();
      for (i64 p = 0; p < pixels; p++) sum += lanes.load(x + p * channels + c);
      lanes.store(guess + c, sum / static_cast<float>(pixels));
    });
  }
  for (i64 row = s.lo; row < s.hi; row++) {
    const float* x = k.at(0, row);
    in_vectors(channels, [&](i64 c, auto lanes) __attribute__((always_inline)) {
      const Vector center = lanes.load(guess + c);
      auto term = [&](i64 p) __attribute__((always_inline)) {
        const Vector d = lanes.load(x + p * channels + c) - center;
        return Pair{d, d * d};
      };
      add_sums(pixels, totals + c, squares + c, term);
    });
  }
}
REGISTER(batch_norm_sums, nullptr);

// mean, variance, and scale = gamma / sqrt(variance + epsilon)
//
// Shards are put together two by two, as Chan, Golub and LeVeque do (1979): means differ
// by d, so the squares around the common mean are both squares and d^2 n1 n2 / (n1 + n2).
//                  sums gamma | mean variance scale ; pixels, channels ; epsilon
void batch_norm_finish(const Call& k, Share) {
  const i64 pixels = k.ints[0], channels = k.ints[1];
  const float* gamma = k.at(1);
  float *mean = k.at(2), *variance = k.at(3), *scale = k.at(4);
  for (i64 c = 0; c < channels; c++) {
    double n = 0, center = 0, squares = 0;
    for (int q = 0; q < k.context.shard_count; q++) {
      const Range rows = cut(k.context.rows, q, k.context.shard_count);
      const double more = static_cast<double>((rows.hi - rows.lo) * pixels);
      if (more == 0) continue;
      const auto* sums = k.shard<double>(0, q);
      const auto* guess = reinterpret_cast<const float*>(sums + 2 * padded(channels));
      const double rest = sums[c] / more, its_center = guess[c] + rest;
      const double its_squares = sums[padded(channels) + c] - rest * sums[c];
      const double d = its_center - center, both = n + more;
      squares += its_squares + d * d * n * more / both;
      center += d * more / both;
      n = both;
    }
    const double spread = squares / n;
    mean[c] = static_cast<float>(center);
    variance[c] = static_cast<float>(spread < 0 ? 0 : spread);
    scale[c] = gamma[c] / __builtin_sqrtf(variance[c] + static_cast<float>(k.floats[0]));
  }
}
REGISTER(batch_norm_finish, nullptr);

// The last step, before any relu: also the gradient asks where it was positive.
INLINE Vector normalised(Vector deviation, Vector scale, Vector beta) {
  return deviation * scale + beta;
}

// Calls line(c, lanes)(at) for all values of a row, at = p * channels + c. A few pixels are
// taken at a time, so that what line(c, lanes) loads for its channels serves all of them, and
// memory is still read about as it lies.
template <class Line>
INLINE void each_value(i64 pixels, i64 channels, Line line) {
  const i64 together = channels <= WIDTH ? pixels : 8;
  for (i64 start = 0; start < pixels; start += together) {
    const i64 end = start + together < pixels ? start + together : pixels;
    in_vectors(channels, [&](i64 c, auto lanes) __attribute__((always_inline)) {
      const auto value = line(c, lanes);
      for (i64 p = start; p < end; p++) value(p * channels + c);
    });
  }
}

// y = (x - mean) scale + beta;  then y + residual;  then relu
//                  x mean scale beta residual | y ; pixels, channels, relu
void batch_norm_apply(const Call& k, Share s) {
  const i64 pixels = k.ints[0], channels = k.ints[1];
  const bool with_relu = k.ints[2];
  const float *means = k.at(1), *scales = k.at(2), *betas = k.at(3);
  for (i64 row = s.lo; row < s.hi; row++) {
    const float *x = k.at(0, row), *residual = k.at(4, row);
    float* y = k.at(5, row);
    each_value(pixels, channels, [&](i64 c, auto lanes) __attribute__((always_inline)) {
      const Vector mean = lanes.load(means + c), scale = lanes.load(scales + c);
      const Vector beta = lanes.load(betas + c);
      return [=](i64 at) __attribute__((always_inline)) {
        Vector v = normalised(lanes.load(x + at) - mean, scale, beta);
        if (residual) v += lanes.load(residual + at);
        lanes.store(y + at, with_relu ? relu(v) : v);
      };
    });
  }
}
REGISTER(batch_norm_apply, nullptr);

// --- the gradient, with dy = 0 first where a relu behind had cut y off

// Where a relu behind lets dy pass: its y is there, or follows from x as it did before (scale
// and beta are there). Or there is no relu.
struct Behind {
  const float *y, *scale, *beta;
};
INLINE Behind behind(const Call& k, i64 row) { return {k.at(1, row), k.at(4), k.at(5)}; }

template <class Lanes>
INLINE auto passing(const Behind& relu, i64 c, Lanes lanes) {
  const Vector scale = relu.scale ? lanes.load(relu.scale + c) : zero();
  const Vector beta = relu.scale ? lanes.load(relu.beta + c) : zero();
  return [=](Vector dy, Vector deviation, i64 at) __attribute__((always_inline)) {
    if (relu.y) return past_relu(dy, lanes.load(relu.y + at));
    return relu.scale ? past_relu(dy, normalised(deviation, scale, beta)) : dy;
  };
}

// sums, for each shard: of dy (x - mean), and of dy
//                  dy y x mean scale beta | sums (padded channels: double, double) ;
//                  pixels, channels
void batch_norm_grad_sums(const Call& k, Share s) {
  const i64 pixels = k.ints[0], channels = k.ints[1];
  const float* means = k.at(3);
  auto* products = k.at<double>(6);
  double* totals = products + padded(channels);
  if (k.context.fresh) std::memset(products, 0, 2 * padded(channels) * sizeof(double));
  for (i64 row = s.lo; row < s.hi; row++) {
    const float *dy = k.at(0, row), *x = k.at(2, row);
    const Behind relu = behind(k, row);
    in_vectors(channels, [&](i64 c, auto lanes) __attribute__((always_inline)) {
      const Vector mean = lanes.load(means + c);
      const auto pass = passing(relu, c, lanes);
      auto term = [&](i64 p) __attribute__((always_inline)) {
        const i64 at = p * channels + c;
        const Vector d = lanes.load(x + at) - mean, v = pass(lanes.load(dy + at), d, at);
        return Pair{v * d, v};
      };
      add_sums(pixels, products + c, totals + c, term);
    });
  }
}
REGISTER(batch_norm_grad_sums, nullptr);

// dgamma, dbeta, and what dx is made of: dx = scale dy - (x - mean) slope - shift
//                  sums gamma variance | dgamma dbeta factors (scale, slope, shift) ;
//                  pixels, channels ; epsilon
void batch_norm_grad_finish(const Call& k, Share) {
  const i64 pixels = k.ints[0], channels = k.ints[1];
  const float *gamma = k.at(1), *variance = k.at(2);
  float *dgamma = k.at(3), *dbeta = k.at(4);
  float *scale = k.at(5), *slope = scale + channels, *shift = slope + channels;
  const float m = static_cast<float>(k.context.rows * pixels);
  for (i64 c = 0; c < channels; c++) {
    double product = 0, total = 0;
    for (int q = 0; q < k.context.shard_count; q++) {
      product += k.shard<double>(0, q)[c];
      total += k.shard<double>(0, q)[padded(channels) + c];
    }
    const float r = 1 / __builtin_sqrtf(variance[c] + static_cast<float>(k.floats[0]));
    dgamma[c] = static_cast<float>(product * r);
    dbeta[c] = static_cast<float>(total);
    scale[c] = gamma[c] * r;
    slope[c] = scale[c] * r * dgamma[c] / m;
    shift[c] = scale[c] * dbeta[c] / m;
  }
}
REGISTER(batch_norm_grad_finish, nullptr);

// dx = scale dy - ((x - mean) slope + shift)
//                  dy y x mean scale beta factors | dx ; pixels, channels
void batch_norm_grad_apply(const Call& k, Share s) {
  const i64 pixels = k.ints[0], channels = k.ints[1];
  const float *means = k.at(3), *scales = k.at(6);
  const float *slopes = scales + channels, *shifts = slopes + channels;
  for (i64 row = s.lo; row < s.hi; row++) {
    const float *dy = k.at(0, row), *x = k.at(2, row);
    const Behind relu = behind(k, row);
    float* dx = k.at(7, row);
    each_value(pixels, channels, [&](i64 c, auto lanes) __attribute__((always_inline)) {
      const Vector mean = lanes.load(means + c), scale = lanes.load(scales + c);
      const Vector slope = lanes.load(slopes + c), shift = lanes.load(shifts + c);
      const auto pass = passing(relu, c, lanes);
      return [=](i64 at) __attribute__((always_inline)) {
        const Vector d = lanes.load(x + at) - mean, v = pass(lanes.load(dy + at), d, at);
        lanes.store(dx + at, v * scale - (d * slope + shift));
      };
    });
  }
}
REGISTER(batch_norm_grad_apply, nullptr);

}  // namespace
}  // namespace deepneuron::DEEPNEURON_ISA
