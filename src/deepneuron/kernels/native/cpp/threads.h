// The threads of the process that steps run on, and where they wait for one another.
//
// A worker without work spins for a moment, because the next step usually follows at once,
// then yields, then sleeps. All programs share one pool. Whoever finds it busy (a step within
// a step, or a second thread of the user's) works alone.
#pragma once
#include <atomic>
#include <chrono>
#include <mutex>
#include <thread>
#include <vector>

#if defined(__linux__)
#include <pthread.h>
#include <sched.h>
#endif
#if defined(_WIN32)
#include <process.h>
#else
#include <unistd.h>
#endif
#if defined(__x86_64__) || defined(_M_X64)
#include <immintrin.h>
#endif

namespace deepneuron {

inline void relax() {
#if defined(__x86_64__) || defined(_M_X64)
  _mm_pause();
#elif defined(__aarch64__)
  __asm__ volatile("yield");
#endif
}

inline int process() {
#if defined(_WIN32)
  return _getpid();
#else
  return static_cast<int>(getpid());
#endif
}

// Returns when `changed()`: spins, then yields, then sleeps until `value` is notified.
template <class Changed>
void wait_until(Changed changed, std::atomic<int>& value, std::atomic<int>* asleep = nullptr) {
  using clock = std::chrono::steady_clock;
  constexpr auto spin = std::chrono::microseconds(60), patience = std::chrono::microseconds(150);
  for (int i = 0; i < 64; i++) {  // most waits end here, without a look at the clock
    if (changed()) return;
    relax();
  }
  const auto began = clock::now();
  while (!changed()) {
    const auto waited = clock::now() - began;
    if (waited < spin) {
      for (int i = 0; i < 32 && !changed(); i++) relax();
    } else if (waited < patience) {
      std::this_thread::yield();
    } else {
      int seen = value.load();
      if (changed()) return;
      if (asleep) asleep->fetch_add(1);
      value.wait(seen);
      if (asleep) asleep->fetch_sub(1);
    }
  }
}

// Where the threads of a step meet. All of them leave with the same answer: whether one of
// them had raised a fault before the last one came.
class Barrier {
 public:
  bool meet(int count, const std::atomic<int>& fault) {
    if (count == 1) return fault.load(std::memory_order_relaxed) != 0;
    const int generation = generation_.load(std::memory_order_relaxed);
    if (arrived_.fetch_add(1, std::memory_order_acq_rel) == count - 1) {
      arrived_.store(0, std::memory_order_relaxed);
      faulty_ = fault.load(std::memory_order_relaxed) != 0;
      generation_.store(generation + 1, std::memory_order_release);
      generation_.notify_all();
    } else {
      wait_until([&] { return generation_.load(std::memory_order_acquire) != generation; },
                 generation_);
    }
    return faulty_;
  }

 private:
  std::atomic<int> arrived_{0}, generation_{0};
  bool faulty_ = false;  // written by the last to come, before the others go on
};

class Pool {
 public:
  explicit Pool(int threads) : threads_(threads), owner_(process()) {}
  ~Pool() { stop(); }
  Pool(const Pool&) = delete;

  int threads() const { return threads_; }

  // work(part, parts) on up to `wanted` threads, this one included; returns when all are done.
  template <class Work>
  void run(int wanted, Work work) {
    const int parts = wanted < threads_ ? wanted : threads_;
    if (parts <= 1 || !busy_.try_lock()) return work(0, 1);
    std::lock_guard<std::mutex> guard(busy_, std::adopt_lock);
    start();
    job_ = [](void* w, int part, int n) { (*static_cast<Work*>(w))(part, n); };
    argument_ = &work;
    parts_ = parts;
    done_.store(0, std::memory_order_relaxed);
    if (asleep_.load() || placed_around_ < 0) place();
    turn_.fetch_add(1, std::memory_order_release);
    turn_.notify_all();
    work(0, parts);
    const int others = static_cast<int>(workers_.size());
    wait_until([&] { return done_.load(std::memory_order_acquire) == others; }, done_);
  }

 private:
  void start() {
    if (owner_ != process()) {  // after a fork, the workers are in the other process
      for (auto& worker : workers_) new (&worker) std::thread();
      workers_.clear();
      owner_ = process();
      asleep_.store(0);
      placed_around_ = -1;
    }
    for (int i = static_cast<int>(workers_.size()) + 1; i < threads_; i++)
      workers_.emplace_back([this, i, turn = turn_.load()] { serve(i, turn); });
  }

  void serve(int part, int turn) {
    for (;;) {
      wait_until([&] { return turn_.load(std::memory_order_acquire) != turn; }, turn_, &asleep_);
      turn++;
      if (stopping_.load()) return;
      if (part < parts_) job_(argument_, part, parts_);
      done_.fetch_add(1, std::memory_order_acq_rel);
      done_.notify_one();
    }
  }

  // A sleeping worker is often woken on the processor of the one who calls, where it would
  // only run once that one waits. Keep them apart.
  void place() {
#if defined(__linux__)
    const int here = sched_getcpu();
    if (here == placed_around_) return;
    placed_around_ = here;
    cpu_set_t allowed;
    if (sched_getaffinity(0, sizeof allowed, &allowed)) return;
    std::vector<int> others;
    for (int cpu = 0; cpu < CPU_SETSIZE; cpu++)
      if (CPU_ISSET(cpu, &allowed) && cpu != here) others.push_back(cpu);
    if (others.empty()) return;
    for (std::size_t i = 0; i < workers_.size(); i++) {
      cpu_set_t one;
      CPU_ZERO(&one);
      CPU_SET(others[i % others.size()], &one);
      pthread_setaffinity_np(workers_[i].native_handle(), sizeof one, &one);
    }
#else
    placed_around_ = 0;
#endif
  }

  void stop() {
    if (owner_ != process()) {
      for (auto& worker : workers_) new (&worker) std::thread();
      return;
    }
    stopping_.store(true);
    turn_.fetch_add(1);
    turn_.notify_all();
    for (auto& worker : workers_) worker.join();
  }

  const int threads_;
  int owner_, parts_ = 1, placed_around_ = -1;
  std::mutex busy_;
  std::vector<std::thread> workers_;
  std::atomic<int> turn_{0}, done_{0}, asleep_{0};
  std::atomic<bool> stopping_{false};
  void (*job_)(void*, int, int) = nullptr;
  void* argument_ = nullptr;
};

}  // namespace deepneuron
