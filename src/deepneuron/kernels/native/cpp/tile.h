// The innermost loop of every matrix product: a tile of C that stays in registers.
//
//   C[r][j] = sum over k of A[r][k] B[k][j]      r < ROWS, j < VECTORS * WIDTH
//
// For each k, one row of B is loaded into VECTORS registers; each A[r][k] is spread over a
// register and multiplied with all of them. So ROWS * VECTORS products need only
// ROWS + VECTORS loads, and the processor's multipliers never wait for memory.
//
// A is given by one pointer for each of its rows, wherever they lie: a convolution points
// at the pixels of its windows, and needs no copy of them.
#pragma once
#include <utility>

#include "simd.h"

namespace deepneuron::DEEPNEURON_ISA {
namespace {

// So many registers hold the tile; of 32 or 16, the rest is for a row of B and for A. Not more
// than ten rows, whose addresses fit into the other sort of registers: compilers put what is
// left over into vectors, and to fetch it from there takes the multipliers' time.
#if defined(__AVX512F__) || defined(__aarch64__)
constexpr int MOST_VECTORS = 6;
constexpr int most_rows(int vectors) {
  return vectors <= 2 ? 10 : vectors == 3 ? 8 : vectors == 4 ? 6 : 4;
}
// Columns of B that a panel takes, in vectors, so that panels of one width fill n columns.
constexpr int panel_vectors(i64 n) {
  const i64 v = (n + WIDTH - 1) / WIDTH;
  return v % 4 == 0 ? 4 : v % 6 == 0 ? 6 : v % 3 == 0 ? 3 : v % 2 == 0 ? 2 : v > 4 ? 4 : 1;
}
#else
constexpr int MOST_VECTORS = 3;
constexpr int most_rows(int vectors) {
  return vectors <= 1 ? 10 : vectors == 2 ? 6 : 4;
}
constexpr int panel_vectors(i64 n) {
  const i64 v = (n + WIDTH - 1) / WIDTH;
  return v % 2 == 0 ? 2 : v % 3 == 0 ? 3 : v > 2 ? 2 : 1;
}
#endif
constexpr int MOST_ROWS = 10;

// Few columns fill half a vector only; they have tiles of their own, which are asked for as
// those of 0 vectors. It pays where vectors are wide.
constexpr bool HALVES = WIDTH == 16;
typedef float HalfVector __attribute__((vector_size(WIDTH * 2)));

template <class V>
INLINE V load_as(const float* p) {
  V v;
  __builtin_memcpy(&v, p, sizeof(V));
  return v;
}
template <class V>
INLINE void store_as(float* p, V v) {
  __builtin_memcpy(p, &v, sizeof(V));
}

// C = AB, C += AB, C = AB + bias, C = relu(AB + bias); for transposed tiles also: the sum goes
// on from C, term by term, so that it comes out the same in however many calls.
enum class Into { store, add, bias, bias_relu, go_on };

// Along k, A's rows are read in pieces: `pieces` of them, each `length` long, beginning at
// at[piece] behind the row's pointer. A matrix has one piece, a window one for each row.
// B is read row by row, or, where windows see only a part of B, from row b_at[piece] on.
struct Along {
  int pieces;
  const i64* at;
  i64 length;
  const i64* b_at = nullptr;
};

// Rows of B follow one another after `ldb` floats.
template <int ROWS, int VECTORS, class V = Vector>
void tile(const float* const* a, Along along, const float* b, i64 ldb, float* const* c,
          const float* bias, Into into) {
  const bool starts = into == Into::bias || into == Into::bias_relu;
  V sum[ROWS][VECTORS];
  const float* row[ROWS];
  UNROLL for (int r = 0; r < ROWS; r++) {
    row[r] = a[r];
    UNROLL for (int j = 0; j < VECTORS; j++) __builtin_prefetch(c[r] + j * WIDTH, 1);
    UNROLL for (int j = 0; j < VECTORS; j++)
      sum[r][j] = starts ? load_as<V>(bias + j * WIDTH) : V{};
  }
  const float* bp = b;
  for (int piece = 0; piece < along.pieces; piece++) {
    if (along.b_at) bp = b + along.b_at[piece] * ldb;
    const i64 end = along.at[piece] + along.length;
    for (i64 k = along.at[piece]; k < end; k++, bp += ldb) {
      V bk[VECTORS];
      UNROLL for (int j = 0; j < VECTORS; j++) bk[j] = load_as<V>(bp + j * WIDTH);
      UNROLL for (int r = 0; r < ROWS; r++) {
        const float x = row[r][k];
        UNROLL for (int j = 0; j < VECTORS; j++) sum[r][j] += x * bk[j];
      }
    }
  }
  if (into == Into::bias_relu) {
    UNROLL for (int r = 0; r < ROWS; r++) {
      UNROLL for (int j = 0; j < VECTORS; j++) sum[r][j] = sum[r][j] < V{} ? V{} : sum[r][j];
    }
  }
  UNROLL for (int r = 0; r < ROWS; r++) {
    UNROLL for (int j = 0; j < VECTORS; j++) {
      float* p = c[r] + j * WIDTH;
      store_as<V>(p, into == Into::add ? load_as<V>(p) + sum[r][j] : sum[r][j]);
    }
  }
}

// The same for A^T B, where the sum runs over the pixels (y, x) of a picture, or over the
// rows of a matrix (ny = 1): C[r][:] += sum over y, x of A[r][y, x] B[y, x][:].
// ay, ax, by, bx: floats from one row, or one pixel, to the next; an, bn: from one picture,
// if there are several, to the next.
struct Over {
  i64 ny, nx, ay, ax, by, bx;
  i64 n = 1, an = 0, bn = 0;
};

template <int ROWS, int VECTORS, class V = Vector>
void transposed_tile(const float* const* a, Over over, const float* b, float* const* c,
                     Into into) {
  V sum[ROWS][VECTORS];
  const float* row[ROWS];
  UNROLL for (int r = 0; r < ROWS; r++) {
    row[r] = a[r];
    UNROLL for (int j = 0; j < VECTORS; j++) __builtin_prefetch(c[r] + j * WIDTH, 1);
    UNROLL for (int j = 0; j < VECTORS; j++)
      sum[r][j] = into == Into::go_on ? load_as<V>(c[r] + j * WIDTH) : V{};
  }
  for (i64 n = 0; n < over.n; n++) {
    for (i64 y = 0; y < over.ny; y++) {
      const float* bp = b + n * over.bn + y * over.by;
      i64 k = n * over.an + y * over.ay;
      for (i64 x = 0; x < over.nx; x++, bp += over.bx, k += over.ax) {
        V bk[VECTORS];
        UNROLL for (int j = 0; j < VECTORS; j++) bk[j] = load_as<V>(bp + j * WIDTH);
        UNROLL for (int r = 0; r < ROWS; r++) {
          const float v = row[r][k];
          UNROLL for (int j = 0; j < VECTORS; j++) sum[r][j] += v * bk[j];
        }
      }
    }
  }
  UNROLL for (int r = 0; r < ROWS; r++) {
    UNROLL for (int j = 0; j < VECTORS; j++) {
      float* p = c[r] + j * WIDTH;
      store_as<V>(p, into == Into::add ? load_as<V>(p) + sum[r][j] : sum[r][j]);
    }
  }
}

// --- the tiles of every size, to be picked at run time: TILES[vectors][rows - 1]

using Tile = void (*)(const float* const*, Along, const float*, i64, float* const*, const float*,
                      Into);
using TransposedTile = void (*)(const float* const*, Over, const float*, float* const*, Into);

template <int VECTORS, class V = Vector, int... R>
const Tile* tiles_of(std::integer_sequence<int, R...>) {
  static const Tile all[] = {tile<R + 1, VECTORS, V>...};
  return all;
}
template <int VECTORS, class V = Vector, int... R>
const TransposedTile* transposed_tiles_of(std::integer_sequence<int, R...>) {
  static const TransposedTile all[] = {transposed_tile<R + 1, VECTORS, V>...};
  return all;
}
template <int VECTORS>
using Heights = std::make_integer_sequence<int, most_rows(VECTORS)>;

INLINE const Tile* tiles(int vectors) {
  switch (vectors) {
    case 1: return tiles_of<1>(Heights<1>{});
    case 2: return tiles_of<2>(Heights<2>{});
    case 3: return tiles_of<3>(Heights<3>{});
#if defined(__AVX512F__) || defined(__aarch64__)
    case 4: return tiles_of<4>(Heights<4>{});
    case 6: return tiles_of<6>(Heights<6>{});
#endif
#if defined(__AVX512F__)
    case 0: return tiles_of<1, HalfVector>(Heights<0>{});
#endif
    default: return nullptr;
  }
}
INLINE const TransposedTile* transposed_tiles(int vectors) {
  switch (vectors) {
    case 1: return transposed_tiles_of<1>(Heights<1>{});
    case 2: return transposed_tiles_of<2>(Heights<2>{});
    case 3: return transposed_tiles_of<3>(Heights<3>{});
#if defined(__AVX512F__) || defined(__aarch64__)
    case 4: return transposed_tiles_of<4>(Heights<4>{});
    case 6: return transposed_tiles_of<6>(Heights<6>{});
#endif
#if defined(__AVX512F__)
    case 0: return transposed_tiles_of<1, HalfVector>(Heights<0>{});
#endif
    default: return nullptr;
  }
}

// n rows in as few tiles as possible, of equal height as far as that goes.
INLINE i64 tile_count(i64 n, int vectors) {
  return (n + most_rows(vectors) - 1) / most_rows(vectors);
}
INLINE i64 tile_start(i64 n, i64 count, i64 i) { return n * i / count; }

}  // namespace
}  // namespace deepneuron::DEEPNEURON_ISA
