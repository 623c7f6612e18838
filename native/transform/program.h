// Transform programs: operations run one after another, in place, on a series of steps x features (row-major).
//
// A program is a list of numbers: operation after operation, each as code, number of parameters, parameters.
// planProgram() checks it against a series; runProgram() runs what the plan accepted. The laws of the operations are in
// the files of the families: elementwise.h, moments.h, temporal.h, resample.h, embed.h.
//
// Memory: the series needs room for `capacity` elements, its widest moment. Beside it the operations use `scratch`
// doubles, a figure of the features alone. Every operation reads and writes the series at most twice.
#pragma once

#include "simd/span.h"

namespace dtesn {

// In the order of operationSchemas in src/pipeline/program-operations.ts.
enum class TransformCode : uint32_t {
  truncate,    // steps, keep (0 first, 1 last)
  pad,         // steps, value
  clip,        // min, max
  scale,       // factor, offset
  zscore,      // epsilon [, means ..., deviations ...]
  minmax,      // low, high
  log1p,       //
  difference,  //
  ema,         // alpha
  meanpool,    // window
  repeat,      // times
  embed,       // features, seed, scale
  count
};

struct SeriesShape {
  size_t steps;
  size_t features;
};

// Why a program does not fit: `expected` is null when it does.
struct ProgramFault {
  const char* expected = nullptr;
  size_t operation = 0;
  size_t received = 0;
};

struct ProgramPlan {
  SeriesShape shape;    // of the result
  size_t capacity = 0;  // elements at the widest point
  size_t scratch = 0;   // doubles
  ProgramFault fault;
};

// Where embed met a value that is no token id: `operation` is SIZE_MAX when it met none.
struct TokenFault {
  size_t operation = SIZE_MAX;
  size_t step = 0;
  double value = 0;
};

ProgramPlan planProgram(Span<const double> program, SeriesShape shape);

// Precondition: planProgram() found no fault, `data` holds the plan's capacity and `scratch` its scratch.
template <class T>
TokenFault runProgram(Span<const double> program, SeriesShape shape, Span<T> data, Span<double> scratch);

}  // namespace dtesn
