// Runs a program: one operation after another, each in place.
#include "transform/program.h"

#include "transform/elementwise.h"
#include "transform/embed.h"
#include "transform/moments.h"
#include "transform/operation.h"
#include "transform/resample.h"
#include "transform/temporal.h"

namespace dtesn {

namespace {

// The step at which embed met no token id, SIZE_MAX when everything went well.
template <class T>
size_t runOperation(const Operation& op, SeriesShape shape, T* data, const Span<double>& scratch) {
  const double* const p = op.parameters.data;
  const size_t size = shape.steps * shape.features;
  switch (op.code) {
    case TransformCode::truncate:
      if (p[1] != 0) keepLast(data, shape, op.whole(0));
      break;
    case TransformCode::pad:
      pad(data, shape, op.whole(0), static_cast<T>(p[1]));
      break;
    case TransformCode::clip:
      clip(data, size, static_cast<T>(p[0]), static_cast<T>(p[1]));
      break;
    case TransformCode::scale:
      scale(data, size, static_cast<T>(p[0]), static_cast<T>(p[1]));
      break;
    case TransformCode::zscore:
      zscore(data, shape, p[0], op.parameters.slice(1, op.parameters.size - 1), scratch);
      break;
    case TransformCode::minmax:
      minmax(data, shape, p[0], p[1], scratch);
      break;
    case TransformCode::log1p:
      log1p(data, size);
      break;
    case TransformCode::difference:
      difference(data, shape);
      break;
    case TransformCode::ema:
      movingAverage(data, shape, p[0], scratch);
      break;
    case TransformCode::meanpool:
      meanPool(data, shape, op.whole(0), scratch);
      break;
    case TransformCode::repeat:
      repeat(data, shape, op.whole(0));
      break;
    case TransformCode::embed: {
      const size_t step = firstNonToken(data, shape.steps);
      if (step < shape.steps) return step;
      embed(data, shape.steps, op.whole(0), static_cast<uint64_t>(p[1]), p[2]);
      break;
    }
    case TransformCode::count:
      break;
  }
  return SIZE_MAX;
}

}  // namespace

template <class T>
TokenFault runProgram(Span<const double> program, SeriesShape shape, Span<T> data, Span<double> scratch) {
  OperationReader reader(program);
  Operation op;
  for (size_t index = 0; reader.next(op); ++index) {
    const size_t step = runOperation(op, shape, data.data, scratch);
    if (step != SIZE_MAX) return {index, step, static_cast<double>(data[step])};
    shape = shapeAfter(op, shape);
  }
  return {};
}

template TokenFault runProgram<float>(Span<const double>, SeriesShape, Span<float>, Span<double>);
template TokenFault runProgram<double>(Span<const double>, SeriesShape, Span<double>, Span<double>);

}  // namespace dtesn
