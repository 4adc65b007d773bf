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

struct Block {
  u64 word[4];
};

struct Product {
  u64 high, low;
};
INLINE Product multiply(u64 a, u64 b) {
  const unsigned __int128 p = static_cast<unsigned __int128>(a) * b;
  return {static_cast<u64>(p >> 64), static_cast<u64>(p)};
}

// Philox4x64-10. NumPy counts before it enciphers: its first block has the number 1.
INLINE Block block(u64 number, u64 key0, u64 key1) {
  Block x{{number + 1, 0, 0, 0}};
  UNROLL for (int round = 0; round < 10; round++) {
    const Product a = multiply(0xD2E7470EE14C6C93u, x.word[0]);
    const Product b = multiply(0xCA5A826395121157u, x.word[2]);
    x = {{b.high ^ x.word[1] ^ key0, b.low, a.high ^ x.word[3] ^ key1, a.low}};
    key0 += 0x9E3779B97F4A7C15u, key1 += 0xBB67AE8584CAA73Bu;
  }
  return x;
}

// y[i - lo] = make(the 32 bits number i), i in lo..hi: eight of them in a block
template <class Y, class Make>
INLINE void draw(Y* y, const u32* key, i64 lo, i64 hi, Make make) {
  for (i64 i = lo; i < hi;) {
    const Block b = block(static_cast<u64>(i) / 8, key[0], key[1]);
    const i64 first = i % 8, end = hi - i < 8 - first ? first + hi - i : 8;
    if (end - first == 8) {
      UNROLL for (int j = 0; j < 8; j++)
        y[i - lo + j] = make(static_cast<u32>(b.word[j / 2] >> (j % 2 * 32)));
    } else {
      for (i64 j = first; j < end; j++)
        y[i - lo + j - first] = make(static_cast<u32>(b.word[j / 2] >> (j % 2 * 32)));
    }
    i += end - first;
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
      volatile double scaled = u * span;  // lest both become one instruction
      const float x = static_cast<float>(scaled + low);
      return x < largest ? x : largest;
    });
  });
}
REGISTER(random_uniform, nullptr);

}  // namespace
}  // namespace deepneuron::DEEPNEURON_ISA
