// Random numbers: the bits of NumPy's Philox, and from them masks, uniform and normal numbers.
//
// Philox is a cipher: block number c of its stream is c, enciphered with the key. So the
// bits of any element are found at once, whichever thread asks, and no state is kept.
//
// Source: Salmon et al., "Parallel random numbers: as easy as 1, 2, 3", SC 2011.
#include "../lanes.h"
#include "../vector_math.h"

namespace deepneuron::DEEPNEURON_ISA {
namespace {

using u64 = std::uint64_t;
using u32 = std::uint32_t;

typedef u32 Bits __attribute__((vector_size(WIDTH * 4)));
typedef u32 LooseBits __attribute__((vector_size(WIDTH * 4), aligned(4), may_alias));

// Philox4x64-10: block number + 1 of the stream, for NumPy counts before it enciphers. Its
// four words of 64 bits are eight numbers of 32, the lower half of a word first.
INLINE void encipher(u64 number, u64 key0, u64 key1, u32* bits) {
  u64 a = number + 1, b = 0, c = 0, d = 0;
  UNROLL for (int round = 0; round < 10; round++) {
    const unsigned __int128 p = static_cast<unsigned __int128>(0xD2E7470EE14C6C93u) * a;
    const unsigned __int128 q = static_cast<unsigned __int128>(0xCA5A826395121157u) * c;
    a = static_cast<u64>(q >> 64) ^ b ^ key0, b = static_cast<u64>(q);
    c = static_cast<u64>(p >> 64) ^ d ^ key1, d = static_cast<u64>(p);
    key0 += 0x9E3779B97F4A7C15u, key1 += 0xBB67AE8584CAA73Bu;
  }
  const u64 word[4] = {a, b, c, d};
  std::memcpy(bits, word, sizeof word);
}

// Many blocks, one after the other: each is a long chain of products that wait for each other,
// so the processor begins the next ones meanwhile. Where vectors are wide, it goes quicker to
// have a block in each lane, though a product of 64 bits is then made of four of 32.
constexpr i64 MANY = 256;  // numbers of 32 bits

#if DEEPNEURON_WIDTH >= 8
constexpr int LANES = WIDTH / 2, GROUPS = 2;  // vectors that are worked on in turn
constexpr i64 AT_ONCE = LANES * GROUPS * 8;
typedef u64 Words __attribute__((vector_size(WIDTH * 4)));

// The lower halves of the words, multiplied
INLINE Words times(Words a, Words b) {
#if defined(__AVX512F__)
  return Words(_mm512_maskz_mul_epu32(0xFF, __m512i(a), __m512i(b)));  // GCC warns of the plain one
#elif defined(__AVX2__)
  return Words(_mm256_mul_epu32(__m256i(a), __m256i(b)));
#else
  return (a & 0xFFFFFFFFu) * (b & 0xFFFFFFFFu);
#endif
}

struct Product {
  Words high, low;
  INLINE Product(u64 factor, Words x) {
    const Words f = Words{} + factor, f1 = f >> 32, x1 = x >> 32;
    const Words least = times(x, f), middle = times(x1, f) + (least >> 32);
    const Words carried = times(x, f1) + (middle & 0xFFFFFFFFu);
    high = times(x1, f1) + (middle >> 32) + (carried >> 32);
    low = (carried << 32) | (least & 0xFFFFFFFFu);
  }
};

INLINE void encipher_many(u64 number, u64 key0, u64 key1, u32* bits) {
  Words a[GROUPS], b[GROUPS]{}, c[GROUPS]{}, d[GROUPS]{};
  for (int i = 0; i < LANES * GROUPS; i++) a[i / LANES][i % LANES] = number + 1 + i;
  for (int round = 0; round < 10; round++) {
    UNROLL for (int g = 0; g < GROUPS; g++) {
      const Product p(0xD2E7470EE14C6C93u, a[g]), q(0xCA5A826395121157u, c[g]);
      a[g] = q.high ^ b[g] ^ key0, b[g] = q.low;
      c[g] = p.high ^ d[g] ^ key1, d[g] = p.low;
    }
    key0 += 0x9E3779B97F4A7C15u, key1 += 0xBB67AE8584CAA73Bu;
  }
  UNROLL for (int i = 0; i < LANES * GROUPS; i++) {
    const int g = i / LANES, lane = i % LANES;
    const u64 word[4] = {a[g][lane], b[g][lane], c[g][lane], d[g][lane]};
    std::memcpy(bits + 8 * i, word, sizeof word);
  }
}
#else
constexpr i64 AT_ONCE = 8;
INLINE void encipher_many(u64 number, u64 key0, u64 key1, u32* bits) {
  encipher(number, key0, key1, bits);
}
#endif
static_assert(MANY % AT_ONCE == 0);

// y[i - lo] = make(the 32 bits number i), i in lo..hi, whole vectors at a time
template <class Make>
INLINE void draw(float* y, const u32* key, i64 lo, i64 hi, Make make) {
  for (i64 i = lo / MANY * MANY; i < hi; i += MANY) {
    u32 bits[MANY];
    const i64 first = i < lo ? lo - i : 0, last = hi - i < MANY ? hi - i : MANY;
    for (i64 j = first / AT_ONCE * AT_ONCE; j < last; j += AT_ONCE)
      encipher_many(static_cast<u64>(i + j) / 8, key[0], key[1], bits + j);
    float* to = y + (i - lo);
    i64 j = first;
    for (; j + WIDTH <= last; j += WIDTH)
      store(to + j, make(*reinterpret_cast<const LooseBits*>(bits + j)));
    if (j < last) {
      Bits rest{};
      std::memcpy(&rest, bits + j, (last - j) * sizeof(u32));
      store_some(to + j, make(rest), last - j);
    }
  }
}

// [0, 1) of the upper 24 bits, which a float holds exactly
INLINE Vector unit(Bits bits) {
  return __builtin_convertvector(reinterpret_cast<Mask>(bits >> 8), Vector) * 0x1p-24f;
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
  const bool none = k.ints[2] >> 32;  // all of the 2^32 possible values are dropped
  const Bits dropped = Bits{} + static_cast<u32>(k.ints[2]);
  const Vector scale = all(none ? 0.0f : static_cast<float>(k.floats[0]));
  pieces(k, s, 1, k.ints[0], k.ints[1], [&](float* y, i64 lo, i64 hi) {
    draw(y, key, lo, hi, [=](Bits bits) { return where(bits >= dropped, scale, zero()); });
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
    draw(y, key, lo, hi, [=](Bits bits) __attribute__((always_inline)) {
      Vector u = unit(bits);
      if (!plain)
        for (int i = 0; i < WIDTH; i++) {
          const float x = static_cast<float>(sum_of(u[i] * span, low));
          u[i] = x < largest ? x : largest;
        }
      return u;
    });
  });
}
REGISTER(random_uniform, nullptr);

// --- normal numbers

// cos and sin of 2 pi t, t in [0, 1): of the nearest quarter turn and the angle x beyond it,
// at most an eighth of a turn, where a few terms of their series are enough.
struct Direction {
  Vector cos, sin;
};
INLINE Direction turned(Vector t) {
  const Mask quarter = __builtin_convertvector(t * 4.0f + 0.5f, Mask);
  const Vector x = (t - __builtin_convertvector(quarter, Vector) * 0.25f) * 6.28318531f;
  const Vector x2 = x * x;
  const Vector c = polynomial(x2, 1.0f, -1 / 2.0f, 1 / 24.0f, -1 / 720.0f, 1 / 40320.0f);
  const Vector s = polynomial(x2, 1.0f, -1 / 6.0f, 1 / 120.0f, -1 / 5040.0f, 1 / 362880.0f) * x;
  const Mask odd = (quarter & 1) != 0, left = ((quarter + 1) & 2) != 0, below = (quarter & 2) != 0;
  const Vector cos = where(odd, s, c), sin = where(odd, c, s);
  return {where(left, -cos, cos), where(below, -sin, sin)};
}

// NumPy draws so many values at a time: of the radii in a piece first, then of the angles.
constexpr i64 PIECE = 4096;

// y ~ N(mean, stddev^2): r cos a and r sin a, with r^2 = -2 log u and an angle a
//                             key | y ; values ; mean, stddev
void random_normal(const Call& k, Share s) {
  const i64 size = k.ints[0];
  const u32* key = k.at<u32>(0);
  const float mean = static_cast<float>(k.floats[0]), stddev = static_cast<float>(k.floats[1]);
  const Range part = cut(size, s.part, s.parts, PIECE);
  for (i64 begin = part.lo; begin < part.hi; begin += PIECE) {
    const i64 n = size - begin < PIECE ? size - begin : PIECE, half = (n + 1) / 2;
    float* y = k.at(1) + begin;
    float radii[PIECE / 2], turns[PIECE / 2];
    draw(radii, key, begin, begin + half, [](Bits bits) __attribute__((always_inline)) {
      const Vector u = (__builtin_convertvector(bits, Vector) + 0.5f) * 0x1p-32f;  // never 0
      return square_root(-2.0f * log(u));
    });
    const i64 next = begin + (half + 1) / 2 * 2;  // bits are drawn two by two
    draw(turns, key, next, next + half, [](Bits bits) { return unit(bits); });
    in_vectors(half, [&](i64 i, auto lanes) __attribute__((always_inline)) {
      const Vector r = lanes.load(radii + i) * stddev;
      const Direction d = turned(lanes.load(turns + i));
      lanes.store(y + i, r * d.cos + mean);
      lanes.store(turns + i, r * d.sin + mean);
    });
    std::memcpy(y + half, turns, (n - half) * sizeof(float));
  }
}
REGISTER(random_normal, nullptr);

// --- whole numbers

// y = low + 64 bits modulo the span    key | y ; values, low, span
template <class Number>
INLINE void integers(const Call& k, Share s) {
  const u32* key = k.at<u32>(0);
  const u64 span = static_cast<u64>(k.ints[2]);
  const Range part = cut(k.ints[0], s.part, s.parts, 64);
  for (i64 i = part.lo; i < part.hi; i += 4) {
    u32 bits[8];
    encipher(static_cast<u64>(i) / 4, key[0], key[1], bits);
    u64 word[4];
    std::memcpy(word, bits, sizeof word);
    for (i64 j = i; j < i + 4 && j < part.hi; j++)
      k.at<Number>(1)[j] = static_cast<Number>(static_cast<i64>(word[j - i] % span) + k.ints[1]);
  }
}
void random_int32(const Call& k, Share s) { integers<std::int32_t>(k, s); }
void random_int64(const Call& k, Share s) { integers<i64>(k, s); }
REGISTER(random_int32, nullptr);
REGISTER(random_int64, nullptr);

}  // namespace
}  // namespace deepneuron::DEEPNEURON_ISA
