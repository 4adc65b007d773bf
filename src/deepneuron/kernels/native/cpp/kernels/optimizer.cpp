// The updates of optimizers: each reads every number from memory once, and writes it once.
//
//   w  the variable      g  its gradient      m, v, ...  what the optimizer remembers
//
// The operands of all of them are alike: w, g, the slots, then numbers that all variables
// share, x, d; then the outputs w' and the new slots, which may lie where the old ones lay,
// sum. The first int is how many values there are; `floats` begin with the weight decay.
//
// Where g is absent, it is the product x^T d over the batch, and `sum` the sum of d, as
// gemm_over_batch has them (ints: m, n, rows). It is used as it comes out of the product.
#include "../gemm_strips.h"
#include "../vector_math.h"

namespace deepneuron::DEEPNEURON_ISA {
namespace {

// rule(w, g, slots) changes w and the slots, a vector of each at a time.
template <int ARRAYS, class Rule>
struct Update {
  const float* from[ARRAYS];  // w, slots
  float* to[ARRAYS];          // w', slots'
  Rule rule;

  // The values `at`.. by their gradients g: a vector, or some fewer.
  INLINE void one(i64 at, const float* g) const {
    Vector v[ARRAYS + 1];
    UNROLL for (int j = 0; j < ARRAYS; j++) v[j] = load(from[j] + at);
    rule(v[0], load(g), v + 1);
    UNROLL for (int j = 0; j < ARRAYS; j++) store(to[j] + at, v[j]);
  }
  __attribute__((noinline)) void some(i64 at, const float* g, i64 n) const {
    Vector v[ARRAYS + 1];
    UNROLL for (int j = 0; j < ARRAYS; j++) v[j] = load_some(from[j] + at, n);
    rule(v[0], load_some(g, n), v + 1);
    UNROLL for (int j = 0; j < ARRAYS; j++) store_some(to[j] + at, v[j], n);
  }
};

template <int SLOTS, int NUMBERS, class Rule>
INLINE void update(const Call& k, Share s, Rule rule) {
  constexpr int X = SLOTS + 2 + NUMBERS, Y = X + 2;  // the first of these operands
  Update<SLOTS + 1, Rule> step{{}, {}, rule};
  for (int j = 0; j < SLOTS + 1; j++) {
    step.from[j] = k.at(j ? j + 1 : 0);
    step.to[j] = k.at(Y + j);
  }
  if (const float* g = k.at(1)) {
    const Range part = cut(k.ints[0], s.part, s.parts, 4 * WIDTH);
    i64 i = part.lo;
    for (; i + WIDTH <= part.hi; i += WIDTH) step.one(i, g + i);
    if (i < part.hi) step.some(i, g + i, part.hi - i);
    return;
  }
  const i64 m = k.ints[1], n = k.ints[2], rows = k.ints[3];
  Product p{m, n, k.context.rows * rows, k.at(X), m, true, k.at(X + 1), n, false, nullptr, n};
  p.sum = k.at(Y + SLOTS + 1);
  multiply_strips(p, s.part, s.parts, reinterpret_cast<float*>(k.context.scratch), step);
}

i64 update_bytes(const i64* ints) { return ints[3] ? strips_scratch() : 0; }

// What the numbers behind `arrays` arrays are, and the share of w that decays.
struct Numbers {
  const Call& k;
  int arrays;
  INLINE float operator[](int i) const { return *k.at(arrays + i); }
  INLINE float decay() const { return (*this)[0] * static_cast<float>(k.floats[0]); }
};

INLINE Vector follow(Vector x, Vector target, float share) { return x + (target - x) * share; }
INLINE Vector average(Vector x, Vector target, float rho, float rest) {
  return x * rho + target * rest;
}
INLINE float given(const Call& k, int i) { return static_cast<float>(k.floats[i]); }

// Where nothing decays, w stays as it is, even if it is infinite.
INLINE Vector decayed(Vector w, float decay) { return decay ? w - w * decay : w; }

// w' = w - decay w - rate g                                 w g rate | w' ; n ; weight decay
void sgd_update(const Call& k, Share s) {
  const Numbers number{k, 2};
  const float rate = number[0], decay = number.decay();
  update<0, 1>(k, s, [=](Vector& w, Vector g, Vector*) { w = decayed(w, decay) - g * rate; });
}
REGISTER(sgd_update, update_bytes);

// m' = momentum m - rate g, w' = w - decay w + m' (or Nesterov's)
//                              w g m rate | w' m' ; n ; weight decay, momentum, nesterov
void momentum_update(const Call& k, Share s) {
  const Numbers number{k, 3};
  const float rate = number[0], decay = number.decay(), momentum = given(k, 1);
  if (k.floats[2] == 0)
    return update<1, 1>(k, s, [=](Vector& w, Vector g, Vector* m) {
      m[0] = m[0] * momentum - g * rate;
      w = decayed(w, decay) + m[0];
    });
  update<1, 1>(k, s, [=](Vector& w, Vector g, Vector* m) {
    const Vector step = g * rate;
    m[0] = m[0] * momentum - step;
    w = decayed(w, decay) + (m[0] * momentum - step);
  });
}
REGISTER(momentum_update, update_bytes);

// v' = v + g^2, w' = w - decay w - rate g / sqrt(v' + epsilon)
//                              w g v rate | w' v' ; n ; weight decay, epsilon
void adagrad_update(const Call& k, Share s) {
  const Numbers number{k, 3};
  const float rate = number[0], decay = number.decay(), epsilon = given(k, 1);
  update<1, 1>(k, s, [=](Vector& w, Vector g, Vector* v) {
    v[0] = v[0] + g * g;
    w = decayed(w, decay) - g * rate / square_root(v[0] + epsilon);
  });
}
REGISTER(adagrad_update, update_bytes);

// v' = rho v + (1 - rho) g^2, s = g sqrt(d + epsilon) / sqrt(v' + epsilon),
// d' = rho d + (1 - rho) s^2, w' = w - decay w - rate s
//                              w g v d rate | w' v' d' ; n ; weight decay, epsilon, rho
void adadelta_update(const Call& k, Share s) {
  const Numbers number{k, 4};
  const float rate = number[0], decay = number.decay(), epsilon = given(k, 1);
  const float rho = given(k, 2), rest = static_cast<float>(1 - k.floats[2]);
  update<2, 1>(k, s, [=](Vector& w, Vector g, Vector* v) {
    v[0] = average(v[0], g * g, rho, rest);
    const Vector step = g * square_root(v[1] + epsilon) / square_root(v[0] + epsilon);
    v[1] = average(v[1], step * step, rho, rest);
    w = decayed(w, decay) - step * rate;
  });
}
REGISTER(adadelta_update, update_bytes);

// rmsprop, plain or centered, with or without momentum: slots v, then c, then m
template <bool CENTERED, bool MOMENTUM>
INLINE void rmsprop(const Call& k, Share s) {
  constexpr int SLOTS = 1 + CENTERED + MOMENTUM;
  const Numbers number{k, 2 + SLOTS};
  const float rate = number[0], decay = number.decay(), epsilon = given(k, 1);
  const float rho = given(k, 2), rest = static_cast<float>(1 - k.floats[2]);
  const float momentum = MOMENTUM ? given(k, 3) : 0;
  update<SLOTS, 1>(k, s, [=](Vector& w, Vector g, Vector* v) {
    v[0] = average(v[0], g * g, rho, rest);
    Vector variance = v[0];
    if constexpr (CENTERED) {
      v[1] = average(v[1], g, rho, rest);
      variance = variance - v[1] * v[1];
    }
    Vector step = g * rate / square_root(variance + epsilon);
    if constexpr (MOMENTUM) step = v[SLOTS - 1] = v[SLOTS - 1] * momentum + step;
    w = decayed(w, decay) - step;
  });
}

// v' = rho v + (1 - rho) g^2, w' = w - decay w - rate g / sqrt(v' + epsilon)
//                              w g v rate | w' v' ; n ; weight decay, epsilon, rho
void rmsprop_update(const Call& k, Share s) { rmsprop<false, false>(k, s); }
REGISTER(rmsprop_update, update_bytes);

// the same, m' = momentum m + the step, w' = w - decay w - m'
//                              w g v m rate | w' v' m' ; n ; weight decay, epsilon, rho, momentum
void rmsprop_momentum_update(const Call& k, Share s) { rmsprop<false, true>(k, s); }
REGISTER(rmsprop_momentum_update, update_bytes);

// c' = rho c + (1 - rho) g, and v' - c'^2 in the place of v'
//                              w g v c rate | w' v' c' ; n ; weight decay, epsilon, rho
void centered_rmsprop_update(const Call& k, Share s) { rmsprop<true, false>(k, s); }
REGISTER(centered_rmsprop_update, update_bytes);

// both                         w g v c m rate | w' v' c' m' ; n ; weight decay, epsilon, rho,
//                                                                 momentum
void centered_rmsprop_momentum_update(const Call& k, Share s) { rmsprop<true, true>(k, s); }
REGISTER(centered_rmsprop_momentum_update, update_bytes);

// step = rate sqrt(1 - beta_2^t) / (1 - beta_1^t)          t - 1, rate | step ; iterations of
//                                                          64 bits? ; beta_1, beta_2
void adam_step_size(const Call& k, Share) {
  const i64 before = k.ints[0] ? *k.at<i64>(0) : *k.at<std::int32_t>(0);
  const float t = static_cast<float>(before + 1);
  const float left_1 = 1 - __builtin_powf(given(k, 0), t), left_2 = 1 - __builtin_powf(given(k, 1), t);
  *k.at(2) = *k.at(1) * __builtin_sqrtf(left_2) / left_1;
}
REGISTER(adam_step_size, nullptr);

// m' = m + (1 - beta_1) (g - m), v' = v + (1 - beta_2) (g^2 - v),
// w' = w - decay w - step m' / (sqrt(v') + epsilon)
//                              w g m v rate step | w' m' v' ; n ; weight decay, epsilon,
//                                                                 beta_1, beta_2
void adam_update(const Call& k, Share s) {
  const Numbers number{k, 4};
  const float decay = number.decay(), size = number[1], epsilon = given(k, 1);
  const float share_1 = static_cast<float>(1 - k.floats[2]);
  const float share_2 = static_cast<float>(1 - k.floats[3]);
  update<2, 2>(k, s, [=](Vector& w, Vector g, Vector* m) {
    m[0] = follow(m[0], g, share_1);
    m[1] = follow(m[1], g * g, share_2);
    w = decayed(w, decay) - m[0] * size / (square_root(m[1]) + epsilon);
  });
}
REGISTER(adam_update, update_bytes);

// the same, with u' = max(u, v') in the place of v'
//                              w g m v u rate step | w' m' v' u' ; n ; as Adam
void amsgrad_update(const Call& k, Share s) {
  const Numbers number{k, 5};
  const float decay = number.decay(), size = number[1], epsilon = given(k, 1);
  const float share_1 = static_cast<float>(1 - k.floats[2]);
  const float share_2 = static_cast<float>(1 - k.floats[3]);
  update<3, 2>(k, s, [=](Vector& w, Vector g, Vector* m) {
    m[0] = follow(m[0], g, share_1);
    m[1] = follow(m[1], g * g, share_2);
    m[2] = maximum(m[2], m[1]);
    w = decayed(w, decay) - m[0] * size / (square_root(m[2]) + epsilon);
  });
}
REGISTER(amsgrad_update, update_bytes);

// m' as Adam, u' = max(beta_2 u, |g|), w' = w - decay w - step m' / (u' + epsilon)
//                              w g m u rate step | w' m' u' ; n ; as Adam
void adamax_update(const Call& k, Share s) {
  const Numbers number{k, 4};
  const float decay = number.decay(), size = number[1], epsilon = given(k, 1);
  const float share = static_cast<float>(1 - k.floats[2]), beta_2 = given(k, 3);
  update<2, 2>(k, s, [=](Vector& w, Vector g, Vector* m) {
    m[0] = follow(m[0], g, share);
    m[1] = maximum(m[1] * beta_2, absolute(g));
    w = decayed(w, decay) - m[0] * size / (m[1] + epsilon);
  });
}
REGISTER(adamax_update, update_bytes);

// m', v' as Adam, w' = w - decay w - rate (a m' + b g) / (sqrt(v' / c) + epsilon)
//                              w g m v rate a b c | w' m' v' ; n ; as Adam
void nadam_update(const Call& k, Share s) {
  const Numbers number{k, 4};
  const float rate = number[0], decay = number.decay(), epsilon = given(k, 1);
  const float a = number[1], b = number[2], c = number[3];
  const float share_1 = 1 - given(k, 2), share_2 = 1 - given(k, 3);  // as Keras rounds them
  update<2, 4>(k, s, [=](Vector& w, Vector g, Vector* m) {
    m[0] = follow(m[0], g, share_1);
    m[1] = follow(m[1], g * g, share_2);
    const Vector step = (m[0] * a + g * b) * rate;
    w = decayed(w, decay) - step / (square_root(m[1] / c) + epsilon);
  });
}
REGISTER(nadam_update, update_bytes);

// w' = w - decay w - rate sign(beta_1 m + (1 - beta_1) g), m' = beta_2 m + (1 - beta_2) g
//                              w g m rate | w' m' ; n ; weight decay, beta_1, beta_2
void lion_update(const Call& k, Share s) {
  const Numbers number{k, 3};
  const float rate = number[0], decay = number.decay();
  const float beta_1 = given(k, 1), beta_2 = given(k, 2);
  const float rest_1 = 1 - beta_1, rest_2 = 1 - beta_2;  // as Keras rounds them
  update<1, 1>(k, s, [=](Vector& w, Vector g, Vector* m) {
    const Vector way = average(m[0], g, beta_1, rest_1);
    const Vector sign = where(way > zero(), all(1), where(way < zero(), all(-1), way));
    m[0] = average(m[0], g, beta_2, rest_2);
    w = decayed(w, decay) - sign * rate;
  });
}
REGISTER(lion_update, update_bytes);

}  // namespace
}  // namespace deepneuron::DEEPNEURON_ISA
