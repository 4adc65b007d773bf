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
// as the kernel has rows.
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

// --- frames

// A copy of a picture with zeros around it, for windows that reach over its edge. Lines of
// the picture that no window reads are left out.
struct Frame {
  i64 top, left;      // lines of zeros before the picture
  i64 height, width;  // of the frame, in pixels

  INLINE i64 size(i64 channels) const { return height * width * channels; }
  INLINE bool needed(i64 picture_height, i64 picture_width) const {
    return top || left || height > picture_height || width > picture_width;
  }
};

// What the windows over x read.
INLINE Frame frame_of_x(const Convolution& v) {
  return {v.top, v.left, (v.down - 1) * v.stride_y + (v.rows - 1) * v.dilation_y + 1,
          (v.across - 1) * v.stride_x + (v.columns - 1) * v.dilation_x + 1};
}

// What all pixels of dx read of dy.
INLINE Frame frame_of_dy(const Convolution& v) {
  const i64 top = -least(0, divide_down(v.top - (v.rows - 1) * v.dilation_y, v.stride_y));
  const i64 left = -least(0, divide_down(v.left - (v.columns - 1) * v.dilation_x, v.stride_x));
  return {top, left, divide_down(v.top + v.height - 1, v.stride_y) + 1 + top,
          divide_down(v.left + v.width - 1, v.stride_x) + 1 + left};
}

// So many pictures are worked on at once: small ones fill tiles together, large ones should
// stay in the cache.
constexpr i64 BLOCK_BYTES = 1 << 17;
INLINE i64 pictures_at_once(i64 size) {
  return most(1, least(64, BLOCK_BYTES / static_cast<i64>(sizeof(float)) / most(size, 1)));
}

// A few pictures, one `step` of floats behind the other; their lines are `line` floats long.
struct Pictures {
  const float* first;
  i64 step, line;
};

// Rows `lo..hi` of operand i as they are, or in frames, whose margins are zero already.
INLINE Pictures framed(const Call& k, int i, i64 lo, i64 hi, i64 height, i64 width, i64 channels,
                       const Frame& f, float* frames) {
  if (!f.needed(height, width)) return {k.at(i, lo), k.stride(i), width * channels};
  const i64 line = f.width * channels;
  const i64 lines = least(height, f.height - f.top);
  const i64 length = most(0, least(width, f.width - f.left)) * channels;
  for (i64 row = lo; row < hi; row++) {
    const float* from = k.at(i, row);
    float* to = frames + (row - lo) * f.size(channels) + f.top * line + f.left * channels;
    for (i64 y = 0; y < lines; y++)
      __builtin_memcpy(to + y * line, from + y * width * channels, length * sizeof(float));
  }
  return {frames, f.size(channels), line};
}

// --- taps

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
  i64 at, stride;          // ... reads dy's line at + i * stride, for the phase's first line
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

// --- panels

// B lies in panels of a few vectors of its columns, one panel behind the other, each with all
// rows of B; the last one is filled up with zeros.
struct Panel {
  i64 first, columns;  // of B
  int vectors;
};
INLINE Panel panel_from(i64 first, i64 columns) {
  const i64 here = least(columns - first, panel_vectors(columns) * WIDTH);
  return {first, here, static_cast<int>((here + WIDTH - 1) / WIDTH)};
}

// --- products

// The pixels of a grid, in several pictures: floats from one to the next.
struct Steps {
  i64 picture, y, x;
};
struct Grid {
  i64 pictures, down, across;
  Steps in, out;
};

// out[pixel, :] = sum over k of in[pixel, k] B[k, :] (+ bias, relu), B in panels.
INLINE void multiply(const Grid& g, const float* in, Along along, const float* b, i64 columns,
                     float* out, const float* bias, bool rectify) {
  const i64 depth = along.pieces * along.length, pixels = g.pictures * g.down * g.across;
  const Into into = rectify ? Into::bias_relu : bias ? Into::bias : Into::store;
  for (i64 first = 0; first < columns;) {
    const Panel p = panel_from(first, columns);
    const bool ragged = p.columns < p.vectors * WIDTH;
    const Tile* of_height = tiles(p.vectors);
    float panel_bias[MOST_VECTORS * WIDTH] = {};
    if (bias) __builtin_memcpy(panel_bias, bias + first, p.columns * sizeof(float));
    float whole[MOST_ROWS * MOST_VECTORS * WIDTH];  // a tile that is wider than C

    const i64 count = tile_count(pixels, p.vectors);
    const float *picture_in = in, *line_in = in;
    float *picture_out = out + first, *line_out = picture_out;
    i64 y = 0, x = 0;
    for (i64 i = 0; i < count; i++) {
      const int height = static_cast<int>(tile_start(pixels, count, i + 1) -
                                          tile_start(pixels, count, i));
      const float* a[MOST_ROWS];
      float *c[MOST_ROWS], *to[MOST_ROWS];
      for (int r = 0; r < height; r++) {
        a[r] = line_in + x * g.in.x;
        to[r] = line_out + x * g.out.x;
        c[r] = ragged ? whole + r * p.vectors * WIDTH : to[r];
        if (++x < g.across) continue;
        x = 0, line_in += g.in.y, line_out += g.out.y;
        if (++y < g.down) continue;
        y = 0, line_in = picture_in += g.in.picture, line_out = picture_out += g.out.picture;
      }
      of_height[height - 1](a, along, b, p.vectors * WIDTH, c, panel_bias, into);
      if (ragged)
        for (int r = 0; r < height; r++)
          __builtin_memcpy(to[r], c[r], p.columns * sizeof(float));
    }
    b += depth * p.vectors * WIDTH;
    first += p.columns;
  }
}

}  // namespace
}  // namespace deepneuron::DEEPNEURON_ISA
