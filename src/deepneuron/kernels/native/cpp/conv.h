// Convolution: what the kernels of conv.cpp and depthwise.cpp have in common.
//
//   x: (height, width, channels)     kernel: (rows, columns, channels / groups, filters)
//   y: (down, across, filters)
//
//   y[i, j, f] = sum over a, b, c of
//       x[i stride_y + a dilation_y - top, j stride_x + b dilation_x - left, c]
//       kernel[a, b, c, f]                     x is 0 outside of the picture
//
// Nothing is copied into a matrix of windows. A tile (tile.h) takes one pointer for each
// pixel of y, to the first value of its window, and reads on from there in pieces: as many
// as the kernel has rows. Pixels at the border, whose windows lie partly in the padding,
// make tiles of their own, which read only the part of the kernel that meets the picture.
#pragma once
#include "tile.h"

namespace deepneuron::DEEPNEURON_ISA {
namespace {

// The numbers that every instruction of a convolution has, in this order.
struct Convolution {
  i64 height, width, channels;
  i64 rows, columns, filters;
  i64 down, across;
  i64 stride_y, stride_x, dilation_y, dilation_x;
  i64 top, left;  // lines of zeros before the picture
  i64 groups;     // filters of a group see the channels of that group only
};
constexpr int CONVOLUTION_NUMBERS = sizeof(Convolution) / sizeof(i64);

INLINE const Convolution& convolution(const i64* ints) {
  return *reinterpret_cast<const Convolution*>(ints);
}

INLINE i64 least(i64 a, i64 b) { return a < b ? a : b; }
INLINE i64 most(i64 a, i64 b) { return a > b ? a : b; }
INLINE i64 divide_down(i64 a, i64 b) { return a / b - (a % b < 0); }
INLINE i64 divide_up(i64 a, i64 b) { return -divide_down(-a, b); }
INLINE i64 whole_vectors(i64 n) { return (n + WIDTH - 1) / WIDTH * WIDTH; }

// --- axes

// What outputs look at along one axis. Output i looks, by its tap t, at the input's line
// at + i * move + t * tap, if there is one, and weighs it by the kernel's line
// weight + t * weight_step. It is itself line out + i * out_step of its picture.
struct Axis {
  i64 outputs, inputs, count;  // lines of the pictures, and how many taps
  i64 at, move, tap;
  i64 weight, weight_step;
  i64 out, out_step;

  // The taps of output i that meet the picture.
  INLINE Range taps(i64 i) const {
    const i64 first = at + i * move;
    const i64 lo = first < 0 ? divide_up(-first, tap) : 0;
    const i64 hi = least(count, divide_down(inputs - 1 - first, tap) + 1);
    return lo < hi ? Range{lo, hi} : Range{0, 0};
  }
  // The outputs all of whose taps meet it.
  INLINE Range inner() const {
    const i64 lo = least(outputs, at < 0 ? divide_up(-at, move) : 0);
    const i64 hi = least(outputs, divide_down(inputs - 1 - at - (count - 1) * tap, move) + 1);
    return {lo, most(lo, hi)};
  }
};

// Forward, an output is a line of y, and looks at x.
INLINE Axis forward_axis(i64 outputs, i64 inputs, i64 taps, i64 before, i64 stride, i64 dilation) {
  return {outputs, inputs, taps, -before, stride, dilation, 0, 1, 0, 1};
}

// The gradient of x gathers: a pixel of dx sums the pixels of dy whose windows cover it,
//
//   dx[y, x, c] = sum over a, b, f of kernel[a, b, c, f]
//       dy[(y + top - a dilation_y) / stride_y, (x + left - b dilation_x) / stride_x, f]
//
// over those a and b for which the divisions leave no rest. These are the same for all y
// (and x) with the same rest by the stride. So dx falls apart into stride_y * stride_x
// pictures, its phases, each of them a plain convolution of dy with a part of the kernel.
//
// Along one axis, the taps of a phase: those a for which phase + before - a dilation is a
// multiple of the stride, the last first, so that dy is read forwards.
struct Taps {
  i64 first, step, count;  // a = first - i * step
  i64 at, stride;          // ... looks at dy's line at + i * stride, for the phase's first line
};
INLINE Taps taps_of(i64 phase, i64 before, i64 size, i64 stride, i64 dilation) {
  Taps t{0, 1, 0, 0, 1};
  for (i64 a = size - 1; a >= 0; a--) {
    const i64 distance = phase + before - a * dilation;
    if (distance % stride) continue;
    if (t.count == 0) t.first = a, t.at = distance / stride;
    if (t.count == 1) t.step = t.first - a, t.stride = distance / stride - t.at;
    t.count++;
  }
  return t;
}

// An output is a line of dx that belongs to a phase, and looks at dy.
INLINE Axis backward_axis(i64 phase, i64 lines, i64 inputs, i64 size, i64 before, i64 stride,
                          i64 dilation) {
  const Taps t = taps_of(phase, before, size, stride, dilation);
  return {divide_up(lines - phase, stride), inputs, t.count, t.at, 1, t.stride,
          t.first, -t.step, phase, stride};
}

}  // namespace
}  // namespace deepneuron::DEEPNEURON_ISA
