// The functions of mathematics on vectors of floats: WIDTH values for the price of one.
//
//   exp expm1 log log1p    tanh sigmoid softplus    erf erfc    square_root absolute
//
// All work alike. The argument is reduced to a short interval, by what is known of the
// function (e^x = 2^n e^r); there a polynomial replaces it, the one whose largest relative
// error is the least possible (fitted by Lawson's iteration; errors of 1e-8 and below).
// Results are within 2 units of the last place (erfc: within 4e-6 of itself), and NaN,
// infinities, overflow, numbers too small to be normal, and zeros come out as in NumPy.
#pragma once
#include "simd.h"

namespace deepneuron::DEEPNEURON_ISA {

INLINE Mask bits_of(Vector x) { return reinterpret_cast<Mask>(x); }
INLINE Vector from_bits(Mask bits) { return reinterpret_cast<Vector>(bits); }

INLINE Vector absolute(Vector x) { return from_bits(bits_of(x) & 0x7fffffff); }

// The size of the one, with the sign of the other.
INLINE Vector with_sign(Vector size, Vector sign) {
  return from_bits((bits_of(size) & 0x7fffffff) | (bits_of(sign) & ~0x7fffffff));
}

INLINE Vector square_root(Vector x) {
  Vector y;
  UNROLL for (int i = 0; i < WIDTH; i++) y[i] = __builtin_sqrtf(x[i]);
  return y;
}

// c0 + c1 x + c2 x^2 + ...
INLINE Vector polynomial(Vector, float c0) { return all(c0); }
template <class... C>
INLINE Vector polynomial(Vector x, float c0, C... rest) {
  return polynomial(x, rest...) * x + c0;
}

// --- exponentials

// x = n log 2 + r,  |r| <= log(2) / 2
struct Reduced {
  Vector r, n;
  Mask whole;  // n once more, as whole numbers
};
INLINE Reduced reduce(Vector x) {
  // Of numbers as large as 1.5 * 2^23 the last place is 1: adding it rounds to a whole
  // number, which stands in the lowest bits.
  const Vector shifter = all(12582912.0f);
  const Vector t = x * 1.44269504f + shifter, n = t - shifter;
  // log 2 in two parts, the first so short that n times it is exact.
  const Vector r = (x - n * 0.693359375f) + n * 2.12194440e-4f;
  return {r, n, bits_of(t) - bits_of(shifter)};
}

// x 2^n. In two steps, for 2^n may be too large or too small for a float where x 2^n is not.
INLINE Vector times_power(Vector x, Mask n) {
  const Mask half = n >> 1;
  return x * from_bits((half + 127) << 23) * from_bits((n - half + 127) << 23);
}

// x, but not outside of low..high (NaN stays).
INLINE Vector within(Vector x, float low, float high) {
  x = where(x < all(low), all(low), x);
  return where(x > all(high), all(high), x);
}

INLINE Vector exp(Vector x) {
  const Reduced e = reduce(within(x, -104.0f, 89.0f));  // beyond: 0 and infinity anyway
  const Vector p = polynomial(e.r, 0.499999933f, 0.166665178f, 0.0416684218f, 0.00836906350f,
                              0.00138138810f);
  return times_power(e.r * e.r * p + e.r + 1.0f, e.whole);
}

// e^x - 1, also where e^x is so near to 1 that the difference would be lost
INLINE Vector expm1(Vector x) {
  const Reduced e = reduce(within(x, -18.0f, 89.0f));
  const Vector p = polynomial(e.r, 0.500000005f, 0.166666668f, 0.0416663485f, 0.00833327186f,
                              0.00139415206f, 1.99148879e-4f);
  // 2^n (e^r - 1) + (2^n - 1) = 2^n (e^r - 1 + 1 - 2^-n)
  const Mask least = e.whole > 64 ? Mask{} + 64 : e.whole;  // 2^-n: nothing beside 1
  const Vector rest = 1.0f - from_bits((127 - least) << 23);
  return times_power(e.r * e.r * p + e.r + rest, e.whole);
}

// --- logarithms

INLINE Vector log(Vector x) {
  // Numbers too small to be normal are made so.
  const Mask tiny = x < all(1.17549435e-38f);
  const Vector big = where(tiny, x * 8388608.0f, x);
  // x = 2^n (1 + m),  sqrt(1/2) <= 1 + m < sqrt(2)
  const Mask bits = bits_of(big) - 0x3f3504f3;  // of sqrt(1/2)
  const Mask n = (bits >> 23) - (tiny & 23);
  const Vector m = from_bits((bits & 0x7fffff) + 0x3f3504f3) - 1.0f;
  const Vector p = polynomial(m, 0.333333106f, -0.250000068f, 0.200022667f, -0.166682874f,
                              0.142165242f, -0.123979609f, 0.119042513f, -0.117319893f,
                              0.0677959646f);
  const Vector exponent = __builtin_convertvector(n, Vector);
  Vector y = m * m * m * p - exponent * 2.12194440e-4f;
  y = y - m * m * 0.5f;
  y = y + m + exponent * 0.693359375f;
  const Vector infinity = all(__builtin_inff());
  y = where(x < infinity, y, x);                             // infinity and NaN: themselves
  y = where(x == zero(), -infinity, y);
  return where(x < zero(), all(__builtin_nanf("")), y);
}

// log(1 + x), also where 1 + x is so near to 1 that x would be lost
INLINE Vector log1p(Vector x) {
  const Vector u = 1.0f + x;
  const Vector lost = (x - (u - 1.0f)) / u;  // log(1 + x) - log u
  return log(u) + where((u > zero()) & (u < all(__builtin_inff())), lost, zero());
}

// --- curves of activations

INLINE Vector sigmoid(Vector x) { return 1.0f / (1.0f + exp(-x)); }

INLINE Vector tanh(Vector x) {
  const Vector a = absolute(x), s = x * x;
  const Vector near = s * x * polynomial(s, -0.333333308f, 0.133332045f, -0.0539465682f,
                                         0.0216995947f, -0.00817456240f, 0.00214028420f) + x;
  const Vector far = 1.0f - 2.0f / (exp(a + a) + 1.0f);
  return where(a < all(0.625f), near, with_sign(far, x));
}

// log(1 + e^x) = max(x, 0) + log(1 + e^-|x|)
INLINE Vector softplus(Vector x) {
  return maximum(x, zero()) + log1p(exp(-absolute(x)));
}

// --- the bell curve: erf x = 2 / sqrt(pi) integral of e^(-t^2) from 0 to x

INLINE Vector erf(Vector x) {
  const Vector a = absolute(x), s = x * x;
  const Vector near = x * polynomial(s, 0.128379167f, -0.376126332f, 0.112836872f,
                                     -0.0268589415f, 0.00519990668f, -8.13001275e-4f,
                                     8.31677545e-5f) + x;
  const Vector t = minimum(a, all(4.0f));  // beyond: 1
  const Vector slope = polynomial(t, 1.12863707f, 0.635198044f, 0.106159032f, -0.0236945505f,
                                  0.00361033421f, -3.14856099e-4f, 1.04329024e-5f);
  const Vector far = 1.0f - exp(-t * slope);  // NaN: by way of `near`
  return where(a > all(0.92f), with_sign(far, x), near);
}

// 1 - erf x, also where it is tiny
INLINE Vector erfc(Vector x) {
  const Vector z = absolute(x), t = 2.0f / (2.0f + z);
  const Vector series = polynomial(t, 0.282089952f, 0.282218696f, 0.245520093f, 0.183640329f,
                                   0.0619271940f, 0.0186515020f, 0.00469050300f, -0.317684058f,
                                   0.400248620f, -0.198297874f, 0.0369950460f);
  const Vector tail = t * exp(-z * z) * series;
  return where(x < zero(), 2.0f - tail, tail);
}

}  // namespace deepneuron::DEEPNEURON_ISA
