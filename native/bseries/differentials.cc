#include "bseries/differentials.h"

#include <cmath>
#include <stdexcept>

#include "bseries/phi.h"

namespace dtesn {
namespace {

TreeTable checkedTable(int order) {
  if (order < 1 || order > kMaxDifferentialOrder) {
    throw std::invalid_argument("Expected a whole number from 1 to 10 for order");
  }
  return treeTable(order);
}

}  // namespace

template <class T>
Differentials<T>::Differentials(size_t units, int order)
    : units_(units),
      order_(order),
      table_(checkedTable(order)),
      inner_(table_.first[static_cast<size_t>(order) - 1]),
      children_(table_.size()),
      phi_(static_cast<size_t>(order) * units),
      mapped_(inner_ * units),
      products_((inner_ + 1) * units),
      z_(units),
      work_(units),
      factors_(table_.size()) {
  for (size_t t = 1; t < table_.size(); ++t) children_[t] = children_[static_cast<size_t>(table_.left[t])] + 1;
}

template <class T>
void Differentials<T>::evaluate(const Field& field, Span<const T> state, Span<T> out) {
  evaluateActivation(field, state.data);
  field.decay(state.data, out.data);
  for (size_t i = 0; i < units_; ++i) out[i] += phi_[i];
  for (size_t t = 0; t < table_.size(); ++t) {
    T* row = out.data + t * units_;
    if (t > 0) evaluateTree(t, field.decay, out.data, row);
    if (t < inner_) field.map(row, mapped_.data() + t * units_);
  }
}

template <class T>
void Differentials<T>::evaluateActivation(const Field& field, const T* state) {
  field.map(state, z_.data());
  for (size_t i = 0; i < units_; ++i) z_[i] += field.drive[i];
  size_t begin = 0;
  for (const Segment& segment : field.segments) {
    const Span<const T> some(z_.data() + begin, segment.end - begin);
    derivatives(segment.activation, order_, some, phi_.data() + begin, units_, work_.data());
    begin = segment.end;
  }
  if (field.open.size == 0) return;
  for (int k = 0; k < order_; ++k) {
    for (size_t i = 0; i < units_; ++i) phi_[static_cast<size_t>(k) * units_ + i] *= field.open[i];
  }
}

template <class T>
void Differentials<T>::evaluateTree(size_t tree, const LinearMap<T>& decay, const T* differentials, T* out) {
  const auto left = static_cast<size_t>(table_.left[tree]), right = static_cast<size_t>(table_.right[tree]);
  const T* phi = phi_.data() + static_cast<size_t>(children_[tree]) * units_;
  const T* last = mapped_.data() + right * units_;
  if (children_[tree] == 1) {
    decay(differentials + right * units_, out);
    for (size_t i = 0; i < units_; ++i) out[i] += phi[i] * last[i];
    factors_[tree] = last;
    return;
  }
  const T* others = factors_[left];
  T* product = products_.data() + (tree < inner_ ? tree : inner_) * units_;
  for (size_t i = 0; i < units_; ++i) {
    product[i] = others[i] * last[i];
    out[i] = phi[i] * product[i];
  }
  factors_[tree] = product;
}

template <class T>
void taylorCoefficients(const TreeTable& table, size_t units, Span<const T> differentials, Span<T> out) {
  std::vector<double> sum(units);
  for (size_t n = 0; n + 1 < table.first.size(); ++n) {
    sum.assign(units, 0);
    for (size_t t = table.first[n]; t < table.first[n + 1]; ++t) {
      const double weight = 1 / static_cast<double>(table.symmetry[t] * table.density[t]);
      for (size_t i = 0; i < units; ++i) sum[i] += weight * static_cast<double>(differentials[t * units + i]);
    }
    for (size_t i = 0; i < units; ++i) out[n * units + i] = static_cast<T>(sum[i]);
  }
}

template class Differentials<float>;
template class Differentials<double>;
template void taylorCoefficients<float>(const TreeTable&, size_t, Span<const float>, Span<float>);
template void taylorCoefficients<double>(const TreeTable&, size_t, Span<const double>, Span<double>);

}  // namespace dtesn
