// One operation of a program, and how programs are read.
#pragma once

#include "transform/program.h"

namespace dtesn {

struct Operation {
  TransformCode code;
  Span<const double> parameters;

  // A parameter that is a size. Precondition: the plan checked it.
  size_t whole(size_t i) const { return static_cast<size_t>(parameters[i]); }
};

// Reads a program operation by operation; `malformed` when the numbers are no program.
class OperationReader {
 public:
  explicit OperationReader(const Span<const double>& program) : program_(program) {}

  bool next(Operation& operation) {
    if (at_ == program_.size) return false;
    malformed = true;
    if (program_.size - at_ < 2) return false;
    const double code = program_[at_], count = program_[at_ + 1];
    const double rest = static_cast<double>(program_.size - at_ - 2);
    if (!(code >= 0 && code < double(TransformCode::count)) || !(count >= 0 && count <= rest)) return false;
    malformed = false;
    operation.code = static_cast<TransformCode>(static_cast<uint32_t>(code));
    operation.parameters = program_.slice(at_ + 2, static_cast<size_t>(count));
    at_ += 2 + operation.parameters.size;
    return true;
  }

  bool malformed = false;

 private:
  const Span<const double> program_;
  size_t at_ = 0;
};

// The shape after an operation that fits the shape before it.
SeriesShape shapeAfter(const Operation& operation, SeriesShape shape);

}  // namespace dtesn
