// Runs a program: a step is one pass over its regions, on all threads at once.
//
// A region is a list of instructions of one kind:
//
//   MAP     the rows of the batch are independent. Each thread takes shards of the batch and
//           runs the whole list on a few rows at a time (a chunk), which stay in its cache.
//   TEAM    all threads share the work of each instruction.
//   SERIAL  one thread does it.
//   PYTHON  no kernel is there: the program stops, Python computes, and calls again.
//
// Threads meet only where a region says so. A shard is summed in the same order by whichever
// thread has it, so results do not depend on how many threads there are.
#pragma once
#include <algorithm>
#include <vector>

#include "memory.h"
#include "program.h"
#include "threads.h"

namespace deepneuron {

enum Kind : int { MAP, TEAM, SERIAL, PYTHON };

struct Instruction {
  Kernel kernel;
  std::vector<Operand> operands;
  std::vector<i64> ints;
  std::vector<double> floats;
};

struct Region {
  Kind kind;
  i64 chunk;        // rows at a time; 0: a whole shard
  int first, last;  // of its instructions
  bool meet;        // whether threads wait for one another behind it
};

// Where a run ended, and why.
struct Ending {
  i64 steps;   // complete ones
  int region;  // the PYTHON region in front of which it stopped, or -1
  int fault;   // raised by a kernel, or 0
};

class Program {
 public:
  // The most threads; shards and rows of the batch; bytes of the three spaces; how many
  // arrays Python binds.
  Program(int threads, int shards, i64 rows, i64 full, i64 chunk, i64 shard, int arrays)
      : threads_(threads), shards_(shards), rows_(rows), chunk_bytes_(chunk),
        shard_bytes_(shard), arrays_(arrays, nullptr), full_(full), sums_(shard * shards) {}

  void add(Kernel kernel, Scratch scratch, std::vector<Operand> operands, std::vector<i64> ints,
           std::vector<double> floats) {
    if (scratch) scratch_bytes_ = std::max(scratch_bytes_, scratch(ints.data()));
    code_.push_back({kernel, std::move(operands), std::move(ints), std::move(floats)});
  }
  void add_region(Region region) { regions_.push_back(region); }
  void bind(int array, char* start) { arrays_.at(array) = start; }
  char* full() const { return full_.get(); }
  i64 step() const { return step_; }
  void set_step(i64 step) { step_ = step; }

  // Runs `count` steps, each on the next rows of `order`; the first begins with `region`.
  Ending run(Pool& pool, int region, i64 count, const i64* order) {
    while (static_cast<int>(threads_memory_.size()) < threads_) {
      const std::size_t stagger = 33 * 64 * threads_memory_.size();  // no equal offsets
      threads_memory_.push_back({Memory(chunk_bytes_, stagger), Memory(scratch_bytes_)});
    }
    fault_.store(0);
    ending_ = {0, -1, 0};
    pool.run(threads_, [&](int part, int parts) { work(part, parts, region, count, order); });
    ending_.fault = fault_.load();
    return ending_;
  }

 private:
  struct ThreadMemory {
    Memory chunk, scratch;
  };

  // What thread `part` of `parts` does. All threads take the same way through the regions.
  void work(int part, int parts, int region, i64 count, const i64* order) {
    std::vector<char*> base{full_.get(), threads_memory_[part].chunk.get(), sums_.get()};
    base.insert(base.end(), arrays_.begin(), arrays_.end());
    Context c{base.data(), 0, true, threads_memory_[part].scratch.get(), sums_.get(),
              shard_bytes_, shards_, rows_, order, step_, &fault_};
    for (i64 step = 0; step < count; step++, region = 0, c.order += rows_, c.step++) {
      for (; region < static_cast<int>(regions_.size()); region++) {
        const Region& r = regions_[region];
        if (r.kind == PYTHON) {
          if (part == 0) end(step, region, c.step);
          return;
        }
        if (r.kind == MAP) map(r, c, part, parts);
        if (r.kind == TEAM) list(r, c, {0, rows_, part, parts});
        if (r.kind == SERIAL && part == 0) list(r, c, {0, rows_, 0, 1});
        if (r.meet && barrier_.meet(parts, fault_)) {
          if (part == 0) end(step, -1, c.step);
          return;
        }
      }
    }
    if (part == 0) end(count, -1, c.step);
  }

  void map(const Region& r, Context& c, int part, int parts) {
    for (int shard = part; shard < shards_; shard += parts) {
      const Range rows = cut(rows_, shard, shards_);
      c.base[SHARD] = c.shards + shard * shard_bytes_;
      const i64 n = rows.hi - rows.lo, chunks = r.chunk ? (n + r.chunk - 1) / r.chunk : n > 0;
      for (i64 i = 0; i < chunks; i++) {  // of one size, for a last one of few rows is slow
        c.chunk_origin = rows.lo + n * i / chunks;
        c.fresh = i == 0;
        list(r, c, {c.chunk_origin, rows.lo + n * (i + 1) / chunks, 0, 1});
      }
    }
  }

  void list(const Region& r, Context& c, Share share) {
    for (int i = r.first; i < r.last; i++) {
      const Instruction& k = code_[i];
      k.kernel({k.operands.data(), k.ints.data(), k.floats.data(), c}, share);
    }
  }

  void end(i64 steps, int region, i64 step) {
    ending_.steps = steps;
    ending_.region = region;
    step_ = step;
  }

  const int threads_, shards_;
  const i64 rows_, chunk_bytes_, shard_bytes_;
  i64 scratch_bytes_ = 0, step_ = 0;
  std::vector<char*> arrays_;
  std::vector<Instruction> code_;
  std::vector<Region> regions_;
  Memory full_, sums_;
  std::vector<ThreadMemory> threads_memory_;
  Barrier barrier_;
  std::atomic<int> fault_{0};
  Ending ending_{};
};

}  // namespace deepneuron
