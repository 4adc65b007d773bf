// Pictures that are turned, shifted and sheared: each pixel of y is fetched from x.
//
// y[i][j] lies at a place of x, between four pixels of which the nearer ones count more; or
// the nearest counts alone. Where places lie outside of x, `Fill` says which pixel is there.
#include "../simd.h"

namespace deepneuron::DEEPNEURON_ISA {
namespace {

enum Fill : i64 { CONSTANT, NEAREST, WRAP, MIRROR, REFLECT };

// The ints of a call, by name.
struct Picture {
  i64 height, width, channels;
  bool nearest;
  i64 fill;
  explicit INLINE Picture(const i64* p)
      : height(p[0]), width(p[1]), channels(p[2]), nearest(p[3]), fill(p[4]) {}
  INLINE i64 size() const { return height * width * channels; }
};

INLINE i64 modulo(i64 i, i64 n) {
  const i64 rest = i % n;
  return rest < 0 ? rest + n : rest;
}

// d c b | a b c d | c b a
INLINE i64 mirrored(i64 i, i64 n) {
  const i64 last = n - 1, place = modulo(i + last, last > 0 ? 2 * last : 1) - last;
  return place < 0 ? -place : place;
}

// Which of n pixels stands at i; -1: none.
INLINE i64 pixel_at(i64 i, i64 n, i64 fill) {
  if (i >= 0 && i < n) return i;
  switch (fill) {
    case CONSTANT: return -1;
    case NEAREST: return i < 0 ? 0 : n - 1;
    case WRAP: return modulo(i, n);
    case MIRROR: return mirrored(i, n);
    default: return (mirrored(2 * i + 1, 2 * n + 1) - 1) / 2;  // c b a | a b c d | d c b
  }
}

// The pixels beside a place along one axis.
struct Beside {
  i64 pixel[2];
  float weight[2];
};
INLINE Beside beside(float place, i64 n, const Picture& p) {
  // Far outside, and where the place is no number, floats tell no pixels apart any more.
  constexpr float FAR = 1 << 30;
  place = place > -FAR ? (place < FAR ? place : FAR) : -FAR;
  if (p.nearest) {  // halves go away from 0
    const float whole = __builtin_truncf(place);
    const float more = place - whole >= 0.5f ? 1.0f : place - whole <= -0.5f ? -1.0f : 0.0f;
    return {{pixel_at(static_cast<i64>(whole + more), n, p.fill), 0}, {1.0f, 0.0f}};
  }
  const float low = __builtin_floorf(place), far = place - low;
  const i64 i = static_cast<i64>(low);
  return {{pixel_at(i, n, p.fill), pixel_at(i + 1, n, p.fill)}, {1.0f - far, far}};
}

// use(a pixel of y, a pixel of x that counts for it or -1, how much it counts)
template <class Use>
INLINE void each_source(const Picture& p, const float* m, float* table, Use use) {
  // Products are written down first. Fused with the sums below they would be rounded
  // otherwise than NumPy's, and of two pixels another one might be the nearest.
  float *a0 = table, *b0 = a0 + p.width, *a1 = b0 + p.width, *b1 = a1 + p.height;
  for (i64 j = 0; j < p.width; j++) a0[j] = m[0] * static_cast<float>(j);
  for (i64 j = 0; j < p.width; j++) b0[j] = m[3] * static_cast<float>(j);
  for (i64 i = 0; i < p.height; i++) a1[i] = m[1] * static_cast<float>(i);
  for (i64 i = 0; i < p.height; i++) b1[i] = m[4] * static_cast<float>(i);
  const int count = p.nearest ? 1 : 2;
  for (i64 i = 0; i < p.height; i++)
    for (i64 j = 0; j < p.width; j++) {
      const Beside row = beside(b0[j] + b1[i] + m[5], p.height, p);
      const Beside column = beside(a0[j] + a1[i] + m[2], p.width, p);
      for (int r = 0; r < count; r++)
        for (int c = 0; c < count; c++) {
          const i64 y = row.pixel[r], x = column.pixel[c];
          use(i * p.width + j, y < 0 || x < 0 ? -1 : y * p.width + x,
              row.weight[r] * column.weight[c]);
        }
    }
}
i64 tables(const i64* ints) { return 2 * (ints[0] + ints[1]) * static_cast<i64>(sizeof(float)); }

// f() for a number of channels that the compiler knows, if it is one of pictures
template <class F>
INLINE void with_channels(i64 channels, F f) {
  switch (channels) {
    case 1: return f.template operator()<1>();
    case 3: return f.template operator()<3>();
    case 4: return f.template operator()<4>();
    default: return f.template operator()<0>();
  }
}

// y = x, fetched   x transform | y ; height, width, channels, nearest?, fill ; fill value
void affine(const Call& k, Share s) {
  const Picture p(k.ints);
  const float outside = static_cast<float>(k.floats[0]);
  with_channels(p.channels, [&]<int CHANNELS>() {
    const i64 channels = CHANNELS ? CHANNELS : p.channels;
    for (i64 row = s.lo; row < s.hi; row++) {
      const float* x = k.at(0, row);
      float* y = k.at(2, row);
      std::memset(y, 0, p.size() * sizeof(float));
      float* table = reinterpret_cast<float*>(k.context.scratch);
      each_source(p, k.at(1, row), table, [&](i64 to, i64 from, float weight) {
        for (i64 c = 0; c < channels; c++)
          y[to * channels + c] += weight * (from < 0 ? outside : x[from * channels + c]);
      });
    }
  });
}
REGISTER(affine, tables);

// dx = each pixel of dy goes back to where it came from
//                  dy transform | dx ; height, width, channels, nearest?, fill
void affine_grad(const Call& k, Share s) {
  const Picture p(k.ints);
  with_channels(p.channels, [&]<int CHANNELS>() {
    const i64 channels = CHANNELS ? CHANNELS : p.channels;
    for (i64 row = s.lo; row < s.hi; row++) {
      const float* dy = k.at(0, row);
      float* dx = k.at(2, row);
      std::memset(dx, 0, p.size() * sizeof(float));
      float* table = reinterpret_cast<float*>(k.context.scratch);
      each_source(p, k.at(1, row), table, [&](i64 from, i64 to, float weight) {
        if (to >= 0)
          for (i64 c = 0; c < channels; c++)
            dx[to * channels + c] += weight * dy[from * channels + c];
      });
    }
  });
}
REGISTER(affine_grad, tables);

}  // namespace
}  // namespace deepneuron::DEEPNEURON_ISA
