// Checks a program against a series without touching either.
#include <algorithm>

#include "transform/operation.h"
#include "transform/wide_rows.h"

namespace dtesn {

namespace {

constexpr double kWholeLimit = 9007199254740992.0;  // 2^53

// Parameters of an operation, how many of them (from the first) are sizes, and the least the first may be.
struct Signature {
  size_t parameters;
  size_t sizes;
  double least;
};

constexpr Signature kSignatures[] = {
    {2, 1, 0},  // truncate
    {2, 1, 0},  // pad
    {2, 0, 0},  // clip
    {2, 0, 0},  // scale
    {1, 0, 0},  // zscore; moments may follow
    {2, 0, 0},  // minmax
    {0, 0, 0},  // log1p
    {0, 0, 0},  // difference
    {1, 0, 0},  // ema
    {1, 1, 1},  // meanpool
    {1, 1, 1},  // repeat
    {3, 2, 1},  // embed
};
static_assert(sizeof(kSignatures) / sizeof(Signature) == size_t(TransformCode::count), "one signature an operation");

bool isWhole(double v) { return v >= 0 && v < kWholeLimit && v == static_cast<double>(static_cast<uint64_t>(v)); }

bool indexable(SeriesShape shape) { return double(shape.steps) * double(shape.features) < kWholeLimit; }

// Why the operation cannot follow a series of this shape.
ProgramFault faultOf(const Operation& op, SeriesShape shape, size_t index) {
  const Signature& signature = kSignatures[size_t(op.code)];
  const size_t given = op.parameters.size;
  if (op.code == TransformCode::zscore && given > 1 && given != 1 + 2 * shape.features) {
    return {"mean and deviation with one number for each feature before zscore", index, (given - 1) / 2};
  }
  if (op.code == TransformCode::embed && shape.features != 1) return {"1 feature before embed", index, shape.features};
  if (given != signature.parameters && (op.code != TransformCode::zscore || given == 0)) {
    return {"the parameters of the operation", index, given};
  }
  for (size_t i = 0; i < signature.sizes; ++i) {
    const double least = i == 0 ? signature.least : 0;
    if (!isWhole(op.parameters[i]) || op.parameters[i] < least) return {"whole numbers for sizes", index, 0};
  }
  return {};
}

size_t scratchOf(TransformCode code, size_t features) {
  switch (code) {
    case TransformCode::zscore:
    case TransformCode::minmax:
      return 2 * lanesOf(features);
    case TransformCode::ema:
    case TransformCode::meanpool:
      return features;
    default:
      return 0;
  }
}

}  // namespace

SeriesShape shapeAfter(const Operation& op, SeriesShape shape) {
  switch (op.code) {
    case TransformCode::truncate:
      return {std::min(shape.steps, op.whole(0)), shape.features};
    case TransformCode::pad:
      return {std::max(shape.steps, op.whole(0)), shape.features};
    case TransformCode::meanpool:
      return {shape.steps / op.whole(0) + (shape.steps % op.whole(0) != 0), shape.features};
    case TransformCode::repeat: {
      const bool fits = double(shape.steps) * double(op.whole(0)) < kWholeLimit;
      return {fits ? shape.steps * op.whole(0) : SIZE_MAX, shape.features};
    }
    case TransformCode::embed:
      return {shape.steps, op.whole(0)};
    default:
      return shape;
  }
}

ProgramPlan planProgram(Span<const double> program, SeriesShape shape) {
  ProgramPlan plan{shape, 0, 0, {}};
  if (shape.features == 0 || !indexable(shape)) {
    plan.fault = {"a series of fewer than 2^53 elements with 1 feature or more before the program", 0, shape.features};
    return plan;
  }
  plan.capacity = shape.steps * shape.features;
  OperationReader reader(program);
  Operation op;
  for (size_t index = 0; reader.next(op); ++index) {
    plan.fault = faultOf(op, plan.shape, index);
    if (plan.fault.expected) return plan;
    plan.scratch = std::max(plan.scratch, scratchOf(op.code, plan.shape.features));
    plan.shape = shapeAfter(op, plan.shape);
    if (!indexable(plan.shape)) {
      plan.fault = {"a series of fewer than 2^53 elements after the operation", index, plan.shape.steps};
      return plan;
    }
    plan.capacity = std::max(plan.capacity, plan.shape.steps * plan.shape.features);
  }
  if (reader.malformed) plan.fault = {"a list of operations", 0, program.size};
  return plan;
}

}  // namespace dtesn
