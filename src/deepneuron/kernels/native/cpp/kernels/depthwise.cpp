// Depthwise convolution, in which every channel has kernels of its own, and its gradients.
//
//   x: (height, width, channels)     kernel: (rows, columns, channels, multiplier)
//   y: (down, across, filters)       filter c * multiplier + m sees channel c only
//
// Nothing is summed over channels, so vectors lie along them, and a few neighbouring pixels
// are computed together: they look at the same kernel, and in part at the same pixels of x.
// If there are several filters to a channel, or channels do not fill vectors, pictures are
// copied with each channel repeated and zeros behind the last one; all that follows then
// knows whole vectors and one filter to a channel only.
#include "../conv.h"

namespace deepneuron::DEEPNEURON_ISA {
namespace {

// --- wide pictures

INLINE i64 multiplier(const Convolution& v) { return v.filters / v.channels; }
INLINE i64 wide(const Convolution& v) { return whole_vectors(v.filters); }
INLINE bool x_widens(const Convolution& v) { return wide(v) != v.channels; }
INLINE bool y_widens(const Convolution& v) { return wide(v) != v.filters; }

// to[pixel, :] = each of `channels` values of from[pixel, :] `times` times, zeros behind them
INLINE void widen(const float* from, i64 pixels, i64 channels, i64 times, float* to) {
  const i64 width = whole_vectors(channels * times);
  for (i64 i = 0; i < pixels; i++, from += channels, to += width) {
    if (times == 1)
      __builtin_memcpy(to, from, channels * sizeof(float));
    else
      for (i64 c = 0; c < channels; c++)
        for (i64 m = 0; m < times; m++) to[c * times + m] = from[c];
    for (i64 c = channels * times; c < width; c++) to[c] = 0;
  }
}

// to[pixel, c] = the sum of the `times` values that belong to channel c
INLINE void narrow(const float* from, i64 pixels, i64 channels, i64 times, float* to) {
  const i64 width = whole_vectors(channels * times);
  for (i64 i = 0; i < pixels; i++, from += width, to += channels) {
    if (times == 1)
      __builtin_memcpy(to, from, channels * sizeof(float));
    else
      for (i64 c = 0; c < channels; c++) {
        float sum = from[c * times];
        for (i64 m = 1; m < times; m++) sum += from[c * times + m];
        to[c] = sum;
      }
  }
}

// Scratch memory for one wide picture of each kind.
struct Wide {
  float *x, *y, *kernel, *bias;
};
INLINE Wide wide_memory(const Convolution& v, char* scratch) {
  float* x = reinterpret_cast<float*>(scratch);
  float* y = x + v.height * v.width * wide(v);
  float* kernel = y + v.down * v.across * wide(v);
  return {x, y, kernel, kernel + v.rows * v.columns * wide(v)};
}
i64 depthwise_scratch(const i64* ints) {
  const Convolution& v = convolution(ints);
  if (!x_widens(v) && !y_widens(v)) return 0;
  const i64 pixels = v.height * v.width + v.down * v.across + v.rows * v.columns + 1;
  return pixels * wide(v) * sizeof(float);
}

// --- forward, and the gradient of x

// Rows of the input and of the kernel that a line of outputs looks at, and how far it is, in
// floats, to the next row, tap and pixel.
struct Line {
  i64 rows, taps;
  const float *in, *weights;
  i64 in_row, in_tap, in_pixel;
  i64 weights_row, weights_tap;
  i64 out_pixel;
};

// PIXELS outputs beside one another. If TAPS is given, the taps are neighbours, and pixels
// are MOVE apart: the compiler then loads a pixel that several outputs look at only once.
template <int PIXELS, int TAPS, int MOVE>
INLINE void some_pixels(const Line& l, const float* bias, bool rectify, float* out,
                        i64 channels) {
  for (i64 c = 0; c < channels; c += WIDTH) {
    const Vector start = bias ? load(bias + c) : zero();
    Vector sum[PIXELS];
    UNROLL for (int p = 0; p < PIXELS; p++) sum[p] = start;
    for (i64 a = 0; a < l.rows; a++) {
      const float *x = l.in + a * l.in_row + c, *w = l.weights + a * l.weights_row + c;
      if constexpr (TAPS > 0) {
        UNROLL for (int b = 0; b < TAPS; b++) {
          const Vector weight = load(w + b * l.weights_tap);
          UNROLL for (int p = 0; p < PIXELS; p++)
            sum[p] += load(x + (p * MOVE + b) * l.in_tap) * weight;
        }
      } else {
        for (i64 b = 0; b < l.taps; b++) {
          const Vector weight = load(w + b * l.weights_tap);
          UNROLL for (int p = 0; p < PIXELS; p++)
            sum[p] += load(x + p * l.in_pixel + b * l.in_tap) * weight;
        }
      }
    }
    UNROLL for (int p = 0; p < PIXELS; p++)
      store(out + p * l.out_pixel + c, rectify ? relu(sum[p]) : sum[p]);
  }
}

template <int TAPS, int MOVE>
void some_line(Line l, i64 count, const float* bias, bool rectify, float* out, i64 channels) {
  constexpr int PIXELS = 4;
  for (; count >= PIXELS; count -= PIXELS) {
    some_pixels<PIXELS, TAPS, MOVE>(l, bias, rectify, out, channels);
    l.in += PIXELS * l.in_pixel, out += PIXELS * l.out_pixel;
  }
  for (; count > 0; count--) {
    some_pixels<1, TAPS, MOVE>(l, bias, rectify, out, channels);
    l.in += l.in_pixel, out += l.out_pixel;
  }
}

// All pixels of one picture (or of a phase of it) that `down` and `across` describe.
void slide(const Axis& down, const Axis& across, const float* in, const float* kernel,
           i64 columns, const float* bias, bool rectify, float* out, i64 out_line,
           i64 channels) {
  const i64 pixel = channels;
  const Range inner = across.inner();
  for (i64 i = 0; i < down.outputs; i++) {
    const Range seen = down.taps(i);
    const i64 a = seen.lo, rows = seen.hi - seen.lo;
    Line l{rows, 0, nullptr, nullptr,
           down.tap * across.inputs * pixel, across.tap * pixel, across.move * pixel,
           down.weight_step * columns * pixel, across.weight_step * pixel,
           across.out_step * pixel};
    const float* in_rows = in + (down.at + i * down.move + a * down.tap) * across.inputs * pixel;
    const float* weight_rows = kernel + (down.weight + a * down.weight_step) * columns * pixel;
    float* line = out + (down.out + i * down.out_step) * out_line + across.out * pixel;
    for (i64 j = 0; j < across.outputs;) {
      const bool whole = j >= inner.lo && j < inner.hi;
      const Range columns_seen = across.taps(j);
      const i64 b = columns_seen.lo;
      l.taps = columns_seen.hi - b;
      l.in = in_rows + (across.at + j * across.move + b * across.tap) * pixel;
      l.weights = weight_rows + (across.weight + b * across.weight_step) * pixel;
      if (l.taps == 0) l.rows = 0;  // in_rows may point nowhere
      float* to = line + j * l.out_pixel;
      const i64 count = whole ? inner.hi - j : 1;
      if (l.taps == 3 && across.tap == 1 && across.move == 1)
        some_line<3, 1>(l, count, bias, rectify, to, channels);
      else if (l.taps == 3 && across.tap == 1 && across.move == 2)
        some_line<3, 2>(l, count, bias, rectify, to, channels);
      else if (l.taps == 5 && across.tap == 1 && across.move == 1)
        some_line<5, 1>(l, count, bias, rectify, to, channels);
      else
        some_line<0, 0>(l, count, bias, rectify, to, channels);
      l.rows = rows;
      j += count;
    }
  }
}

// y = x * kernel (+ bias) (relu)      x, kernel, bias or none | y ; Convolution, relu
void depthwise_conv2d(const Call& k, Share s) {
  const Convolution& v = convolution(k.ints);
  const bool rectify = k.ints[CONVOLUTION_NUMBERS];
  const i64 channels = wide(v);
  const Wide w = wide_memory(v, k.context.scratch);
  const float *kernel = k.at(1), *bias = k.at(2);
  if (y_widens(v)) {
    widen(kernel, v.rows * v.columns, v.filters, 1, w.kernel);
    kernel = w.kernel;
    if (bias) widen(bias, 1, v.filters, 1, w.bias), bias = w.bias;
  }
  const Axis down = forward_axis(v.down, v.height, v.rows, v.top, v.stride_y, v.dilation_y);
  const Axis across = forward_axis(v.across, v.width, v.columns, v.left, v.stride_x, v.dilation_x);
  for (i64 row = s.lo; row < s.hi; row++) {
    const float* x = k.at(0, row);
    if (x_widens(v)) widen(x, v.height * v.width, v.channels, multiplier(v), w.x), x = w.x;
    float* y = y_widens(v) ? w.y : k.at(3, row);
    slide(down, across, x, kernel, v.columns, bias, rectify, y, v.across * channels, channels);
    if (y_widens(v)) narrow(y, v.down * v.across, v.filters, 1, k.at(3, row));
  }
}
REGISTER(depthwise_conv2d, depthwise_scratch);

// dx, for y = x * kernel              dy, kernel | dx ; Convolution
void depthwise_conv2d_input_grad(const Call& k, Share s) {
  const Convolution& v = convolution(k.ints);
  const i64 channels = wide(v);
  const Wide w = wide_memory(v, k.context.scratch);
  const float* kernel = k.at(1);
  if (y_widens(v)) widen(kernel, v.rows * v.columns, v.filters, 1, w.kernel), kernel = w.kernel;
  for (i64 row = s.lo; row < s.hi; row++) {
    const float* dy = k.at(0, row);
    if (y_widens(v)) widen(dy, v.down * v.across, v.filters, 1, w.y), dy = w.y;
    float* dx = x_widens(v) ? w.x : k.at(2, row);
    for (i64 py = 0; py < least(v.stride_y, v.height); py++)
      for (i64 px = 0; px < least(v.stride_x, v.width); px++)
        slide(backward_axis(py, v.height, v.down, v.rows, v.top, v.stride_y, v.dilation_y),
              backward_axis(px, v.width, v.across, v.columns, v.left, v.stride_x, v.dilation_x),
              dy, kernel, v.columns, nullptr, false, dx, v.width * channels, channels);
    if (x_widens(v)) narrow(dx, v.height * v.width, v.channels, multiplier(v), k.at(2, row));
  }
}
REGISTER(depthwise_conv2d_input_grad, depthwise_scratch);

// --- the gradient of the kernel

// Sums over pixels (i, j), lo..hi each, of x[i, j + tap] dy[i, j], for TAPS neighbouring taps
// and one vector of channels. Steps in floats; MOVE, if given, is how many taps it is from
// one pixel to the next.
struct Pixels {
  Range i, j;
  const float *x, *dy;
  i64 x_line, x_pixel, x_tap, dy_line, dy_pixel;
};
template <int TAPS, int MOVE>
INLINE void sum_pixels(const Pixels& p, Vector* total) {
  constexpr int PIXELS = 4;  // with sums of their own: additions need not wait for one another
  Vector sum[PIXELS][TAPS];
  UNROLL for (int u = 0; u < PIXELS; u++) {
    UNROLL for (int b = 0; b < TAPS; b++) sum[u][b] = zero();
  }
  for (i64 i = p.i.lo; i < p.i.hi; i++) {
    const float* x = p.x + i * p.x_line + p.j.lo * p.x_pixel;
    const float* dy = p.dy + i * p.dy_line + p.j.lo * p.dy_pixel;
    i64 left = p.j.hi - p.j.lo;
    for (; left >= PIXELS; left -= PIXELS, x += PIXELS * p.x_pixel, dy += PIXELS * p.dy_pixel) {
      UNROLL for (int u = 0; u < PIXELS; u++) {
        const Vector d = load(dy + u * p.dy_pixel);
        UNROLL for (int b = 0; b < TAPS; b++)
          sum[u][b] += d * load(MOVE ? x + (u * MOVE + b) * p.x_tap : x + u * p.x_pixel);
      }
    }
    for (; left > 0; left--, x += p.x_pixel, dy += p.dy_pixel) {
      UNROLL for (int b = 0; b < TAPS; b++) sum[0][b] += load(dy) * load(x + b * p.x_tap);
    }
  }
  UNROLL for (int b = 0; b < TAPS; b++)
    total[b] += (sum[0][b] + sum[1][b]) + (sum[2][b] + sum[3][b]);
}

// dkernel += x^T dy, within channels  x, dy | sums of dkernel ; Convolution
void depthwise_conv2d_kernel_grad(const Call& k, Share s) {
  const Convolution& v = convolution(k.ints);
  const i64 channels = wide(v), size = v.rows * v.columns * v.filters;
  const Wide w = wide_memory(v, k.context.scratch);
  float* sums = k.at(2);
  if (k.context.fresh) __builtin_memset(sums, 0, size * sizeof(float));
  const Axis down = forward_axis(v.down, v.height, v.rows, v.top, v.stride_y, v.dilation_y);
  const Axis across = forward_axis(v.across, v.width, v.columns, v.left, v.stride_x, v.dilation_x);
  const Range inner = across.inner();
  // The outputs for which line `tap` of the kernel lies in the picture.
  const auto seen = [](const Axis& axis, i64 tap) {
    Axis one = axis;
    one.count = 1, one.at += tap * axis.tap;
    return one.inner();
  };
  for (i64 row = s.lo; row < s.hi; row++) {
    const float *x = k.at(0, row), *dy = k.at(1, row);
    if (x_widens(v)) widen(x, v.height * v.width, v.channels, multiplier(v), w.x), x = w.x;
    if (y_widens(v)) widen(dy, v.down * v.across, v.filters, 1, w.y), dy = w.y;
    for (i64 c = 0; c < channels; c += WIDTH)
      for (i64 a = 0; a < v.rows; a++) {
        Pixels p{seen(down, a), inner, nullptr, dy + c,
                 v.stride_y * v.width * channels, v.stride_x * channels, v.dilation_x * channels,
                 v.across * channels, channels};
        const float* first = x + ((down.at + a * down.tap) * v.width + across.at) * channels + c;
        const auto add = [&](i64 b, Vector sum) {
          float* to = sums + (a * v.columns + b) * v.filters + c;
          const i64 here = least(WIDTH, v.filters - c);
          if (here == WIDTH) store(to, load(to) + sum);
          else store_some(to, load_some(to, here) + sum, here);
        };
        const bool three = v.columns == 3 && v.dilation_x == 1 && v.stride_x <= 2;
        Vector together[3] = {zero(), zero(), zero()};
        p.x = first;
        if (three && v.stride_x == 1) sum_pixels<3, 1>(p, together);
        if (three && v.stride_x == 2) sum_pixels<3, 2>(p, together);
        for (i64 b = 0; b < v.columns; b++) {
          Vector sum = three ? together[b] : zero();
          const Range all = seen(across, b);
          p.x = first + b * p.x_tap;
          p.j = {all.lo, three ? least(all.hi, inner.lo) : all.hi};
          sum_pixels<1, 0>(p, &sum);
          if (three) {
            p.j = {most(inner.hi, all.lo), all.hi};
            sum_pixels<1, 0>(p, &sum);
          }
          add(b, sum);
        }
      }
  }
}
REGISTER(depthwise_conv2d_kernel_grad, depthwise_scratch);

}  // namespace
}  // namespace deepneuron::DEEPNEURON_ISA
