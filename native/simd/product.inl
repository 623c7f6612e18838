// Products in f64 whose bits are the same on every instruction set: every product is rounded before it is added, and
// the order of the sums is fixed. y = A x, nothing accumulated.
//
//   panels   one sum a row, column by column
//   blocks   four sums a row, of the columns j = 0, 1, 2, 3 modulo 4, added as (0 + 1) + (2 + 3)

typedef double D __attribute__((vector_size(DTESN_BYTES)));
typedef double DU __attribute__((vector_size(DTESN_BYTES), aligned(8), may_alias));
constexpr size_t kDoubles = DTESN_BYTES / 8;
// As many elements of T as D has doubles.
typedef T N __attribute__((vector_size(DTESN_BYTES / 8 * sizeof(T))));
typedef T NU __attribute__((vector_size(DTESN_BYTES / 8 * sizeof(T)), aligned(sizeof(T)), may_alias));

DTESN_INLINE D roundedProduct(const T* w, double x) {
  D product = __builtin_convertvector(static_cast<N>(*reinterpret_cast<const NU*>(w)), D) * x;
  DTESN_ROUNDED(product);
  return product;
}

DTESN_INLINE void storeDoubles(double* y, D v) { *reinterpret_cast<DU*>(y) = v; }

DTESN_INLINE void exactPanelPart(const T* w, size_t stride, size_t cols, const double* x, double* y,
                                 const int vectors) {
  D sum[8] = {};
  for (size_t k = 0; k < cols; ++k, w += stride) {
    DTESN_UNROLL for (int v = 0; v < vectors; ++v) sum[v] += roundedProduct(w + v * kDoubles, x[k]);
  }
  DTESN_UNROLL for (int v = 0; v < vectors; ++v) storeDoubles(y + v * kDoubles, sum[v]);
}

static void exactPanels(const T* w, size_t groups, size_t cols, const double* x, double* y) {
  for (size_t first = 0; first < groups; first += kPanelGroups) {
    const size_t width = (groups - first < kPanelGroups ? groups - first : kPanelGroups) * groupRows<T>();
    size_t row = 0;
    for (; row + 8 * kDoubles <= width; row += 8 * kDoubles) exactPanelPart(w + row, width, cols, x, y + row, 8);
    for (; row < width; row += 8) exactPanelPart(w + row, width, cols, x, y + row, 8 / kDoubles);
    w += width * cols;
    y += width;
  }
}

constexpr size_t kAhead = 2048 / sizeof(T);

DTESN_INLINE void exactBlock(const T* w, const uint16_t* columns, size_t degree, const double* x, double* y,
                             const size_t rows) {
  constexpr int kParts = 8 / kDoubles;
  D sum[4][kParts] = {};
  size_t j = 0;
  for (; j + 4 <= degree; j += 4, w += 4 * rows) {
    __builtin_prefetch(w + kAhead);
    __builtin_prefetch(w + kAhead + 64 / sizeof(T));
    DTESN_UNROLL for (int c = 0; c < 4; ++c) {
      const double a = x[columns[j + c]];
      DTESN_UNROLL for (int p = 0; p < kParts; ++p) sum[c][p] += roundedProduct(w + c * rows + p * kDoubles, a);
    }
  }
  DTESN_UNROLL for (int c = 0; c < 3; ++c) {
    if (j + c >= degree) break;
    const double a = x[columns[j + c]];
    DTESN_UNROLL for (int p = 0; p < kParts; ++p) sum[c][p] += roundedProduct(w + c * rows + p * kDoubles, a);
  }
  DTESN_UNROLL for (int p = 0; p < kParts; ++p) {
    storeDoubles(y + p * kDoubles, (sum[0][p] + sum[1][p]) + (sum[2][p] + sum[3][p]));
  }
}

static void exactBlocks(const T* w, const uint16_t* columns, size_t degree, size_t blocks, size_t rows, const double* x,
                        double* y) {
  for (size_t b = 0; b < blocks; ++b, w += rows * degree, columns += degree, y += rows) {
    if (rows == 8) {
      exactBlock(w, columns, degree, x, y, 8);
    } else {
      exactBlock(w, columns, degree, x, y, 16);
      exactBlock(w + 8, columns, degree, x, y + 8, 16);
    }
  }
}
