// Elementary differentials of F(x) = L x + f(W x + w) for all rooted trees to an order, by a straight-line program.
//
//   φ_k = k-th derivative of f at W x + w (phi.h)
//   F(•) = L x + φ_0,    F([t1 .. tk]) = φ_k ∘ Π_i W F(ti) + [k = 1] L F(t1)
//
// With t = left ∘ right (trees/rooted_trees.h), G(t) = W F(t) and H(t) the product of the children's G:
//
//   H(t) = H(left) ∘ G(right) (G(right) when k = 1),   F(t) = φ_k ∘ H(t) + [k = 1] L F(right)
//
// f may differ from segment to segment. Cost: one map a tree of order <= p - 1, plus one for W x; L x for each tree
// whose root has one child; at most two elementwise products a tree.
// Source: Hairer, Lubich, Wanner (2006), Geometric Numerical Integration, III.1.
#pragma once

#include <cstddef>
#include <functional>
#include <vector>

#include "linalg/aligned_array.h"
#include "simd/activation.h"
#include "simd/span.h"
#include "trees/rooted_trees.h"

namespace dtesn {

constexpr int kMaxDifferentialOrder = 10;

template <class T>
using LinearMap = std::function<void(const T* x, T* y)>;  // y = A x

template <class T>
class Differentials {
 public:
  // Throws std::invalid_argument for an order outside 1 .. kMaxDifferentialOrder.
  Differentials(size_t units, int order);

  size_t trees() const { return table_.size(); }
  int order() const { return order_; }

  struct Field {
    LinearMap<T> map;    // W
    LinearMap<T> decay;  // L
    Span<const Segment> segments;
    Span<const T> drive;  // w: units
    Span<const T> open;   // what f is multiplied by, unit by unit; empty for 1
  };

  // Allocates nothing. state: units. out: trees x units, F(t) row by row in the order of the table.
  void evaluate(const Field& field, Span<const T> state, Span<T> out);

 private:
  void evaluateActivation(const Field& field, const T* state);
  void evaluateTree(size_t tree, const LinearMap<T>& decay, const T* differentials, T* out);

  size_t units_;
  int order_;
  TreeTable table_;
  size_t inner_;                   // trees of order < p, which are children of others
  std::vector<int> children_;      // of each tree's root
  AlignedArray<T> phi_;            // φ_0 .. φ_(p-1): order x units
  AlignedArray<T> mapped_;         // G of the inner trees
  AlignedArray<T> products_;       // H of the inner trees, and one row for that of any other
  AlignedArray<T> z_, work_;       // W x + w, and what derivatives() works in: units each
  std::vector<const T*> factors_;  // where H of each tree stands
};

// The Taylor coefficients of the flow x' = f(x) from its differentials, x^(n) / n! = Σ_{|t|=n} F(t) / (σ γ) for
// n = 1 .. order: out is order x units.
template <class T>
void taylorCoefficients(const TreeTable& table, size_t units, Span<const T> differentials, Span<T> out);

}  // namespace dtesn
