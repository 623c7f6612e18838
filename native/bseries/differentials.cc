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
      factors_(table_.size()) {
  for (size_t t = 1; t < table_.size(); ++t) children_[t] = children_[static_cast<size_t>(table_.left[t])] + 1;
}

template <class T>
void Differentials<T>::evaluate(const LinearMap<T>& map, Span<const T> state, Span<const T> drive, Span<const T> decay,
                                Span<T> out) {
  evaluateActivation(map, state.data, drive.data);
  for (size_t i = 0; i < units_; ++i) out[i] = phi_[i] - decay[i] * state[i];
  for (size_t t = 0; t < table_.size(); ++t) {
    T* row = out.data + t * units_;
    if (t > 0) evaluateTree(t, decay.data, out.data, row);
    if (t < inner_) map(row, mapped_.data() + t * units_);
  }
}

template <class T>
void Differentials<T>::evaluateActivation(const LinearMap<T>& map, const T* state, const T* drive) {
  T* s = phi_.data();
  map(state, s);
  for (size_t i = 0; i < units_; ++i) s[i] = std::tanh(s[i] + drive[i]);
  for (int k = 1; k < order_; ++k) phi(k, Span<const T>(s, units_), s + static_cast<size_t>(k) * units_);
}

template <class T>
void Differentials<T>::evaluateTree(size_t tree, const T* decay, const T* differentials, T* out) {
  const auto left = static_cast<size_t>(table_.left[tree]), right = static_cast<size_t>(table_.right[tree]);
  const T* phi = phi_.data() + static_cast<size_t>(children_[tree]) * units_;
  const T* last = mapped_.data() + right * units_;
  if (children_[tree] == 1) {
    const T* child = differentials + right * units_;
    for (size_t i = 0; i < units_; ++i) out[i] = phi[i] * last[i] - decay[i] * child[i];
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
