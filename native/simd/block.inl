// Block-sparse products for weights of type DTESN_W, which loadWeights and loadEight widen to T. blocks.inl and
// narrow_blocks.inl include this file, once for each type. `scales`: a factor for each row of the sums, or null.

DTESN_INLINE void block(const DTESN_W* w, const uint16_t* columns, size_t degree, const T* x, const T* scales, T* y,
                        const int parts) {
  const size_t rows = parts * kLanes;
  // Columns in flight: enough sums to hide the add latency, few enough for the registers.
  const int ways = parts <= 2 ? 4 : (parts <= 4 ? 2 : 1);
  V sum[8];
  DTESN_UNROLL for (int s = 0; s < ways * parts; ++s) sum[s] = V{};
  size_t j = 0;
  for (; j + 4 <= degree; j += 4, w += 4 * rows) {
    const Four four = gather(x, columns + j);
    DTESN_UNROLL for (int c = 0; c < 4; ++c) {
      DTESN_UNROLL for (int p = 0; p < parts; ++p) {
        sum[c % ways * parts + p] += loadWeights(w + c * rows + p * kLanes) * four.x[c];
      }
    }
  }
  for (; j < degree; ++j, w += rows) {
    const T a = x[columns[j]];
    DTESN_UNROLL for (int p = 0; p < parts; ++p) sum[p] += loadWeights(w + p * kLanes) * a;
  }
  DTESN_UNROLL for (int way = 1; way < ways; ++way) {
    DTESN_UNROLL for (int p = 0; p < parts; ++p) sum[p] += sum[way * parts + p];
  }
  DTESN_UNROLL for (int p = 0; p < parts; ++p) {
    if (scales != nullptr) sum[p] *= load(scales + p * kLanes);
    store(y + p * kLanes, load(y + p * kLanes) + sum[p]);
  }
}

#if DTESN_BYTES == 64 && !DTESN_WIDE
DTESN_INLINE void block8(const DTESN_W* w, const uint16_t* columns, size_t degree, const T* x, const T* scales, T* y) {
  V sum[4] = {};
  size_t j = 0;
  for (; j + 8 <= degree; j += 8, w += 64) {
    const Four a = gather(x, columns + j), b = gather(x, columns + j + 4);
    sum[0] += loadWeights(w) * pair(a.x[0], a.x[1]);
    sum[1] += loadWeights(w + 16) * pair(a.x[2], a.x[3]);
    sum[2] += loadWeights(w + 32) * pair(b.x[0], b.x[1]);
    sum[3] += loadWeights(w + 48) * pair(b.x[2], b.x[3]);
  }
  const V both = (sum[0] + sum[1]) + (sum[2] + sum[3]);
  E total = __builtin_shufflevector(both, both, 0, 1, 2, 3, 4, 5, 6, 7) +
            __builtin_shufflevector(both, both, 8, 9, 10, 11, 12, 13, 14, 15);
  for (; j < degree; ++j, w += 8) total += loadEight(w) * x[columns[j]];
  if (scales != nullptr) total *= *reinterpret_cast<const EU*>(scales);
  *reinterpret_cast<EU*>(y) += total;
}
#else
DTESN_INLINE void block8(const DTESN_W* w, const uint16_t* columns, size_t degree, const T* x, const T* scales, T* y) {
  block(w, columns, degree, x, scales, y, 8 / kLanes);
}
#endif

DTESN_INLINE void eachBlock(const DTESN_W* w, const T* scales, const uint16_t* columns, size_t degree, size_t blocks,
                            const T* x, T* y, const size_t rows, Sweep sweep) {
  for (size_t i = 0; i < blocks; ++i) {
    const size_t b = sweep == Sweep::forwards ? i : blocks - 1 - i;
    const T* const factors = scales == nullptr ? nullptr : scales + b * rows;
    if (rows == 8) {
      block8(w + b * rows * degree, columns + b * degree, degree, x, factors, y + b * rows);
    } else {
      block(w + b * rows * degree, columns + b * degree, degree, x, factors, y + b * rows, 16 / kLanes);
    }
  }
}

