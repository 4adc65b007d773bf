// Pooling: one value for every window of a picture, channel by channel.
//
//   x: (height, width, channels) of each picture      y: (down, across, channels)
//
// Numbers of all kernels that have windows:
//   height, width, channels, window's height and width, strides down and across,
//   rows of padding above, columns of it on the left, down, across
#include "../lanes.h"

namespace deepneuron::DEEPNEURON_ISA {
namespace {

struct Windows {
  i64 height, width, channels, rows, columns, stride_down, stride_across, above, left, down,
      across;

  INLINE explicit Windows(const i64* n)
      : height(n[0]), width(n[1]), channels(n[2]), rows(n[3]), columns(n[4]),
        stride_down(n[5]), stride_across(n[6]), above(n[7]), left(n[8]), down(n[9]),
        across(n[10]) {}

  // Every pixel lies in one window at most.
  INLINE bool apart() const { return stride_down >= rows && stride_across >= columns; }
  INLINE bool are_2_by_2() const {
    return rows == 2 && columns == 2 && (down - 1) * stride_down + 2 <= height &&
           (across - 1) * stride_across + 2 <= width && stride_down >= 2 &&
           stride_across >= 2 && above == 0 && left == 0;
  }
};

// The part of one window that lies on the picture: positions top..bottom, first..last of
// the window, and its pixel (0, 0), which may lie outside.
struct Place {
  i64 top, bottom, first, last, corner;
};

template <class Body>
INLINE void each_window(const Windows& w, Body body) {
  for (i64 i = 0; i < w.down; i++) {
    const i64 y = i * w.stride_down - w.above;
    const i64 top = y < 0 ? -y : 0, bottom = y + w.rows > w.height ? w.height - y : w.rows;
    for (i64 j = 0; j < w.across; j++) {
      const i64 x = j * w.stride_across - w.left;
      const i64 first = x < 0 ? -x : 0;
      const i64 last = x + w.columns > w.width ? w.width - x : w.columns;
      body((i * w.across + j) * w.channels,
           Place{top, bottom, first, last, (y * w.width + x) * w.channels});
    }
  }
}

// Positions in windows, one byte each.
typedef std::uint8_t Bytes __attribute__((vector_size(WIDTH)));

INLINE void put(std::uint8_t* p, Mask position, i64 n) {
  const Bytes bytes = __builtin_convertvector(position, Bytes);
  if (n == WIDTH)
    __builtin_memcpy(p, &bytes, WIDTH);
  else
    for (i64 i = 0; i < n; i++) p[i] = static_cast<std::uint8_t>(position[i]);
}
INLINE Mask positions(const std::uint8_t* p, i64 n) {
  Bytes bytes{};
  if (n == WIDTH)
    __builtin_memcpy(&bytes, p, WIDTH);
  else
    for (i64 i = 0; i < n; i++) bytes[i] = p[i];
  return __builtin_convertvector(bytes, Mask);
}

// --- the maximum

// The maximum so far, and its position. The first of equal ones wins. A NaN becomes the
// maximum, but no position: nothing is greater than it, and it is greater than nothing.
struct Best {
  Vector value = all(-__builtin_inff());
  Mask position{};

