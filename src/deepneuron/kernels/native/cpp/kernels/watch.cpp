// Looking on: what a run records of its steps, and when it stops by itself.
#include "../simd.h"

namespace deepneuron::DEEPNEURON_ISA {
namespace {

constexpr int NOT_FINITE = 2;  // the fault that `guard` raises

// Every so many steps, y[next place] = x; the last place is followed by the first.
//                                             x | y ; bytes, every, places
void record(const Call& k, Share s) {
  const i64 bytes = k.ints[0], every = k.ints[1], places = k.ints[2];
  if (k.context.step % every) return;
  const Range part = cut(bytes, s.part, s.parts, 64);
  char* y = k.at<char>(1) + k.context.step / every % places * bytes;
  std::memcpy(y + part.lo, k.at<char>(0) + part.lo, part.hi - part.lo);
}
REGISTER(record, nullptr);

// Raises a fault if a value is NaN or infinite.             x | ; floats
//
// x - x is 0 for every finite x and NaN for the others, and a sum keeps a NaN.
void guard(const Call& k, Share s) {
  const Range part = cut(k.ints[0], s.part, s.parts, WIDTH);
  const float* x = k.at(0);
  Vector sum = zero();
  i64 i = part.lo;
  for (; i + WIDTH <= part.hi; i += WIDTH) sum += load(x + i) - load(x + i);
  if (i < part.hi) sum += load_some(x + i, part.hi - i) - load_some(x + i, part.hi - i);
  for (int lane = 0; lane < WIDTH; lane++)
    if (sum[lane] != 0) k.context.fault->store(NOT_FINITE);
}
REGISTER(guard, nullptr);

}  // namespace
}  // namespace deepneuron::DEEPNEURON_ISA
