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
// The points are 0, +-p, +-q and infinity. Commonly p = 1 and q = 2; with p = sqrt(1/2) and
// q = sqrt(2) the powers stay close to one, and rounding errors are a fifth for the same work.
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

constexpr int OUT = 4, IN = 6, POSITIONS = IN * IN;

constexpr float p = 0.70710678118654752f, q = 1.41421356237309505f;  // the points
constexpr float p2 = 0.5f, q2 = 2, p3 = p * p2, q3 = q * q2;          // p2 * q2 = 1
constexpr float gp = -2.f / 3, gq = 1.f / 6;  // 1 / (2 p2 (p2 - q2)), 1 / (2 q2 (q2 - p2))

// One line of a tile. A polynomial at +x and at -x: its even part plus, and minus, its odd one.

struct Input {  // B^T d
  static constexpr int FROM = IN, TO = IN;
  static INLINE void line(const Vector* d, Vector* v) {
    const Vector even_p = d[4] - q2 * d[2], odd_p = p * (d[3] - q2 * d[1]);
    const Vector even_q = d[4] - p2 * d[2], odd_q = q * (d[3] - p2 * d[1]);
    v[0] = d[0] - (p2 + q2) * d[2] + d[4];
    v[1] = even_p + odd_p;
    v[2] = even_p - odd_p;
    v[3] = even_q + odd_q;
    v[4] = even_q - odd_q;
    v[5] = d[1] - (p2 + q2) * d[3] + d[5];
  }
};

struct InputGrad {  // B dv
  static constexpr int FROM = IN, TO = IN;
  static INLINE void line(const Vector* v, Vector* d) {
    const Vector sum_p = v[1] + v[2], difference_p = p * (v[1] - v[2]);
    const Vector sum_q = v[3] + v[4], difference_q = q * (v[3] - v[4]);
    d[0] = v[0];
    d[1] = v[5] - q2 * difference_p - p2 * difference_q;
    d[2] = -(p2 + q2) * v[0] - q2 * sum_p - p2 * sum_q;
    d[3] = difference_p + difference_q - (p2 + q2) * v[5];
    d[4] = v[0] + sum_p + sum_q;
    d[5] = v[5];
  }
};

struct Kernel {  // G g
  static constexpr int FROM = 3, TO = IN;
  static INLINE void line(const Vector* g, Vector* u) {
    const Vector even_p = gp * (g[0] + p2 * g[2]), odd_p = gp * p * g[1];
    const Vector even_q = gq * (g[0] + q2 * g[2]), odd_q = gq * q * g[1];
    u[0] = g[0];
    u[1] = even_p + odd_p;
    u[2] = even_p - odd_p;
    u[3] = even_q + odd_q;
    u[4] = even_q - odd_q;
    u[5] = g[2];
  }
};

struct KernelGrad {  // G^T du
  static constexpr int FROM = IN, TO = 3;
  static INLINE void line(const Vector* u, Vector* g) {
    const Vector sum_p = gp * (u[1] + u[2]), sum_q = gq * (u[3] + u[4]);
    g[0] = u[0] + sum_p + sum_q;
    g[1] = gp * p * (u[1] - u[2]) + gq * q * (u[3] - u[4]);
    g[2] = p2 * sum_p + q2 * sum_q + u[5];
  }
};

struct Output {  // A^T m
  static constexpr int FROM = IN, TO = OUT;
  static INLINE void line(const Vector* m, Vector* y) {
    const Vector sum_p = m[1] + m[2], difference_p = m[1] - m[2];
    const Vector sum_q = m[3] + m[4], difference_q = m[3] - m[4];
    y[0] = m[0] + sum_p + sum_q;
    y[1] = p * difference_p + q * difference_q;
    y[2] = p2 * sum_p + q2 * sum_q;
    y[3] = p3 * difference_p + q3 * difference_q + m[5];
  }
};

struct OutputGrad {  // A dy
  static constexpr int FROM = OUT, TO = IN;
  static INLINE void line(const Vector* y, Vector* m) {
    const Vector even_p = y[0] + p2 * y[2], odd_p = p * y[1] + p3 * y[3];
    const Vector even_q = y[0] + q2 * y[2], odd_q = q * y[1] + q3 * y[3];
    m[0] = y[0];
    m[1] = even_p + odd_p;
    m[2] = even_p - odd_p;
    m[3] = even_q + odd_q;
    m[4] = even_q - odd_q;
    m[5] = y[3];
  }
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
