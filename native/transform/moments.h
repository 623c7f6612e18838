// Operations that measure each feature over the series: z-score and min-max. Two passes: one reads, one reads and
// writes. Scratch: two doubles a lane (wide_rows.h). A NaN makes the measure of its feature NaN.
#pragma once

#include <cmath>
#include <limits>

#include "transform/wide_rows.h"

namespace dtesn {

constexpr double kInfinity = std::numeric_limits<double>::infinity();

// A divisor that makes 0 of everything where there is nothing to divide by.
inline double infiniteForZero(double divisor) { return divisor == 0 ? kInfinity : divisor; }

// Mean and sum of squared deviations of each feature, in mean[feature] and squares[feature]. Every lane is measured by
// Welford's recurrence, which needs one pass and does not cancel; the lanes of a feature are then merged.
//
// Sources: Welford (1962), Technometrics 4(3); Chan, Golub, LeVeque (1979), "Updating formulae and a pairwise algorithm
// for computing sample variances", for the merge.
template <class T>
inline void measureMoments(const T* data, SeriesShape shape, double* __restrict mean, double* __restrict squares) {
  const size_t lanes = lanesOf(shape.features);
  std::fill_n(mean, lanes, 0.0);
  std::fill_n(squares, lanes, 0.0);
  double rows = 0;
  eachWideRow(data, shape, [&](const T* row, size_t width) {
    rows += 1;
    const double weight = 1 / rows;
    for (size_t j = 0; j < width; ++j) {
      const double before = row[j] - mean[j];
      mean[j] += before * weight;
      squares[j] += before * (row[j] - mean[j]);
    }
  });

  const size_t total = shape.steps * shape.features;
  const auto rowsOf = [&](size_t lane) { return static_cast<double>((total - lane + lanes - 1) / lanes); };
  for (size_t lane = shape.features; lane < std::min(lanes, total); ++lane) {
    const size_t feature = lane % shape.features;
    const double there = rowsOf(lane);
    double here = 0;
    for (size_t j = feature; j < lane; j += shape.features) here += rowsOf(j);
    const double delta = mean[lane] - mean[feature];
    mean[feature] += delta * (there / (here + there));
    squares[feature] += squares[lane] + delta * delta * (here * there / (here + there));
  }
}

// y = (x - mean)/(deviation + epsilon); 0 where deviation + epsilon is 0. `given` holds means, then deviations; when it
// is empty they are measured (population deviation).
template <class T>
inline void zscore(T* data, SeriesShape shape, double epsilon, const Span<const double>& given,
                   const Span<double>& scratch) {
  if (shape.steps == 0) return;
  double* const __restrict mean = scratch.data;
  double* const __restrict divisor = scratch.data + lanesOf(shape.features);
  if (given.size == 0) measureMoments(data, shape, mean, divisor);
  for (size_t f = 0; f < shape.features; ++f) {
    if (given.size > 0) mean[f] = given[f];
    const double deviation = given.size > 0 ? given[shape.features + f] : std::sqrt(divisor[f] / double(shape.steps));
    divisor[f] = infiniteForZero(deviation + epsilon);
  }
  spreadOverLanes(mean, shape.features);
  spreadOverLanes(divisor, shape.features);
  eachWideRow(data, shape, [&](T* row, size_t width) {
    for (size_t j = 0; j < width; ++j) row[j] = static_cast<T>((row[j] - mean[j]) / divisor[j]);
  });
}

// y = low + (x - least)·(high - low)/(greatest - least), kept inside [low, high] against rounding; constant: low.
template <class T>
inline void minmax(T* data, SeriesShape shape, double low, double high, const Span<double>& scratch) {
  const size_t lanes = lanesOf(shape.features);
  double* const __restrict least = scratch.data;
  double* const __restrict greatest = scratch.data + lanes;
  std::fill_n(least, lanes, kInfinity);
  std::fill_n(greatest, lanes, -kInfinity);
  const auto widen = [&](size_t lane, double smallest, double largest) {
    // NaN is taken and, once there, never left: both comparisons with it are false.
    least[lane] = ((smallest < least[lane]) | (smallest != smallest)) ? smallest : least[lane];
    greatest[lane] = ((largest > greatest[lane]) | (largest != largest)) ? largest : greatest[lane];
  };
  eachWideRow(static_cast<const T*>(data), shape, [&](const T* row, size_t width) {
    for (size_t j = 0; j < width; ++j) widen(j, row[j], row[j]);
  });
  for (size_t j = shape.features; j < lanes; ++j) widen(j % shape.features, least[j], greatest[j]);

  double* const __restrict range = greatest;
  for (size_t f = 0; f < shape.features; ++f) range[f] = infiniteForZero(greatest[f] - least[f]);
  spreadOverLanes(least, shape.features);
  spreadOverLanes(range, shape.features);
  const T bottom = static_cast<T>(low), top = static_cast<T>(high);
  eachWideRow(data, shape, [&](T* row, size_t width) {
    for (size_t j = 0; j < width; ++j) {
      const T y = static_cast<T>(low + (row[j] - least[j]) / range[j] * (high - low));
      const T above = y < bottom ? bottom : y;
      row[j] = above > top ? top : above;
    }
  });
}

}  // namespace dtesn
