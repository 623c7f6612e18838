#include "trees/rooted_trees.h"

#include <algorithm>
#include <stdexcept>

namespace dtesn {
namespace {

void checkOrder(int order, int limit) {
  if (order < 1 || order > limit) throw std::invalid_argument("The order of rooted trees is out of range");
}

uint64_t factorial(int n) {
  uint64_t product = 1;
  for (int i = 2; i <= n; ++i) product *= static_cast<uint64_t>(i);
  return product;
}

// The end of the subtree that starts at `from`.
size_t subtreeEnd(Span<const uint8_t> levels, size_t from) {
  size_t end = from + 1;
  while (end < levels.size && levels[end] > levels[from]) ++end;
  return end;
}

// Where the last child of the root starts.
size_t lastChild(Span<const uint8_t> levels) {
  size_t at = levels.size - 1;
  while (levels[at] != levels[0] + 1) --at;
  return at;
}

// The tree's index in the table by bisection: the trees of an order stand in decreasing lexicographic order.
int32_t indexOf(const TreeTable& table, Span<const uint8_t> levels) {
  const int offset = levels[0] - 1;
  size_t low = table.first[levels.size - 1], high = table.first[levels.size] - 1;
  while (low < high) {
    const size_t middle = low + (high - low) / 2;
    const Span<const uint8_t> other = table.levelsOf(middle);
    size_t i = 0;
    while (i < levels.size && other[i] == levels[i] - offset) ++i;
    if (i < levels.size && other[i] > levels[i] - offset) {
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  return static_cast<int32_t>(low);
}

void append(TreeTable& table, Span<const uint8_t> levels) {
  const int order = static_cast<int>(levels.size);
  table.order.push_back(order);
  table.start.push_back(table.levels.size());
  table.levels.insert(table.levels.end(), levels.begin(), levels.end());
  const uint64_t sigma = symmetry(levels), gamma = density(levels);
  table.symmetry.push_back(sigma);
  table.density.push_back(gamma);
  table.alpha.push_back(factorial(order) / (sigma * gamma));
  if (order == 1) {
    for (auto* index : {&table.parent, &table.left, &table.right}) index->push_back(-1);
    return;
  }
  const size_t cut = lastChild(levels);
  table.parent.push_back(indexOf(table, levels.slice(0, levels.size - 1)));
  table.left.push_back(indexOf(table, levels.slice(0, cut)));
  table.right.push_back(indexOf(table, levels.slice(cut, levels.size - cut)));
}

}  // namespace

TreeIterator::TreeIterator(int order) : order_(order) {
  checkOrder(order, kMaxTreeOrder);
  for (int i = 0; i < order; ++i) levels_[i] = static_cast<uint8_t>(i + 1);
}

void TreeIterator::next() {
  int p = order_ - 1;
  while (p > 0 && levels_[p] == 2) --p;
  if (p <= 0) {
    done_ = true;
    return;
  }
  int q = p - 1;
  while (levels_[q] != levels_[p] - 1) --q;
  for (int i = p; i < order_; ++i) levels_[i] = levels_[i - (p - q)];
}

uint64_t countTrees(int order) {
  uint64_t count = 0;
  for (TreeIterator tree(order); !tree.done(); tree.next()) ++count;
  return count;
}

uint64_t symmetry(Span<const uint8_t> levels) {
  uint64_t product = 1, equal = 0;
  Span<const uint8_t> previous;
  for (size_t from = 1; from < levels.size;) {
    const size_t end = subtreeEnd(levels, from);
    const Span<const uint8_t> child = levels.slice(from, end - from);
    const bool same = child.size == previous.size && std::equal(child.begin(), child.end(), previous.begin());
    equal = same ? equal + 1 : 1;
    product *= equal * symmetry(child);
    previous = child;
    from = end;
  }
  return product;
}

uint64_t density(Span<const uint8_t> levels) {
  uint64_t product = 1;
  for (size_t from = 0; from < levels.size; ++from) product *= subtreeEnd(levels, from) - from;
  return product;
}

TreeTable treeTable(int maxOrder) {
  checkOrder(maxOrder, kMaxTableOrder);
  TreeTable table;
  table.first.push_back(0);
  for (int order = 1; order <= maxOrder; ++order) {
    for (TreeIterator tree(order); !tree.done(); tree.next()) append(table, tree.levels());
    table.first.push_back(table.order.size());
  }
  return table;
}

}  // namespace dtesn
