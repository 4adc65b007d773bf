// Pointwise formulas as programs: how they are written down.
//
// y = relu(x + bias) * 2 is three steps. Run over whole arrays, each step would read and
// write the memory; so the three of them run over a block of a few hundred values, which
// stays in the processor's nearest cache, and then over the next. Only x is read from
// memory, and only y is written. A step is a loop over a block; running one costs about as
// much as one call of a function.
//
// The values of a program are numbered: its inputs, its outputs, constants, and what lies
// between (temporaries). Its ints are
//
//   inputs, outputs, constants, temporaries, steps
//   block            values at a time, at most BLOCK
//   scratch          bytes of scratch for one value of a block
//   by rows          1: the shape below is that of one row of the batch; 0: of everything
//   shape            4 sizes, of which the first ones may be 1
//   for each input   type, period, scratch, 4 strides
//     period 0       it has the shape of the output
//     period p > 0   its p values come again and again: 1 for a number, c for a bias (c,)
//     period -1      anything else: 4 strides say how it is spread
//   for each output  type
//   for each constant, for each temporary: type, scratch
//   for each step    operation * TYPES + type, result, and three values it is made of
//
// and the constants are its floats. "scratch" says where in scratch a value has its block:
// that many bytes for each value of a block come before it.
#pragma once
#include "program.h"

namespace deepneuron {

constexpr i64 BLOCK = 512;  // 2 KB of floats: a dozen of such blocks fit the nearest cache
constexpr int MOST_VALUES = 64;

// In the order in which rules/pointwise.py has them.
enum Type : int { F32, I32, I64, U32, I8, U8, BOOL, TYPES = 8 };
constexpr i64 SIZE[] = {4, 4, 8, 4, 1, 1, 1};

#define DEEPNEURON_POINTWISE(X)                                                             \
  X(copy) X(to_f32) X(to_i32) X(to_i64) X(to_u32) X(to_i8) X(to_u8) X(to_bool)              \
  X(add) X(subtract) X(multiply) X(divide) X(maximum) X(minimum) X(negative) X(absolute)    \
  X(sign) X(floor_divide) X(mod) X(equal) X(not_equal) X(greater) X(greater_equal) X(less)  \
  X(less_equal) X(select) X(logical_and) X(logical_or) X(logical_xor) X(logical_not)        \
  X(isnan) X(isinf) X(isfinite) X(relu) X(relu_grad)                      \
  X(floor) X(ceil) X(rint) X(sqrt) X(power)                                                 \
  X(exp) X(expm1) X(log) X(log1p) X(tanh) X(sigmoid) X(softplus) X(erf) X(erfc)             \
  X(exp2) X(log2) X(log10) X(sin) X(cos) X(tan) X(arcsin) X(arccos) X(arctan) X(arctan2)    \
  X(sinh) X(cosh)

enum class Step : int {
#define X(name) name,
  DEEPNEURON_POINTWISE(X)
#undef X
  COUNT
};

}  // namespace deepneuron
