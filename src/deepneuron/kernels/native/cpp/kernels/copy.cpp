// Copies: the rows of a batch out of the samples, whole values, and values from place to
// place: transposed, cut out, mirrored, repeated, joined, with a margin.
#include "../simd.h"

namespace deepneuron::DEEPNEURON_ISA {
namespace {

// y[row] = x[order[row]]          x | y ; bytes of a row
void gather(const Call& k, Share s) {
  const i64 bytes = k.ints[0];
  for (i64 row = s.lo; row < s.hi; row++)
    std::memcpy(k.at<char>(1, row), k.at<char>(0) + k.context.order[row] * bytes, bytes);
}
REGISTER(gather, nullptr);

// y = x                           x | y ; bytes
void copy(const Call& k, Share s) {
  const Range part = cut(k.ints[0], s.part, s.parts, 64);
  std::memcpy(k.at<char>(1) + part.lo, k.at<char>(0) + part.lo, part.hi - part.lo);
}
REGISTER(copy, nullptr);

// --- from place to place

constexpr int AXES = 5;

// One of the parts that y is made of, by the ints of a call: along every axis so many
// values, so far apart in x and in y, from a first one on.
struct Part {
  const i64 *size, *x, *y;  // of AXES axes
  i64 first_x, first_y;
  static constexpr i64 INTS = 3 * AXES + 2;
  explicit INLINE Part(const i64* p)
      : size(p), x(p + AXES), y(p + 2 * AXES), first_x(p[3 * AXES]), first_y(p[3 * AXES + 1]) {}
};

// y[i][j] = x[i][j], where values lie side by side in both; MANY of them, where it is known
template <int MANY, class T>
INLINE void copy_runs(const T* x, T* y, i64 lines, i64 x_step, i64 y_step, i64 n) {
  for (i64 i = 0; i < lines; i++, x += x_step, y += y_step)
    std::memcpy(y, x, (MANY ? MANY : n) * sizeof(T));
}

// y[i][j] = x[i][j], the two last axes of a part. Where the values of a row are far apart in
// x, it goes tile by tile, so that what comes into the cache is used before it leaves.
template <class T>
void copy_plane(const T* x, T* y, const Part& p) {
  constexpr i64 TILE = 16;
  const i64 n = p.size[AXES - 2], m = p.size[AXES - 1];
  const i64 xi = p.x[AXES - 2], xj = p.x[AXES - 1], yi = p.y[AXES - 2], yj = p.y[AXES - 1];
  if (xj == 1 && yj == 1) {
    switch (m) {
      case 1: return copy_runs<1>(x, y, n, xi, yi, m);
      case 2: return copy_runs<2>(x, y, n, xi, yi, m);
      case 3: return copy_runs<3>(x, y, n, xi, yi, m);
      case 4: return copy_runs<4>(x, y, n, xi, yi, m);
      default: return copy_runs<0>(x, y, n, xi, yi, m);
    }
  }
  for (i64 i0 = 0; i0 < n; i0 += TILE)
    for (i64 j0 = 0; j0 < m; j0 += TILE) {
      const i64 rows = n - i0 < TILE ? n - i0 : TILE, columns = m - j0 < TILE ? m - j0 : TILE;
      const T* from = x + i0 * xi + j0 * xj;
      T* to = y + i0 * yi + j0 * yj;
      if (columns == TILE && yj == 1) {  // a loop of known length, unrolled
        for (i64 i = 0; i < rows; i++, from += xi, to += yi)
          UNROLL for (i64 j = 0; j < TILE; j++) to[j] = from[j * xj];
      } else {
        for (i64 i = 0; i < rows; i++, from += xi, to += yi)
          for (i64 j = 0; j < columns; j++) to[j * yj] = from[j * xj];
      }
    }
}

template <class T>
INLINE void copy_part(const T* x, T* y, const Part& p, Range first) {
  x += p.first_x, y += p.first_y;
  for (i64 a = first.lo; a < first.hi; a++)
    for (i64 b = 0; b < p.size[1]; b++)
      for (i64 c = 0; c < p.size[2]; c++)
        copy_plane(x + a * p.x[0] + b * p.x[1] + c * p.x[2],
                   y + a * p.y[0] + b * p.y[1] + c * p.y[2], p);
}

// y[places of part i] = x_i[places of part i], for every i; elsewhere y = fill, if it shall
//           x ... | y ; bytes, by rows, count of parts, fill?, its bits, values of y, parts
template <class T>
INLINE void arrange_values(const Call& k, Share s) {
  const bool by_rows = k.ints[1], filled = k.ints[3];
  const int count = static_cast<int>(k.ints[2]);
  const i64 values = k.ints[5], last = by_rows ? s.hi : 1;
  for (i64 row = by_rows ? s.lo : 0; row < last; row++) {
    T* y = k.at<T>(count, row);
    if (filled)
      for (i64 i = 0; i < values; i++) y[i] = static_cast<T>(k.ints[4]);
    for (int i = 0; i < count; i++) {
      const Part p(k.ints + 6 + i * Part::INTS);
      const Range all{0, p.size[0]};
      copy_part(k.at<T>(i, row), y, p, by_rows ? all : cut(p.size[0], s.part, s.parts));
    }
  }
}
void arrange(const Call& k, Share s) {
  switch (k.ints[0]) {
    case 1: return arrange_values<std::uint8_t>(k, s);
    case 4: return arrange_values<std::uint32_t>(k, s);
    default: return arrange_values<std::uint64_t>(k, s);
  }
}
REGISTER(arrange, nullptr);

}  // namespace
}  // namespace deepneuron::DEEPNEURON_ISA
