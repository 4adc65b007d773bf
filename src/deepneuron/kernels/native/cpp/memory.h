// Aligned, zeroed memory; large blocks on large pages where the system has them.
#pragma once
#include <cstdlib>
#include <cstring>
#include <new>

#if defined(__linux__)
#include <sys/mman.h>
#endif

namespace deepneuron {

class Memory {
 public:
  explicit Memory(std::size_t bytes, std::size_t first = 0) {
    constexpr std::size_t page = 4096, large = std::size_t{2} << 20;
    const std::size_t wanted = bytes + first + page;
    const std::size_t alignment = wanted >= large ? large : page;
    const std::size_t size = (wanted + alignment - 1) / alignment * alignment;
    block_ = static_cast<char*>(::operator new(size, std::align_val_t{alignment}));
    alignment_ = alignment;
#if defined(__linux__)
    if (alignment == large) madvise(block_, size, MADV_HUGEPAGE);
#endif
    std::memset(block_, 0, bytes + first);
    start_ = block_ + first;
  }
  ~Memory() {
    if (block_) ::operator delete(block_, std::align_val_t{alignment_});
  }
  Memory(Memory&& other) noexcept
      : block_(other.block_), start_(other.start_), alignment_(other.alignment_) {
    other.block_ = nullptr;
  }
  Memory(const Memory&) = delete;

  char* get() const { return start_; }

 private:
  char *block_, *start_;
  std::size_t alignment_;
};

}  // namespace deepneuron
