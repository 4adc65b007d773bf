// What a kernel sees: operands in memory, numbers, and its share of the work.
//
// A program is plain data, made by the planner in Python: regions of instructions over
// buffers. `executor.h` runs it; this file is the contract between it and the kernels.
//
// Kernels are compiled once for each instruction set. Of a function that all of them share,
// the linker would keep one copy, and an old processor would meet instructions that it does
// not know. So everything that a kernel uses is forced inline or has internal linkage, and
// kernels use no containers of the standard library.
#pragma once
#include <atomic>
#include <cstddef>
#include <cstdint>

#define INLINE inline __attribute__((always_inline))

namespace deepneuron {

using i64 = std::int64_t;

// Spaces of memory; those from ARRAYS on are arrays that Python owns.
enum Space : i64 {
  ABSENT = -1,  // an operand that this instruction does without
  FULL = 0,     // values that outlive a region, for the whole batch
  CHUNK = 1,    // values within a region, for a few rows; every thread has its own
  SHARD = 2,    // sums over the rows of a shard; every shard has its own
  ARRAYS = 3,
};

// Row r of an operand lies at base[space] + offset + r * step, in bytes.
struct Operand {
  i64 space, offset, step;
};

// Rows lo..hi, and of the work on them the part number `part` of `parts`.
struct Share {
  i64 lo, hi;
  int part, parts;
};

// What one thread works with.
struct Context {
  char** base;              // of every space
  i64 chunk_origin;         // the row that lies at the beginning of CHUNK
  bool fresh;               // these are the first rows of a shard: sums begin anew
  char* scratch;            // as much as any kernel of the program asks for
  char* shards;             // all copies of SHARD
  i64 shard_bytes;          // ... each so large
  int shard_count;
  i64 rows;                 // of the batch
  const i64* order;         // which samples the rows of this batch are
  i64 step;                 // counts the steps of this program
  std::atomic<int>* fault;  // raised by a kernel that cannot go on, such as a wrong class
};

// One call of a kernel.
struct Call {
  const Operand* operands;
  const i64* ints;
  const double* floats;
  Context& context;

  INLINE bool has(int i) const { return operands[i].space != ABSENT; }

  // Row `row` of operand i; nullptr if it is absent.
  template <class T = float>
  INLINE T* at(int i, i64 row = 0) const {
    const Operand& o = operands[i];
    if (o.space == ABSENT) return nullptr;
    if (o.space == CHUNK) row -= context.chunk_origin;
    return reinterpret_cast<T*>(context.base[o.space] + o.offset + row * o.step);
  }

  // Values from one row of operand i to the next.
  template <class T = float>
  INLINE i64 stride(int i) const { return operands[i].step / static_cast<i64>(sizeof(T)); }

  // Shard q's copy of operand i, which lies in SHARD.
  template <class T = float>
  INLINE T* shard(int i, int q) const {
    return reinterpret_cast<T*>(context.shards + q * context.shard_bytes + operands[i].offset);
  }
};

using Kernel = void (*)(const Call&, Share);
using Scratch = i64 (*)(const i64* ints);  // bytes that a call with these numbers needs

// The part number `part` of 0..n, cut into `parts`; boundaries are multiples of `grain`.
struct Range {
  i64 lo, hi;
};
INLINE Range cut(i64 n, int part, int parts, i64 grain = 1) {
  i64 grains = (n + grain - 1) / grain;
  i64 lo = grains * part / parts * grain, hi = grains * (part + 1) / parts * grain;
  return {lo < n ? lo : n, hi < n ? hi : n};
}

// Makes a kernel known by its name, for the instruction set that the file is compiled for.
struct Registration {
  Registration(const char* isa, const char* name, Kernel kernel, Scratch scratch);
};

#define DEEPNEURON_TEXT_(x) #x
#define DEEPNEURON_TEXT(x) DEEPNEURON_TEXT_(x)
#define REGISTER(name, ...)                                     \
  static const ::deepneuron::Registration name##_registration { \
    DEEPNEURON_TEXT(DEEPNEURON_ISA), #name, name, ##__VA_ARGS__ \
  }

}  // namespace deepneuron
