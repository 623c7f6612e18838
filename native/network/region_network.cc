#include "network/region_network.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "network/run.h"

namespace dtesn {
namespace {

bool isOpen(const uint8_t* gates, size_t m) { return gates == nullptr || gates[m] != 0; }

}  // namespace

template <class T>
RegionNetwork<T>::RegionNetwork(std::vector<Place<T>> places, size_t inputs, bool parentFirst)
    : places_(std::move(places)),
      children_(places_.size()),
      offsets_(places_.size() + 1),
      inputs_(inputs),
      isOne_(places_.size() == 1),
      keepsOld_(!parentFirst && !isOne_) {
  for (size_t m = 0; m < places_.size(); ++m) {
    const Region<T>& region = places_[m].region;
    offsets_[m + 1] = offsets_[m] + region.units();
    driveSize_ = std::max(driveSize_, region.driveSize());
    carries_ = carries_ || region.carry;
    if (places_[m].feedback) children_[static_cast<size_t>(places_[m].parent)].push_back(m);
  }
}

template <class T>
size_t RegionNetwork<T>::bytes() const {
  size_t total = 0;
  for (const Place<T>& p : places_) {
    total += p.region.bytes() + (p.coupling ? p.coupling->bytes() : 0) + (p.feedback ? p.feedback->bytes() : 0);
  }
  return total;
}

template <class T>
StepScratch<T> RegionNetwork<T>::scratch(size_t most) const {
  typename StepScratch<T>::Sizes sizes;
  sizes.drive = driveSize_;
  sizes.old = keepsOld_ ? stateSize() : 0;
  sizes.carried = carries_ ? driveSize_ : 0;
  for (const Place<T>& p : places_) {
    sizes.work = std::max({sizes.work, p.region.workOfMany(most), p.coupling ? p.coupling->workOfMany(most) : 0,
                           p.feedback ? p.feedback->workOfMany(most) : 0});
  }
  return StepScratch<T>(most, sizes);
}

template <class T>
void RegionNetwork<T>::addRecurrence(size_t m, const T* x, const T* parentState, const uint8_t* gates, T* drive) const {
  const Place<T>& place = places_[m];
  place.region.recurrent->accumulate(x + offsets_[m], drive);
  const auto parent = static_cast<size_t>(place.parent);
  if (place.coupling && isOpen(gates, parent)) place.coupling->accumulate(parentState + offsets_[parent], drive);
  for (size_t child : children_[m]) {
    if (isOpen(gates, child)) places_[child].feedback->accumulate(x + offsets_[child], drive);
  }
}

template <class T>
size_t RegionNetwork<T>::run(const Run<T>& run, StepScratch<T>& scratch, const Control& control) const {
  if (!isOne_ || run.gates != nullptr) {
    return eachStep(*this, run, control,
                    [&](size_t t) { step(run.series + t * inputs_, run.state, run.gates, scratch); });
  }
  const Region<T>& region = places_[0].region;
  const LinearOperator<T>& recurrent = *region.recurrent;
  T* const drive = scratch.drives.data();
  T* const carried = scratch.carried.data();
  const T* const series = run.series;
  T* const state = run.state;
  const T* const rate = region.rate.data();
  const size_t units = region.units();
  const auto whole = region.carry ? nullptr : region.wholeMove();
  Sweep sweep = scratch.sweep;
  const size_t done = eachStep(*this, run, control, [&](size_t t) {
    region.beginDrive(series + t * inputs_, drive);
    recurrent.accumulate(state, drive, sweep);
    sweep = turned(sweep);
    if (whole != nullptr) {
      whole(drive, rate, units, state);
    } else {
      region.update(drive, carried, state);
    }
  });
  scratch.sweep = sweep;
  return done;
}

template <class T>
void RegionNetwork<T>::step(const T* input, T* state, const uint8_t* gates, StepScratch<T>& scratch) const {
  T* const drive = scratch.drives.data();
  // Parents come first and children are still old when they are read: only the parent's part needs a choice.
  const T* parentState = state;
  if (keepsOld_) {
    std::memcpy(scratch.old.data(), state, stateSize() * sizeof(T));
    parentState = scratch.old.data();
  }
  for (size_t m = 0; m < places_.size(); ++m) {
    if (!isOpen(gates, m)) continue;
    const Region<T>& region = places_[m].region;
    region.beginDrive(input, drive);
    addRecurrence(m, state, parentState, gates, drive);
    region.update(drive, scratch.carried.data(), state + offsets_[m]);
  }
}

template <class T>
size_t RegionNetwork<T>::choose(size_t m, size_t count, const uint8_t* const* gates, StepScratch<T>& scratch) const {
  size_t chosen = 0;
  for (size_t s = 0; s < count; ++s) {
    if (gates == nullptr || isOpen(gates[s], m)) scratch.chosen[chosen++] = s;
  }
  return chosen;
}

template <class T>
void RegionNetwork<T>::addBlock(const LinearOperator<T>& block, size_t other, size_t count, T* const* states,
                                const uint8_t* const* gates, StepScratch<T>& scratch) const {
  size_t some = 0;
  for (size_t j = 0; j < count; ++j) {
    const size_t s = scratch.chosen[j];
    if (gates != nullptr && !isOpen(gates[s], other)) continue;
    scratch.places[some] = states[s] + offsets_[other];
    scratch.someDrives[some++] = scratch.drivePlaces[j];
  }
  if (some > 0) block.accumulateMany(some, scratch.places.data(), scratch.someDrives.data(), scratch.work.data());
}

template <class T>
void RegionNetwork<T>::stepMany(size_t count, const T* const* inputs, T* const* states, const uint8_t* const* gates,
                                StepScratch<T>& scratch) const {
  T* const* const drives = scratch.drivePlaces.data();
  T* const work = scratch.work.data();
  if (isOne_ && gates == nullptr) {
    const Region<T>& region = places_[0].region;
    region.beginDrives(count, inputs, drives, work);
    region.recurrent->accumulateMany(count, states, drives, work, scratch.sweep);
    region.updateMany(count, drives, scratch.carriedPlaces.data(), states, states, work);
    scratch.sweep = turned(scratch.sweep);
    return;
  }
  T* const* parentStates = states;
  if (keepsOld_) {
    parentStates = scratch.oldPlaces.data();
    for (size_t s = 0; s < count; ++s) std::memcpy(parentStates[s], states[s], stateSize() * sizeof(T));
  }
  for (size_t m = 0; m < places_.size(); ++m) {
    const size_t open = choose(m, count, gates, scratch);
    if (open == 0) continue;
    const Place<T>& place = places_[m];
    for (size_t j = 0; j < open; ++j) {
      scratch.inputPlaces[j] = inputs[scratch.chosen[j]];
      scratch.places[j] = states[scratch.chosen[j]] + offsets_[m];
    }
    place.region.beginDrives(open, scratch.inputPlaces.data(), drives, work);
    place.region.recurrent->accumulateMany(open, scratch.places.data(), drives, work);
    if (place.coupling) {
      addBlock(*place.coupling, static_cast<size_t>(place.parent), open, parentStates, gates, scratch);
    }
    for (size_t child : children_[m]) addBlock(*places_[child].feedback, child, open, states, gates, scratch);
    for (size_t j = 0; j < open; ++j) {
      scratch.someDrives[j] = states[scratch.chosen[j]] + offsets_[m];
      scratch.places[j] = scratch.someDrives[j];
    }
    place.region.updateMany(open, drives, scratch.carriedPlaces.data(), scratch.places.data(),
                            scratch.someDrives.data(), work);
  }
}

template <class T>
void RegionNetwork<T>::couple(const T* x, const uint8_t* gates, T* y, T* work) const {
  for (size_t m = 0; m < places_.size(); ++m) {
    std::memset(work, 0, driveSize_ * sizeof(T));
    if (isOpen(gates, m)) addRecurrence(m, x, x, gates, work);
    std::memcpy(y + offsets_[m], work, places_[m].region.units() * sizeof(T));
  }
}

template <class T>
void RegionNetwork<T>::drive(const T* u, const uint8_t* gates, T* w, T* work) const {
  for (size_t m = 0; m < places_.size(); ++m) {
    std::memset(work, 0, driveSize_ * sizeof(T));
    if (isOpen(gates, m)) places_[m].region.beginDrive(u, work);
    std::memcpy(w + offsets_[m], work, places_[m].region.units() * sizeof(T));
  }
}

// leaky: ((1 - rate) C x - x) / rate, which is -x where C is the identity; euler: (C x - x) / rate.
template <class T>
void RegionNetwork<T>::decay(const T* x, const uint8_t* gates, T* y, T* work) const {
  for (size_t m = 0; m < places_.size(); ++m) {
    const Region<T>& region = places_[m].region;
    const T* from = x + offsets_[m];
    T* to = y + offsets_[m];
    std::memset(work, 0, driveSize_ * sizeof(T));
    if (isOpen(gates, m) && region.carry) region.carry->accumulate(from, work);
    for (size_t i = 0; i < region.units(); ++i) {
      const T rate = region.rate[i];
      if (!isOpen(gates, m)) {
        to[i] = 0;
      } else if (region.carry) {
        to[i] = ((region.law == Law::leaky ? 1 - rate : T(1)) * work[i] - from[i]) / rate;
      } else {
        to[i] = region.law == Law::leaky ? -from[i] : T(0);
      }
    }
  }
}

template <class T>
void RegionNetwork<T>::mask(const uint8_t* gates, T* open) const {
  for (size_t m = 0; m < places_.size(); ++m) {
    std::fill_n(open + offsets_[m], places_[m].region.units(), isOpen(gates, m) ? T(1) : T(0));
  }
}

template <class T>
std::vector<Segment> RegionNetwork<T>::segments() const {
  std::vector<Segment> all;
  for (size_t m = 0; m < places_.size(); ++m) {
    for (const Segment& segment : places_[m].region.segments) {
      all.push_back({offsets_[m] + segment.end, segment.activation});
    }
  }
  return all;
}

template class RegionNetwork<float>;
template class RegionNetwork<double>;

}  // namespace dtesn
