#include "membrane/deep_tree.h"

#include <algorithm>
#include <cmath>

#include "linalg/operator_norm.h"
#include "linalg/packed_dense.h"

namespace dtesn {

template <class T>
DeepTree<T>::DeepTree(std::vector<Membrane<T>> membranes, size_t inputs, bool parentFirst)
    : membranes_(std::move(membranes)),
      children_(membranes_.size()),
      offsets_(membranes_.size() + 1),
      inputs_(inputs),
      parentFirst_(parentFirst) {
  size_t largestDrive = 0;
  for (size_t m = 0; m < membranes_.size(); ++m) {
    const size_t units = membranes_[m].region.units();
    offsets_[m + 1] = offsets_[m] + units;
    largestDrive = std::max(largestDrive, membranes_[m].region.driveSize());
    if (membranes_[m].feedback) children_[membranes_[m].parent].push_back(m);
  }
  drive_ = AlignedArray<T>(largestDrive);
  if (!parentFirst) old_ = AlignedArray<T>(units());
}

template <class T>
size_t DeepTree<T>::bytes() const {
  size_t total = 0;
  for (const Membrane<T>& m : membranes_) {
    total += m.region.bytes() + (m.coupling ? m.coupling->bytes() : 0) + (m.feedback ? m.feedback->bytes() : 0);
  }
  return total;
}

template <class T>
void DeepTree<T>::addRecurrence(size_t m, const T* x, const T* parentState, T* drive) const {
  const Membrane<T>& membrane = membranes_[m];
  membrane.region.recurrent->accumulate(x + offsets_[m], drive);
  if (membrane.coupling && gates_[membrane.parent]) {
    membrane.coupling->accumulate(parentState + offsets_[membrane.parent], drive);
  }
  for (size_t child : children_[m]) {
    if (gates_[child]) membranes_[child].feedback->accumulate(x + offsets_[child], drive);
  }
}

template <class T>
size_t DeepTree<T>::run(const T* series, size_t steps, T* state, T* out, const Control& control) {
  size_t done = 0;
  while (done < steps) {
    const T* u = series + done * inputs_;
    if (!parentFirst_) std::memcpy(old_.data(), state, units() * sizeof(T));
    // Parents come first and children are still old when they are read: only the parent's part needs a choice.
    const T* parentState = parentFirst_ ? state : old_.data();
    for (size_t m = 0; m < membranes_.size(); ++m) {
      if (!gates_[m]) continue;
      const Region<T>& region = membranes_[m].region;
      region.beginDrive(u, drive_.data());
      addRecurrence(m, state, parentState, drive_.data());
      region.update(drive_.data(), state + offsets_[m]);
    }
    if (out != nullptr) std::memcpy(out + done * units(), state, units() * sizeof(T));
    if (!control.goOn(++done)) break;
  }
  control.finish(done);
  return done;
}

template <class T>
StepScratch<T> DeepTree<T>::scratch(size_t most) const {
  size_t work = 0;
  for (const Membrane<T>& m : membranes_) {
    work = std::max({work, m.region.workOfMany(most), m.coupling ? m.coupling->workOfMany(most) : 0,
                     m.feedback ? m.feedback->workOfMany(most) : 0});
  }
  return StepScratch<T>(most, drive_.size(), old_.size(), work);
}

template <class T>
void DeepTree<T>::addRecurrences(size_t m, size_t count, T* const* states, T* const* parentStates,
                                 StepScratch<T>& scratch) const {
  const Membrane<T>& membrane = membranes_[m];
  T* const* drives = scratch.drivePlaces.data();
  T* const work = scratch.work.data();
  const auto placesOf = [&scratch, count](T* const* from, size_t offset) {
    for (size_t s = 0; s < count; ++s) scratch.places[s] = from[s] + offset;
    return scratch.places.data();
  };
  membrane.region.recurrent->accumulateMany(count, placesOf(states, offsets_[m]), drives, work);
  if (membrane.coupling && gates_[membrane.parent]) {
    membrane.coupling->accumulateMany(count, placesOf(parentStates, offsets_[membrane.parent]), drives, work);
  }
  for (size_t child : children_[m]) {
    if (!gates_[child]) continue;
    membranes_[child].feedback->accumulateMany(count, placesOf(states, offsets_[child]), drives, work);
  }
}

template <class T>
void DeepTree<T>::step(size_t count, const T* const* inputs, T* const* states, StepScratch<T>& scratch) const {
  T* const* parentStates = states;
  if (!parentFirst_) {
    parentStates = scratch.oldPlaces.data();
    for (size_t s = 0; s < count; ++s) std::memcpy(parentStates[s], states[s], units() * sizeof(T));
  }
  for (size_t m = 0; m < membranes_.size(); ++m) {
    if (!gates_[m]) continue;
    const Region<T>& region = membranes_[m].region;
    region.beginDrives(count, inputs, scratch.drivePlaces.data(), scratch.work.data());
    addRecurrences(m, count, states, parentStates, scratch);
    for (size_t s = 0; s < count; ++s) region.update(scratch.drivePlaces[s], states[s] + offsets_[m]);
  }
}

template <class T>
void DeepTree<T>::linear(const T* x, T* y) {
  for (size_t m = 0; m < membranes_.size(); ++m) {
    const size_t count = membranes_[m].region.units();
    std::memset(drive_.data(), 0, drive_.size() * sizeof(T));
    if (gates_[m]) addRecurrence(m, x, x, drive_.data());
    std::memcpy(y + offsets_[m], drive_.data(), count * sizeof(T));
  }
}

template <class T>
void DeepTree<T>::drive(const T* u, T* w) {
  for (size_t m = 0; m < membranes_.size(); ++m) {
    const Region<T>& region = membranes_[m].region;
    if (gates_[m]) {
      region.beginDrive(u, drive_.data());
      std::memcpy(w + offsets_[m], drive_.data(), region.units() * sizeof(T));
    } else {
      std::memset(w + offsets_[m], 0, region.units() * sizeof(T));
    }
  }
}

template <class T>
double DeepTree<T>::normBound() const {
  const size_t n = membranes_.size();
  std::vector<double> blocks(n * n);
  const auto largestLeak = [](const Region<T>& r) {
    return *std::max_element(r.leak.data(), r.leak.data() + r.units());
  };
  const auto smallestLeak = [](const Region<T>& r) {
    return *std::min_element(r.leak.data(), r.leak.data() + r.units());
  };
  for (size_t m = 0; m < n; ++m) {
    const Membrane<T>& membrane = membranes_[m];
    const double leak = largestLeak(membrane.region);
    blocks[m * n + m] = (1 - smallestLeak(membrane.region)) + leak * operatorNorm(*membrane.region.recurrent);
    if (membrane.coupling) blocks[m * n + membrane.parent] = leak * operatorNorm(*membrane.coupling);
    if (membrane.feedback) {
      blocks[membrane.parent * n + m] =
          largestLeak(membranes_[membrane.parent].region) * operatorNorm(*membrane.feedback);
    }
  }
  const PackedDense<double> packed(n, n, [&](size_t i, double* row) { std::copy_n(blocks.data() + i * n, n, row); });
  return operatorNorm(packed);
}

template class DeepTree<float>;
template class DeepTree<double>;

}  // namespace dtesn
