// Copies: the rows of a batch out of the samples, and whole values.
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

}  // namespace
}  // namespace deepneuron::DEEPNEURON_ISA
