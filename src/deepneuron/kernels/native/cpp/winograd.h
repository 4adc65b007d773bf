// Winograd's convolution F(4x4, 3x3): a tile of 4x4 outputs for 36 multiplications, not 144.
//
// In one dimension first. Four outputs of a kernel with three values need six inputs:
//
//   y[i] = d[i] g[0] + d[i+1] g[1] + d[i+2] g[2]       i < 4: twelve products
//
// Turned around, this is how polynomials are multiplied: one with coefficients g (degree 2)
// and one with four coefficients make one of degree 5, which six of its values determine.
// So evaluate both at six points, multiply the values, and solve for the coefficients. Each of
// these steps is a small constant matrix, and the transposed of that algorithm is
//
//   y = A^T [(G g) * (B^T d)]                          * element by element: six products
//
//   B^T d    input   6 -> 6    (B interpolates: it takes six values to the coefficients)
//   G g      kernel  3 -> 6    (the kernel's polynomial at the six points)
//   A^T m    output  6 -> 4    (A evaluates a polynomial with four coefficients)
//
// In two dimensions each matrix is applied to the columns, then to the rows: B^T d B, G g G^T,
// A^T m A. Then 6x6 = 36 products make 4x4 outputs, each of which would have taken nine. What
// is won on top: channels are summed *between* the transforms, so at each of the 36 positions
// there is a product of matrices
//
//   M[position] (tiles, filters) = V[position] (tiles, channels) U[position] (channels, filters)
//
// and the transforms, which are only sums, are paid once per channel or filter, not once for
// each pair of them. That is why it takes many channels to win.
//
// The points are 0, infinity, and two or three pairs +-p: two make F(4x4), and three make
// F(6x6, 3x3), which takes 64 products for 36 outputs, 1.8 an output instead of 2.25, but more
// sums, more memory, and wider edges where pictures do not divide by six. Powers of the points
// shall stay close to one, or else sums of large numbers cancel out: sqrt(1/2) and sqrt(2) have
// a fifth of the rounding errors of the common 1 and 2. With 1/2, 1 and 2, those of F(6x6) are
// about one and a half times the ones of the common F(4x4): 1e-5 of the largest output.
//
// Gradients are the same steps backwards, each matrix transposed, so they are exact too:
//
//   dM = A dy A^T     dU = V^T dM     dkernel = G^T dU G     dV = dM U^T     dd = B dV B^T
//
// A value that is not finite reaches every output of its tile: NaN spreads, and infinity
// minus infinity is NaN. Outputs of other tiles are not touched.
#pragma once
#include "simd.h"

namespace deepneuron::DEEPNEURON_ISA {
namespace {
namespace winograd {

// What the matrices of all PAIRS of points are made of. Polynomials here are in x^2, lowest
// coefficient first, since +p and -p have it in common.
template <int PAIRS>
struct Points {
  double p[PAIRS] = {};
  float power[PAIRS][2 * PAIRS] = {};      // p^j
  float all[PAIRS + 1] = {};               // product of (x^2 - p^2) over all pairs
  float others[PAIRS][PAIRS] = {};         // the same without one of them
  float scale[PAIRS] = {}, scale_zero = 0; // 1 / the rest of the interpolating polynomial there

  constexpr Points(const double (&points)[PAIRS]) {
    for (int k = 0; k < PAIRS; k++) p[k] = points[k];
    double whole[PAIRS + 1] = {};
    product(-1, whole);
    for (int i = 0; i <= PAIRS; i++) all[i] = static_cast<float>(whole[i]);
    scale_zero = static_cast<float>(1 / whole[0]);
    for (int k = 0; k < PAIRS; k++) {
      double rest[PAIRS + 1] = {}, at = 0;
      product(k, rest);
      for (int i = PAIRS; i-- > 0;) at = at * p[k] * p[k] + rest[i];
      scale[k] = static_cast<float>(1 / (2 * p[k] * p[k] * at));
      for (int i = 0; i < PAIRS; i++) others[k][i] = static_cast<float>(rest[i]);
      double power_of_p = 1;
      for (int j = 0; j < 2 * PAIRS; j++, power_of_p *= p[k])
        power[k][j] = static_cast<float>(power_of_p);
    }
  }

  constexpr void product(int without, double* result) const {
    result[0] = 1;
    for (int k = 0; k < PAIRS; k++) {
      if (k == without) continue;
      for (int i = PAIRS; i >= 0; i--)
        result[i] = (i ? result[i - 1] : 0) - p[k] * p[k] * result[i];
    }
  }
};

template <int PAIRS>
constexpr Points<PAIRS> points = [] {
  if constexpr (PAIRS == 2)
    return Points<2>({0.70710678118654752, 1.41421356237309505});
  else
    return Points<3>({0.5, 1, 2});
}();

// The six matrices, each as what it makes of one line of a tile, PAIRS known at compile time.
// Values at the points stand in this order: 0, +p and -p of each pair, infinity. A polynomial
// at +p and at -p is its even part plus, and minus, its odd one.
template <int PAIRS>
struct Winograd {
  static constexpr int OUT = 2 * PAIRS, IN = OUT + 2, POSITIONS = IN * IN, LAST = IN - 1;
  static constexpr const Points<PAIRS>& at = points<PAIRS>;