// `blocks` blocks for `series` series, from row `row` on.
DTESN_INLINE void blockTile(const DTESN_W* w, const T* scales, const uint16_t* columns, size_t degree,
                            const T* const* xs, T* const* ys, size_t row, const int parts, const int series,
                            const int blocks) {
  constexpr size_t kStep = sizeof(E) / sizeof(T);
  const size_t rows = parts * kStep;
  E sum[kTileSeries * 8];
  const T* x[kTileSeries];
  DTESN_UNROLL for (int i = 0; i < blocks * series * parts; ++i) sum[i] = E{};
  DTESN_UNROLL for (int s = 0; s < series; ++s) x[s] = xs[s];
  for (size_t j = 0; j < degree; ++j) {
    DTESN_UNROLL for (int b = 0; b < blocks; ++b) {
      const size_t column = columns[b * degree + j];
      DTESN_UNROLL for (int p = 0; p < parts; ++p) {
        const E weight = loadEight(w + (b * degree + j) * rows + p * kStep);
        DTESN_UNROLL for (int s = 0; s < series; ++s) sum[(b * series + s) * parts + p] += weight * x[s][column];
      }
    }
  }
  DTESN_UNROLL for (int b = 0; b < blocks; ++b) {
    DTESN_UNROLL for (int s = 0; s < series; ++s) {
      DTESN_UNROLL for (int p = 0; p < parts; ++p) {
        E& total = sum[(b * series + s) * parts + p];
        const size_t at = row + b * rows + p * kStep;
        if (scales != nullptr) {
          total *= *reinterpret_cast<const EU*>(scales + at);
          DTESN_ROUNDED(total);
        }
        *reinterpret_cast<EU*>(ys[s] + at) += total;
      }
    }
  }
}

// With few series several blocks at once: one sum after the other, the latency of additions would show.
DTESN_INLINE void blockTiles(const DTESN_W* w, const T* scales, const uint16_t* columns, size_t degree, size_t blocks,
                             const T* const* xs, T* const* ys, size_t row, const int parts, const int series) {
  const int together = parts * series >= 8 ? 1 : parts * series >= 4 ? 2 : 4;
  const size_t rows = parts * sizeof(E) / sizeof(T);
  size_t b = 0;
  for (; b + together <= blocks; b += together) {
    blockTile(w + b * rows * degree, scales, columns + b * degree, degree, xs, ys, row + b * rows, parts, series,
              together);
  }
  for (; b < blocks; ++b) {
    blockTile(w + b * rows * degree, scales, columns + b * degree, degree, xs, ys, row + b * rows, parts, series, 1);
  }
}

#define DTESN_BLOCK_TILES(SERIES)                                                       \
  case SERIES:                                                                          \
    blockTiles(w, scales, columns, degree, blocks, xs + s, ys + s, row, parts, SERIES); \
    break;

DTESN_INLINE void blocksApart(const DTESN_W* w, const T* scales, const uint16_t* columns, size_t degree, size_t blocks,
                              size_t count, const T* const* xs, T* const* ys, size_t row, const size_t rows) {
  const int parts = rows * sizeof(T) / sizeof(E);
  for (size_t s = 0; s < count;) {
    const size_t series = tileSize(count - s);
    switch (series) {
      DTESN_BLOCK_TILES(1)
      DTESN_BLOCK_TILES(2)
      DTESN_BLOCK_TILES(3)
      DTESN_BLOCK_TILES(4)
      DTESN_BLOCK_TILES(5)
      DTESN_BLOCK_TILES(6)
    }
    s += series;
  }
}

#undef DTESN_BLOCK_TILES

// Weights as T: where they lie if they are, else in `room`.
DTESN_INLINE const T* widened(const DTESN_W* w, size_t size, T* room) {
  if (sizeof(DTESN_W) == sizeof(T)) return reinterpret_cast<const T*>(w);
  for (size_t i = 0; i < size; i += sizeof(E) / sizeof(T)) *reinterpret_cast<EU*>(room + i) = loadEight(w + i);
  return room;
}

// The series that fill most of the lanes lie side by side, behind room for the weights of a chunk; the others go
// through tiles.
DTESN_INLINE void eachBlockMany(const DTESN_W* w, const T* scales, const uint16_t* columns, size_t degree,
                                size_t blocks, size_t cols, size_t count, const T* const* xs, T* const* ys, T* work,
                                const size_t rows, Sweep sweep) {
  const size_t beside = seriesBeside(count, rows), room = kChunk * rows * roundUp(cols, kLanes);
  interleave(beside, xs, cols, work + room);
  const size_t chunks = (blocks + kChunk - 1) / kChunk;
  for (size_t i = 0; i < chunks; ++i) {
    const size_t first = (sweep == Sweep::forwards ? i : chunks - 1 - i) * kChunk, row = first * rows;
    const size_t some = blocks - first < kChunk ? blocks - first : kChunk;
    const DTESN_W* const weights = w + row * degree;
    if (beside > 0) {
      blocksBeside(widened(weights, some * rows * degree, work), scales, columns + first * degree, degree, some, cols,
                   beside, work + room, ys, row, rows);
    }
    blocksApart(weights, scales, columns + first * degree, degree, some, count - beside, xs + beside, ys + beside, row,
                rows);
  }
}
