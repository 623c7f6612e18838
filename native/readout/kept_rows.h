// Least squares with more features than rows: the rows themselves are kept, and their spectrum has one value a row.
// Memory: rows (features + outputs). Operations: about 10 rows^2 (features + rows) at the end.
#pragma once

#include <vector>

#include "readout/least_squares.h"

namespace dtesn {

class KeptRows final : public LeastSquares {
 public:
  explicit KeptRows(const ReadoutShape& shape);

  // Rows that were taken in.
  size_t rows() const { return rows_.size() / columns(); }
  bool spectrum(const Spectrum& spectrum, const Interruption& interruption) const override;

 protected:
  double* block(size_t j) override { return block_.data() + j * kBlockRows * kStripWidth; }
  void addBlock(size_t rows, const Interruption& interruption) override;
  Trapezoid eliminate(double, const Interruption&) const override { return Trapezoid(0, 0); }

 private:
  static constexpr size_t kBlockRows = 128;

  size_t columns() const { return 1 + shape().features() + shape().outputs; }

  AlignedArray<double> block_;
  std::vector<double> rows_;  // of columns(): the ones, the features, the outputs
};

}  // namespace dtesn
