// What Python sees of all this: a Program to be filled, bound and run.
#include <nanobind/nanobind.h>
#include <nanobind/stl/map.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/tuple.h>
#include <nanobind/stl/vector.h>

#include <memory>
#include <tuple>

#include "executor.h"
#include "registry.h"

namespace nb = nanobind;
using namespace nb::literals;

namespace deepneuron {

Registration::Registration(const char* isa, const char* name, Kernel kernel, Scratch scratch) {
  tables()[isa][name] = {kernel, scratch};
}

namespace {

// One pool for the process. A run keeps the one that it began with. The last is never
// destroyed: at exit, another thread may be running.
std::shared_ptr<Pool>& pool() {
  static auto* the_pool = new std::shared_ptr<Pool>(new Pool(1));
  return *the_pool;
}

using Triple = std::tuple<i64, i64, i64>;

void add(Program& program, const std::string& isa, const std::string& kernel,
         const std::vector<Triple>& operands, std::vector<i64> ints, std::vector<double> floats) {
  std::vector<Operand> plain;
  for (const auto& [space, offset, step] : operands) plain.push_back({space, offset, step});
  const Entry& entry = find(isa, kernel);
  program.add(entry.kernel, entry.scratch, std::move(plain), std::move(ints), std::move(floats));
}

std::tuple<i64, int, int> run(Program& program, int region, i64 count, std::uintptr_t order) {
  const std::shared_ptr<Pool> kept = pool();
  nb::gil_scoped_release release;
  const Ending e = program.run(*kept, region, count, reinterpret_cast<const i64*>(order));
  return {e.steps, e.region, e.fault};
}

}  // namespace
}  // namespace deepneuron

NB_MODULE(_native, m) {
  using namespace deepneuron;
  m.doc() = "Native kernels, and what runs a program of them.";
  m.def("instruction_sets", &instruction_sets, "Those that can be used here, the best first.");
  m.def(
      "kernels",
      [](const std::string& isa) {
        std::vector<std::string> names;
        for (const auto& [name, entry] : tables()[isa]) names.push_back(name);
        return names;
      },
      "isa"_a, "The names of all kernels of an instruction set.");
  m.def(
      "set_threads",
      [](int threads) { pool().reset(new Pool(threads < 1 ? 1 : threads)); }, "threads"_a,
      "How many threads steps run on; those that are running keep theirs.");
  m.def("threads", [] { return pool()->threads(); });
  nb::class_<Program>(m, "Program")
      .def(nb::init<int, int, i64, i64, i64, i64, int>(), "threads"_a, "shards"_a, "rows"_a,
           "full"_a, "chunk"_a, "shard"_a, "arrays"_a)
      .def("add", &add, "isa"_a, "kernel"_a, "operands"_a, "ints"_a, "floats"_a)
      .def(
          "add_region",
          [](Program& p, int kind, i64 chunk, int first, int last, bool meet) {
            p.add_region({static_cast<Kind>(kind), chunk, first, last, meet});
          },
          "kind"_a, "chunk"_a, "first"_a, "last"_a, "meet"_a)
      .def(
          "bind",
          [](Program& p, int array, std::uintptr_t address) {
            p.bind(array, reinterpret_cast<char*>(address));
          },
          "array"_a, "address"_a)
      .def("full", [](Program& p) { return reinterpret_cast<std::uintptr_t>(p.full()); })
      .def_prop_rw("step", &Program::step, &Program::set_step)
      .def("run", &run, "region"_a, "count"_a, "order"_a,
           "Run steps; returns (complete ones, PYTHON region or -1, fault or 0).");
}
