#include "linalg/components.h"

#include <algorithm>

namespace dtesn {
namespace {

constexpr size_t kUnseen = static_cast<size_t>(-1);

// Tarjan's search with its own stack: a chain of 10^4 vertices must not exhaust the thread's.
class Search {
 public:
  Search(Span<const double> a, size_t n) : a_(a), n_(n), seen_(n, kUnseen), low_(n), next_(n), open_(n) {}

  std::vector<std::vector<size_t>> blocks() {
    for (size_t root = 0; root < n_; ++root) {
      if (seen_[root] == kUnseen) explore(root);
    }
    return std::move(blocks_);
  }

 private:
  void enter(size_t v) {
    seen_[v] = low_[v] = clock_++;
    open_[v] = 1;
    path_.push_back(v);
    pending_.push_back(v);
  }

  void explore(size_t root) {
    enter(root);
    while (!path_.empty()) {
      const size_t v = path_.back();
      size_t& to = next_[v];
      while (to < n_ && (a_[v * n_ + to] == 0 || (seen_[to] != kUnseen && !open_[to]))) ++to;
      if (to == n_) {
        leave(v);
      } else if (seen_[to] == kUnseen) {
        enter(to);
      } else {
        low_[v] = std::min(low_[v], seen_[to++]);
      }
    }
  }

  void leave(size_t v) {
    path_.pop_back();
    if (!path_.empty()) low_[path_.back()] = std::min(low_[path_.back()], low_[v]);
    if (low_[v] != seen_[v]) return;
    std::vector<size_t> block;
    size_t member;
    do {
      member = pending_.back();
      pending_.pop_back();
      open_[member] = 0;
      block.push_back(member);
    } while (member != v);
    std::sort(block.begin(), block.end());
    blocks_.push_back(std::move(block));
  }

  Span<const double> a_;
  size_t n_, clock_ = 0;
  std::vector<size_t> seen_, low_, next_;
  std::vector<char> open_;
  std::vector<size_t> path_, pending_;
  std::vector<std::vector<size_t>> blocks_;
};

}  // namespace

std::vector<std::vector<size_t>> irreducibleBlocks(Span<const double> a, size_t n) { return Search(a, n).blocks(); }

}  // namespace dtesn
