// Products of matrices: dense layers forward and backward, attention.
#include "../gemm_small.h"

namespace deepneuron::DEEPNEURON_ISA {
namespace {

i64 gemm_bytes(const i64*) { return gemm_scratch(); }

// Small products go to one thread: waking another takes longer.
INLINE void run(const Product& p, Share s, float* scratch) {
  if (!is_small(p)) return multiply(p, s.part, s.parts, scratch);
  if (s.part == 0) multiply_small(p);
}

// c = relu(a op(b) + bias)                 a, b, bias, mask | c ; n, k, rows, tb, relu
// c = where mask > 0: a op(b), else 0
// a: (rows, k) for each row of the batch; b: (k, n), or (n, k) if tb; c, mask: (rows, n)
void gemm(const Call& k, Share s) {
  const i64 n = k.ints[0], depth = k.ints[1], rows = k.ints[2];
  const bool tb = k.ints[3];
  Product p{(s.hi - s.lo) * rows, n, depth, k.at(0, s.lo), depth, false,
            k.at(1), tb ? depth : n, tb, k.at(4, s.lo), n};
  p.bias = k.at(2);
  p.relu = k.ints[4];
  p.mask = k.at(3, s.lo);
  p.ldm = n;
  p.dots = tb && k.context.rows * rows <= FEW;  // whatever chunk this is
  run(p, s, reinterpret_cast<float*>(k.context.scratch));
}
REGISTER(gemm, gemm_bytes);

// g = x^T d, the sum taken over the batch; sum = the sum of d's rows
//                                          x, d | g, sum ; m, n, rows, shard
// x: (rows, m) for each row of the batch; d: (rows, n); g: (m, n); sum: (n,) or absent
// shard: g and sum lie in SHARD, where the sums of many calls grow
void gemm_over_batch(const Call& k, Share s) {
  const i64 m = k.ints[0], n = k.ints[1], rows = k.ints[2];
  Product p{m, n, (s.hi - s.lo) * rows, k.at(0, s.lo), m, true, k.at(1, s.lo), n, false,
            k.at(2), n};
  p.sum = k.at(3);
  p.add = k.ints[3] && !k.context.fresh;
  run(p, s, reinterpret_cast<float*>(k.context.scratch));
}
REGISTER(gemm_over_batch, gemm_bytes);

// c[i] = op(a[i]) op(b[i])                 a, b | c ; m, n, k, ta, tb, lda, ldb, ldc, count,
//                                                     a_step, b_step, c_step
// count products for each row of the batch; *_step: floats from one matrix to the next
void gemm_each(const Call& k, Share s) {
  const i64* i = k.ints;
  const i64 count = i[8], a_step = i[9], b_step = i[10], c_step = i[11];
  float* const scratch = reinterpret_cast<float*>(k.context.scratch);
  for (i64 row = s.lo; row < s.hi; row++)
    for (i64 q = 0; q < count; q++)
      run({i[0], i[1], i[2], k.at(0, row) + q * a_step, i[5], i[3] != 0,
           k.at(1, row) + q * b_step, i[6], i[4] != 0, k.at(2, row) + q * c_step, i[7]},
          {0, 0, 0, 1}, scratch);
}
REGISTER(gemm_each, gemm_bytes);

// c = op(a) op(b)                          a, b | c ; m, n, k, ta, tb, lda, ldb, ldc
// matrices that have nothing to do with the batch
void gemm_whole(const Call& k, Share s) {
  const i64* i = k.ints;
  run({i[0], i[1], i[2], k.at(0), i[5], i[3] != 0, k.at(1), i[6], i[4] != 0, k.at(2), i[7]}, s,
      reinterpret_cast<float*>(k.context.scratch));
}
REGISTER(gemm_whole, gemm_bytes);

}  // namespace
}  // namespace deepneuron::DEEPNEURON_ISA
