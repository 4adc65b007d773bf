// Embedding: rows of a table, by their numbers; and the gradient, which adds to them.
//
//   t: whole numbers from -n to n - 1, `lines` of them in each row of the batch; as in
//   Python, negative ones count from the end
#include "../lanes.h"

namespace deepneuron::DEEPNEURON_ISA {
namespace {

// y = table[t]. A position that does not exist stops the step.
//                                                   table t | y ; lines, n, features
template <class Label>
INLINE void take_rows(const Call& k, Share s) {
  const i64 lines = k.ints[0], n = k.ints[1], features = k.ints[2];
  const float* table = k.at(0);
  for (i64 row = s.lo; row < s.hi; row++) {
    const Label* t = k.at<Label>(1, row);
    float* y = k.at(2, row);
    for (i64 line = 0; line < lines; line++, y += features) {
      const i64 place = t[line] < 0 ? t[line] + n : t[line];
      if (place < 0 || place >= n) {
        k.context.fault->store(1);
        return;
      }
      std::memcpy(y, table + place * features, features * sizeof(float));
    }
  }
}
void take_rows_int32(const Call& k, Share s) { take_rows<std::int32_t>(k, s); }
void take_rows_int64(const Call& k, Share s) { take_rows<std::int64_t>(k, s); }
REGISTER(take_rows_int32, nullptr);
REGISTER(take_rows_int64, nullptr);

// dtable = 0, and every dy added at its t. Threads share the columns; if there are few,
// the table's rows. Either way a number is summed by one thread, in the batch's order.
//                                                   dy t | dtable ; lines, n, features
template <class Label>
INLINE void add_to_rows(const Call& k, Share s) {
  const i64 lines = k.ints[0], n = k.ints[1], features = k.ints[2];
  const bool by_columns = features >= 16 * s.parts;
  const Range columns = by_columns ? cut(features, s.part, s.parts, 16) : Range{0, features};
  const Range places = by_columns ? Range{0, n} : cut(n, s.part, s.parts);
  const i64 width = columns.hi - columns.lo;
  float* dtable = k.at(2) + columns.lo;
  for (i64 i = places.lo; i < places.hi; i++)
    std::memset(dtable + i * features, 0, width * sizeof(float));
  for (i64 row = s.lo; row < s.hi; row++) {
    const Label* t = k.at<Label>(1, row);
    const float* dy = k.at(0, row) + columns.lo;
    for (i64 line = 0; line < lines; line++, dy += features) {
      const i64 place = t[line] < 0 ? t[line] + n : t[line];
      if (place < 0 || place >= n) {
        k.context.fault->store(1);
        return;
      }
      if (place < places.lo || place >= places.hi) continue;
      float* to = dtable + place * features;
      in_vectors(width, [&](i64 j, auto lanes) __attribute__((always_inline)) {
        lanes.store(to + j, lanes.load(to + j) + lanes.load(dy + j));
      });
    }
  }
}
void add_to_rows_int32(const Call& k, Share s) { add_to_rows<std::int32_t>(k, s); }
void add_to_rows_int64(const Call& k, Share s) { add_to_rows<std::int64_t>(k, s); }
REGISTER(add_to_rows_int32, nullptr);
REGISTER(add_to_rows_int64, nullptr);

}  // namespace
}  // namespace deepneuron::DEEPNEURON_ISA