  struct Input {  // B^T d
    static constexpr int FROM = IN, TO = IN;
    static INLINE void line(const Vector* d, Vector* v) {
      v[0] = d[OUT];  // all[PAIRS] is 1, as others[k][PAIRS - 1]
      v[LAST] = d[LAST];
      UNROLL for (int i = 0; i < PAIRS; i++) {
        v[0] += at.all[i] * d[2 * i];
        v[LAST] += at.all[i] * d[2 * i + 1];
      }
      UNROLL for (int k = 0; k < PAIRS; k++) {
        Vector even = d[OUT], odd = d[OUT - 1];
        UNROLL for (int i = 0; i < PAIRS - 1; i++) {
          even += at.others[k][i] * d[2 * i + 2];
          odd += at.others[k][i] * d[2 * i + 1];
        }
        v[2 * k + 1] = even + at.power[k][1] * odd;
        v[2 * k + 2] = even - at.power[k][1] * odd;
      }
    }
  };

  struct InputGrad {  // B dv
    static constexpr int FROM = IN, TO = IN;
    static INLINE void line(const Vector* v, Vector* d) {
      UNROLL for (int i = 0; i <= PAIRS; i++) {
        d[2 * i] = at.all[i] * v[0];
        d[2 * i + 1] = at.all[i] * v[LAST];
      }
      UNROLL for (int k = 0; k < PAIRS; k++) {
        const Vector sum = v[2 * k + 1] + v[2 * k + 2];
        const Vector difference = at.power[k][1] * (v[2 * k + 1] - v[2 * k + 2]);
        UNROLL for (int i = 0; i < PAIRS; i++) {
          d[2 * i + 2] += at.others[k][i] * sum;
          d[2 * i + 1] += at.others[k][i] * difference;
        }
      }
    }
  };

  struct Kernel {  // G g
    static constexpr int FROM = 3, TO = IN;
    static INLINE void line(const Vector* g, Vector* u) {
      u[0] = at.scale_zero * g[0];
      u[LAST] = g[2];
      UNROLL for (int k = 0; k < PAIRS; k++) {
        const Vector even = at.scale[k] * (g[0] + at.power[k][2] * g[2]);
        const Vector odd = at.scale[k] * at.power[k][1] * g[1];
        u[2 * k + 1] = even + odd;
        u[2 * k + 2] = even - odd;
      }
    }
  };

  struct KernelGrad {  // G^T du
    static constexpr int FROM = IN, TO = 3;
    static INLINE void line(const Vector* u, Vector* g) {
      g[0] = at.scale_zero * u[0];
      g[1] = zero();
      g[2] = u[LAST];
      UNROLL for (int k = 0; k < PAIRS; k++) {
        const Vector sum = at.scale[k] * (u[2 * k + 1] + u[2 * k + 2]);
        g[0] += sum;
        g[1] += at.scale[k] * at.power[k][1] * (u[2 * k + 1] - u[2 * k + 2]);
        g[2] += at.power[k][2] * sum;
      }
    }
  };

  struct Output {  // A^T m
    static constexpr int FROM = IN, TO = OUT;
    static INLINE void line(const Vector* m, Vector* y) {
      UNROLL for (int j = 0; j < OUT; j++)
        y[j] = j == 0 ? m[0] : j == OUT - 1 ? m[LAST] : zero();
      UNROLL for (int k = 0; k < PAIRS; k++) {
        const Vector sum = m[2 * k + 1] + m[2 * k + 2];
        const Vector difference = m[2 * k + 1] - m[2 * k + 2];
        UNROLL for (int j = 0; j < OUT; j++)
          y[j] += at.power[k][j] * (j % 2 ? difference : sum);
      }
    }
  };

  struct OutputGrad {  // A dy
    static constexpr int FROM = OUT, TO = IN;
    static INLINE void line(const Vector* y, Vector* m) {
      m[0] = y[0];
      m[LAST] = y[OUT - 1];
      UNROLL for (int k = 0; k < PAIRS; k++) {
        Vector even = y[0], odd = at.power[k][1] * y[1];
        UNROLL for (int j = 2; j < OUT; j += 2) {
          even += at.power[k][j] * y[j];
          odd += at.power[k][j + 1] * y[j + 1];
        }
        m[2 * k + 1] = even + odd;
        m[2 * k + 2] = even - odd;
      }
    }
  };
};

// A whole tile, WIDTH channels at a time: columns first, then rows.
// read(i, j) gives its vector in row i, column j; write(i, j, v) takes that of the result.
template <class Matrix, class Read, class Write>
INLINE void transform(Read read, Write write) {
  constexpr int FROM = Matrix::FROM, TO = Matrix::TO;
  Vector half[TO][FROM];
  UNROLL for (int j = 0; j < FROM; j++) {
    Vector from[FROM], to[TO];
    UNROLL for (int i = 0; i < FROM; i++) from[i] = read(i, j);
    Matrix::line(from, to);
    UNROLL for (int i = 0; i < TO; i++) half[i][j] = to[i];
  }
  UNROLL for (int i = 0; i < TO; i++) {
    Vector to[TO];
    Matrix::line(half[i], to);
    UNROLL for (int j = 0; j < TO; j++) write(i, j, to[j]);
  }
}

}  // namespace winograd
}  // namespace
}  // namespace deepneuron::DEEPNEURON_ISA
