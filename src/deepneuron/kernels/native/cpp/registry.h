// Which kernels there are, for which instruction set, and which of the sets is in use.
#pragma once
#include <map>
#include <stdexcept>
#include <string>
#include <vector>

#include "program.h"

namespace deepneuron {

struct Entry {
  Kernel kernel;
  Scratch scratch;
};

using Table = std::map<std::string, Entry>;  // by the kernel's name

inline std::map<std::string, Table>& tables() {  // by the name of the instruction set
  static std::map<std::string, Table> all;
  return all;
}

// The instruction sets that are compiled in and that this processor has, the best first.
inline std::vector<std::string> instruction_sets() {
  std::vector<std::string> usable;
#if defined(__x86_64__) || defined(_M_X64)
  __builtin_cpu_init();
  if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
      __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl"))
    usable.push_back("avx512");
  if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) usable.push_back("avx2");
  if (__builtin_cpu_supports("sse4.1")) usable.push_back("baseline");
#endif
  for (const char* name : {"neon", "generic"}) usable.push_back(name);
  std::vector<std::string> found;
  for (const auto& name : usable)
    if (tables().count(name)) found.push_back(name);
  return found;
}

inline const Entry& find(const std::string& set, const std::string& kernel) {
  const auto table = tables().find(set);
  if (table == tables().end()) throw std::invalid_argument("no instruction set " + set);
  const auto entry = table->second.find(kernel);
  if (entry == table->second.end()) throw std::invalid_argument("no kernel " + kernel);
  return entry->second;
}

}  // namespace deepneuron
