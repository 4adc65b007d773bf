// Lines of `classes` values, one behind the other, and what is taken over each of them.
//
// A long line is gone through in vectors, whose lanes are joined at its end. Of a short line
// most lanes would be empty, and joining them would take longer than all the rest. So up to
// WIDTH short lines are taken side by side: a vector holds one class of all of them.
//
//   over_lines(count, classes, [&](i64 line, auto lines) {
//     const float* x = of_line_0 + line * classes;
//     const Vector total = lines.sum([&](i64 j, auto lanes) { return lanes.load(x + j); });
//     lines.each([&](i64 j, auto lanes) { lanes.store(y + j, lanes.load(x + j) / total); });
//   });
//
// The body is compiled for both. What a line has one of, such as its total, is a Vector: a
// lane for each of the lines side by side, or that of the one line in all lanes.
#pragma once
#include "lanes.h"

namespace deepneuron::DEEPNEURON_ISA {
namespace {

constexpr i64 SHORT = 16;  // beyond, reading values that stand far apart takes longer

struct LongLine {
  i64 classes;

  INLINE i64 count() const { return 1; }
  INLINE Vector get(const float* of_each) const { return all(*of_each); }
  INLINE void put(float* of_each, Vector v) const { *of_each = v[0]; }

  template <class Body>
  INLINE void each(Body body) const { in_vectors(classes, body); }
  template <class Term>
  INLINE Vector sum(Term term) const {
    Vector total = zero();
    each([&](i64 j, auto lanes) __attribute__((always_inline)) {
      total += lanes.only(term(j, lanes));
    });
    return all(DEEPNEURON_ISA::sum(total));
  }
  INLINE Vector largest(const float* x) const { return all(largest_of(x, classes)); }
  template <class Label>
  INLINE Vector pick(const float* x, const Label* t) const { return all(x[*t]); }
};

struct ShortLines {
  i64 classes, n;

  INLINE i64 count() const { return n; }
  INLINE Vector get(const float* of_each) const {
    return n == WIDTH ? DEEPNEURON_ISA::load(of_each) : load_some(of_each, n);
  }
  INLINE void put(float* of_each, Vector v) const {
    if (n == WIDTH) DEEPNEURON_ISA::store(of_each, v);
    else store_some(of_each, v, n);
  }

  // One class of all lines; they stand `classes` floats apart.
  INLINE Vector load(const float* x) const { return load_apart(x, classes, n); }
  INLINE void store(float* x, Vector v) const { store_apart(x, v, classes, n); }

  template <class Body>
  INLINE void each(Body body) const {
    for (i64 j = 0; j < classes; j++) body(j, *this);
  }
  template <class Term>
  INLINE Vector sum(Term term) const {
    Vector total = zero();
    for (i64 j = 0; j < classes; j++) total += term(j, *this);
    return total;
  }
  INLINE Vector largest(const float* x) const {
    Vector most = load(x);
    for (i64 j = 1; j < classes; j++) most = maximum(most, load(x + j));
    return most;
  }
  template <class Label>
  INLINE Vector pick(const float* x, const Label* t) const {
    Vector v = zero();
    for (i64 i = 0; i < n; i++) v[i] = x[i * classes + t[i]];
    return v;
  }
};

// body(number of the first line, lines) for all of `count` lines
template <class Body>
INLINE void over_lines(i64 count, i64 classes, Body body) {
  if (classes <= SHORT)
    for (i64 i = 0; i < count; i += WIDTH)
      body(i, ShortLines{classes, count - i < WIDTH ? count - i : WIDTH});
  else
    for (i64 i = 0; i < count; i++) body(i, LongLine{classes});
}

}  // namespace
}  // namespace deepneuron::DEEPNEURON_ISA
