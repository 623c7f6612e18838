// Rooted trees to order 20, by canonical level sequences.
//
//   level sequence    L[0] = 1, 1 < L[i] <= L[i-1] + 1: depth-first levels; canonical = lexicographically largest
//   symmetry          σ(τ) = 1, σ([t1^m1 .. tk^mk]) = Π mi! σ(ti)^mi
//   density           γ(τ) = 1, γ([t1 .. tk]) = |t| Π γ(ti)
//   alpha             α(t) = |t|! / (σ γ), the monotone labellings
//   Butcher product   t = left ∘ right: right is the last child subtree of the root, left what remains
//   parent            what remains when the last entry of L is deleted. It is canonical again: every child list stays
//   in
//                     decreasing order, since only the last subtree along the rightmost path shrinks.
//
// All exact in uint64: 20! < 2^64. Counts: OEIS A000081.
// Source: Beyer & Hedetniemi (1980), "Constant time generation of rooted trees", SIAM J. Comput. 9(4).
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "simd/span.h"

namespace dtesn {

constexpr int kMaxTreeOrder = 20;
constexpr int kMaxTableOrder = 14;

// All trees of one order in decreasing lexicographic order, in place:
//   for (TreeIterator t(order); !t.done(); t.next()) use(t.levels());
class TreeIterator {
 public:
  explicit TreeIterator(int order);
  bool done() const { return done_; }
  void next();
  Span<const uint8_t> levels() const { return Span<const uint8_t>(levels_, static_cast<size_t>(order_)); }

 private:
  uint8_t levels_[kMaxTreeOrder];
  int order_;
  bool done_ = false;
};

// Trees of exactly this order, by generating them all.
uint64_t countTrees(int order);

uint64_t symmetry(Span<const uint8_t> levels);
uint64_t density(Span<const uint8_t> levels);

// All trees to an order, by order and then in the order of generation. Indices are into the whole table.
struct TreeTable {
  std::vector<size_t> first;  // first[n - 1] .. first[n]: the trees of order n
  std::vector<int32_t> order;
  std::vector<size_t> start;  // of the tree's level sequence in `levels`
  std::vector<uint8_t> levels;
  std::vector<uint64_t> symmetry, density, alpha;
  std::vector<int32_t> parent, left, right;  // -1 for τ

  size_t size() const { return order.size(); }
  Span<const uint8_t> levelsOf(size_t tree) const {
    return Span<const uint8_t>(levels.data() + start[tree], static_cast<size_t>(order[tree]));
  }
};

// 1 <= maxOrder <= kMaxTableOrder.
TreeTable treeTable(int maxOrder);

}  // namespace dtesn
