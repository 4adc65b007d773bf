// The sum over all rows, from the sums that every shard has made of its own.
#include "../simd.h"

namespace deepneuron::DEEPNEURON_ISA {
namespace {

// y = sum of the shards' sums, in their order          sums | y ; floats
void sum_shards(const Call& k, Share s) {
  const Range part = cut(k.ints[0], s.part, s.parts, WIDTH);
  float* y = k.at(1);
  for (i64 i = part.lo; i < part.hi; i++) {
    float total = k.shard(0, 0)[i];
    for (int q = 1; q < k.context.shard_count; q++) total += k.shard(0, q)[i];
    y[i] = total;
  }
}
REGISTER(sum_shards, nullptr);

}  // namespace
}  // namespace deepneuron::DEEPNEURON_ISA