  INLINE void meet(Vector x, int k) {
    position = x > value ? Mask{} + k : position;
    value = maximum(value, x);
  }
};

// y = max of x over each window, where = its position;  then y = relu(y + bias)
//
// With `first`, the bias is added before the comparison, so that among values which
// rounding makes equal the first one wins, as it does when a network adds it first.
//                  x bias | y where ; windows, relu, first
template <bool FIRST, bool FAST>
void max_pool2d_of(const Windows& w, const Call& k, Share s) {
  const bool with_relu = k.ints[11];
  const float* bias = k.at(1);
  const i64 across = w.channels, down = w.width * w.channels;
  for (i64 row = s.lo; row < s.hi; row++) {
    const float* x = k.at(0, row);
    float* y = k.at(2, row);
    auto* at = k.at<std::uint8_t>(3, row);
    each_window(w, [&](i64 to, Place p) __attribute__((always_inline)) {
      const float* from = x + p.corner;
      in_vectors(w.channels, [&](i64 c, auto lanes) __attribute__((always_inline)) {
        const Vector b = bias ? lanes.load(bias + c) : zero();
        auto read = [&](i64 offset) __attribute__((always_inline)) {
          const Vector v = lanes.load(from + offset + c);
          return FIRST ? v + b : v;
        };
        Best best;
        if (FAST) {
          const Vector v0 = read(0), v1 = read(across), v2 = read(down),
                       v3 = read(down + across);
          best.value = v0;
          best.meet(v1, 1), best.meet(v2, 2), best.meet(v3, 3);
        } else {
          for (i64 i = p.top; i < p.bottom; i++)
            for (i64 j = p.first; j < p.last; j++)
              best.meet(read(i * down + j * across), static_cast<int>(i * w.columns + j));
        }
        Vector v = best.value;
        if (!FIRST && bias) v += b;
        if (with_relu) v = relu(v);
        lanes.store(y + to + c, v);
        if (at) put(at + to + c, best.position, lanes.count());
      });
    });
  }
}
void max_pool2d(const Call& k, Share s) {
  const Windows w(k.ints);
  const bool first = k.ints[12] && k.has(1), fast = w.are_2_by_2();
  if (first)
    fast ? max_pool2d_of<true, true>(w, k, s) : max_pool2d_of<true, false>(w, k, s);
  else
    fast ? max_pool2d_of<false, true>(w, k, s) : max_pool2d_of<false, false>(w, k, s);
}
REGISTER(max_pool2d, nullptr);

// Zeros in those pixels of dx that no window writes; everywhere, if windows add up.
INLINE void clear(const Windows& w, float* dx, bool adds) {
  const bool tiled = !adds && w.stride_down == w.rows && w.stride_across == w.columns;
  i64 rows = tiled ? w.down * w.rows - w.above : 0;
  i64 columns = tiled ? w.across * w.columns - w.left : 0;
  if (rows > w.height) rows = w.height;
  if (columns > w.width) columns = w.width;
  const i64 line = w.width * w.channels, covered = columns * w.channels;
  if (covered < line)
    for (i64 i = 0; i < rows; i++)
      std::memset(dx + i * line + covered, 0, (line - covered) * sizeof(float));
  std::memset(dx + rows * line, 0, (w.height - rows) * line * sizeof(float));
}

// dx = dy where the maximum was found, 0 elsewhere; dy = 0 where a relu behind had cut y
// off; dbias = sum of dy over all windows, to begin with over those of one picture: sums of
// sums are more precise than long sums.
//                  dy where y | dx dbias ; windows       y and dbias may be absent
template <bool FAST>
void max_pool2d_grad_of(const Windows& w, const Call& k, Share s) {
  const i64 across = w.channels, down = w.width * w.channels;
  const bool adds = !FAST && !w.apart();
  float* dbias = k.at(4);
  auto* of_picture = reinterpret_cast<float*>(k.context.scratch);
  if (dbias && k.context.fresh) std::memset(dbias, 0, w.channels * sizeof(float));
  for (i64 row = s.lo; row < s.hi; row++) {
    const float *dy = k.at(0, row), *y = k.at(2, row);
    const auto* at = k.at<const std::uint8_t>(1, row);
    float* dx = k.at(3, row);
    clear(w, dx, adds);
    if (dbias) std::memset(of_picture, 0, w.channels * sizeof(float));
    each_window(w, [&](i64 from, Place p) __attribute__((always_inline)) {
      float* to = dx + p.corner;
      in_vectors(w.channels, [&](i64 c, auto lanes) __attribute__((always_inline)) {
        Vector v = lanes.load(dy + from + c);
        if (y) v = past_relu(v, lanes.load(y + from + c));
        if (dbias) lanes.store(of_picture + c, lanes.load(of_picture + c) + v);
        const Mask found = positions(at + from + c, lanes.count());
        auto write = [&](i64 offset, int position) __attribute__((always_inline)) {
          const Vector part = where(found == Mask{} + position, v, zero());
          float* q = to + offset + c;
          lanes.store(q, adds ? lanes.load(q) + part : part);
        };
        if (FAST) {
          write(0, 0), write(across, 1), write(down, 2), write(down + across, 3);
        } else {
          for (i64 i = p.top; i < p.bottom; i++)
            for (i64 j = p.first; j < p.last; j++)
              write(i * down + j * across, static_cast<int>(i * w.columns + j));
        }
      });
    });
    if (dbias)
      in_vectors(w.channels, [&](i64 c, auto lanes) __attribute__((always_inline)) {
        lanes.store(dbias + c, lanes.load(dbias + c) + lanes.load(of_picture + c));
      });
  }
}
void max_pool2d_grad(const Call& k, Share s) {
  const Windows w(k.ints);
  w.are_2_by_2() ? max_pool2d_grad_of<true>(w, k, s) : max_pool2d_grad_of<false>(w, k, s);
}
i64 bytes_of_channels(const i64* ints) { return ints[2] * static_cast<i64>(sizeof(float)); }
REGISTER(max_pool2d_grad, bytes_of_channels);

// --- the mean

// y = mean of x over each window, as far as it lies on the picture    x | y ; windows
void average_pool2d(const Call& k, Share s) {
  const Windows w(k.ints);
  const i64 across = w.channels, down = w.width * w.channels;
  for (i64 row = s.lo; row < s.hi; row++) {
    const float* x = k.at(0, row);
    float* y = k.at(1, row);
    each_window(w, [&](i64 to, Place p) __attribute__((always_inline)) {
      const float* from = x + p.corner;
      const float count = static_cast<float>((p.bottom - p.top) * (p.last - p.first));
      in_vectors(w.channels, [&](i64 c, auto lanes) __attribute__((always_inline)) {
        Vector total = zero();
        for (i64 i = p.top; i < p.bottom; i++)
          for (i64 j = p.first; j < p.last; j++)
            total += lanes.load(from + i * down + j * across + c);
        lanes.store(y + to + c, total / count);
      });
    });
  }
}
REGISTER(average_pool2d, nullptr);

// dx = sum of dy / number of values, over the windows that x lies in    dy | dx ; windows
void average_pool2d_grad(const Call& k, Share s) {
  const Windows w(k.ints);
  const i64 across = w.channels, down = w.width * w.channels;
  const bool adds = !w.apart();
  for (i64 row = s.lo; row < s.hi; row++) {
    const float* dy = k.at(0, row);
    float* dx = k.at(1, row);
    clear(w, dx, adds);
    each_window(w, [&](i64 from, Place p) __attribute__((always_inline)) {
      float* to = dx + p.corner;
      const float count = static_cast<float>((p.bottom - p.top) * (p.last - p.first));
      in_vectors(w.channels, [&](i64 c, auto lanes) __attribute__((always_inline)) {
        const Vector part = lanes.load(dy + from + c) / count;
        for (i64 i = p.top; i < p.bottom; i++)
          for (i64 j = p.first; j < p.last; j++) {
            float* q = to + i * down + j * across + c;
            lanes.store(q, adds ? lanes.load(q) + part : part);
          }
      });
    });
  }
}
REGISTER(average_pool2d_grad, nullptr);

// y = mean of x over all pixels                                x | y ; pixels, channels
void mean_of_pixels(const Call& k, Share s) {
  const i64 pixels = k.ints[0], channels = k.ints[1];
  for (i64 row = s.lo; row < s.hi; row++) {
    const float* x = k.at(0, row);
    float* y = k.at(1, row);
    in_vectors(channels, [&](i64 c, auto lanes) __attribute__((always_inline)) {
      Vector total[4]{};  // four sums at a time: an addition takes four cycles
      i64 i = 0;
      for (; i + 4 <= pixels; i += 4)
        UNROLL for (int u = 0; u < 4; u++) total[u] += lanes.load(x + (i + u) * channels + c);
      for (; i < pixels; i++) total[0] += lanes.load(x + i * channels + c);
      const Vector sum = (total[0] + total[1]) + (total[2] + total[3]);
      lanes.store(y + c, sum / static_cast<float>(pixels));
    });
  }
}
REGISTER(mean_of_pixels, nullptr);

// y = x for every pixel                                        x | y ; pixels, channels
void spread_over_pixels(const Call& k, Share s) {
  const i64 pixels = k.ints[0], channels = k.ints[1];
  for (i64 row = s.lo; row < s.hi; row++) {
    const float* x = k.at(0, row);
    float* y = k.at(1, row);
    for (i64 i = 0; i < pixels; i++, y += channels)
      in_vectors(channels, [&](i64 c, auto lanes) __attribute__((always_inline)) {
        lanes.store(y + c, lanes.load(x + c));
      });
  }
}
REGISTER(spread_over_pixels, nullptr);

}  // namespace
}  // namespace deepneuron::DEEPNEURON_ISA
