// Random numbers: the bits of NumPy's Philox, and from them masks and uniform numbers.
//
// Philox is a cipher: block number c of its stream is c, enciphered with the key. So the
// bits of any element are found at once, whichever thread asks, and no state is kept.
//
// Source: Salmon et al., "Parallel random numbers: as easy as 1, 2, 3", SC 2011.
#include "../simd.h"

namespace deepneuron::DEEPNEURON_ISA {
namespace {

using u64 = std::uint64_t;
using u32 = std::uint32_t;

// Philox4x64-10: block number + 1 of the stream, for NumPy counts before it enciphers. Its
// four words of 64 bits are eight numbers of 32. A block is one long chain of products that
// wait for each other, so some blocks are worked on at a time.
constexpr int TOGETHER = 4;

INLINE void encipher(u64 number, u64 key0, u64 key1, u64 (*word)[4]) {
  u64 a[TOGETHER], b[TOGETHER], c[TOGETHER], d[TOGETHER];
  UNROLL for (int i = 0; i < TOGETHER; i++) a[i] = number + 1 + i, b[i] = c[i] = d[i] = 0;
  for (int round = 0; round < 10; round++) {
    UNROLL for (int i = 0; i < TOGETHER; i++) {
      const unsigned __int128 p = static_cast<unsigned __int128>(0xD2E7470EE14C6C93u) * a[i];
      const unsigned __int128 q = static_cast<unsigned __int128>(0xCA5A826395121157u) * c[i];
      a[i] = static_cast<u64>(q >> 64) ^ b[i] ^ key0;
      b[i] = static_cast<u64>(q);
      c[i] = static_cast<u64>(p >> 64) ^ d[i] ^ key1;
      d[i] = static_cast<u64>(p);
    }
    key0 += 0x9E3779B97F4A7C15u, key1 += 0xBB67AE8584CAA73Bu;
  }
  UNROLL for (int i = 0; i < TOGETHER; i++)
    word[i][0] = a[i], word[i][1] = b[i], word[i][2] = c[i], word[i][3] = d[i];
}

// y[i - lo] = make(the 32 bits number i), i in lo..hi
template <class Make>
INLINE void draw(float* y, const u32* key, i64 lo, i64 hi, Make make) {
  constexpr i64 MANY = TOGETHER * 8;
  for (i64 i = lo / MANY * MANY; i < hi; i += MANY) {
    u64 word[TOGETHER][4];
    encipher(static_cast<u64>(i) / 8, key[0], key[1], word);
    u32 bits[MANY];
    for (int j = 0; j < MANY; j++)  // the lower half of a word comes first
      bits[j] = static_cast<u32>(word[j / 8][j / 2 % 4] >> (j % 2 * 32));
    const i64 first = i < lo ? lo - i : 0, last = hi - i < MANY ? hi - i : MANY;
    float made[MANY];
    for (int j = 0; j < MANY; j++) made[j] = make(bits[j]);
    __builtin_memcpy(y + (i + first - lo), made + first, (last - first) * sizeof(float));
  }
}

// use(y, lo, hi): the values number lo..hi, which begin at y; whole, or row by row
template <class Use>
INLINE void pieces(const Call& k, Share s, int output, i64 size, bool by_rows, Use use) {
  if (!by_rows) {
    const Range part = cut(size, s.part, s.parts, 64);
    use(k.at(output) + part.lo, part.lo, part.hi);
  } else if (k.stride(output) == size) {
    use(k.at(output, s.lo), s.lo * size, s.hi * size);
  } else {
    for (i64 row = s.lo; row < s.hi; row++)
      use(k.at(output, row), row * size, row * size + size);
  }
}

// y = 0 with probability `rate`, else scale
//                             key | y ; values (of a row), by rows, rate * 2^32 ; scale
void dropout_mask(const Call& k, Share s) {
  const u32* key = k.at<u32>(0);
  const u64 dropped = static_cast<u64>(k.ints[2]);
  const float scale = static_cast<float>(k.floats[0]);
  pieces(k, s, 1, k.ints[0], k.ints[1], [&](float* y, i64 lo, i64 hi) {
    draw(y, key, lo, hi, [=](u32 bits) { return (bits >= dropped ? 1.0f : 0.0f) * scale; });
  });
}
REGISTER(dropout_mask, nullptr);

// a + b, where a was rounded before: u * span + low shall not become one instruction.
INLINE double sum_of(double a, double b) {
#if defined(__clang__)
#pragma clang fp contract(off)
#else
  __asm__("" : "+m"(a));
#endif
  return a + b;
}

// y ~ U[low, high): 24 bits; rounding may not reach the upper end
//                             key | y ; values, 0, plain ; high - low, low, largest
void random_uniform(const Call& k, Share s) {
  const u32* key = k.at<u32>(0);
  const bool plain = k.ints[2];
  const double span = k.floats[0], low = k.floats[1];  // as NumPy, which rounds at the end
  const float largest = static_cast<float>(k.floats[2]);
  pieces(k, s, 1, k.ints[0], k.ints[1], [&](float* y, i64 lo, i64 hi) {
    draw(y, key, lo, hi, [=](u32 bits) {
      const float u = static_cast<float>(static_cast<std::int32_t>(bits >> 8)) * 0x1p-24f;
      if (plain) return u;
      const float x = static_cast<float>(sum_of(u * span, low));
      return x < largest ? x : largest;
    });
  });
}
REGISTER(random_uniform, nullptr);

}  // namespace
}  // namespace deepneuron::DEEPNEURON_ISA
