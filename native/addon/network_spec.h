// Networks from the objects that TypeScript has checked: read on the JavaScript thread, and built on any.
//
//   { kind: 'regions', inputs, parentFirst, regions: [region, ...] }
//   { kind: 'nvar', inputs, delay, order, strides }
//   { kind: 'featured', inputs, number, lines: [inputs, features], differentials, offsets, factors }   of a shared one
//   region    { units, inputs, law, rate, segments: [{ units, activation }], recurrent, input, carry, bias, parent,
//               coupling, feedback, seed, stream }
//   operator  { kind: 'topology', ... } | { kind: 'uniform', scaling } | { kind: 'antisymmetric', scaling, diffusion }
//   |
//             { kind: 'orthogonal' } | { kind: 'dense', values, precision } | { kind: 'nonzeros', values } |
//             { kind: 'csr', offsets, columns, values }
#pragma once

#include <napi.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "addon/view.h"
#include "linalg/sparse_rows.h"
#include "network/control.h"
#include "network/draw.h"
#include "network/featured.h"
#include "network/nvar.h"
#include "network/region_network.h"
#include "network/shared_networks.h"

namespace dtesn::addon {

constexpr size_t kMostUnits = size_t{1} << 24;

inline std::string text(const Napi::Object& spec, const char* key) {
  const Napi::Value value = spec.Get(key);
  if (!value.IsString()) failArgument(spec.Env(), std::string("Expected a string for ") + key + butReceived(value));
  return value.As<Napi::String>().Utf8Value();
}

inline Napi::Object object(const Napi::Value& value, const char* argument) {
  if (!value.IsObject())
    failArgument(value.Env(), std::string("Expected an object for ") + argument + butReceived(value));
  return value.As<Napi::Object>();
}

inline Topology topologyOf(const Napi::Object& spec) {
  const std::string name = text(spec, "topology");
  if (name == "dense") return Topology::dense;
  if (name == "sparse") return Topology::sparse;
  if (name == "block-sparse") return Topology::blockSparse;
  if (name == "cycle") return Topology::cycle;
  if (name == "permutation") return Topology::permutation;
  if (name == "hadamard") return Topology::hadamard;
  failArgument(spec.Env(), "Expected the name of a topology for topology but received " + name);
}

// Left out, the weights are as wide as the states.
inline Precision precisionOf(const Napi::Object& spec) {
  if (!spec.Has("precision")) return Precision::own;
  const std::string name = text(spec, "precision");
  if (name == "bf16") return Precision::bf16;
  if (name == "int8") return Precision::int8;
  return Precision::own;
}

inline Activation activationOf(const Napi::Object& spec) {
  const std::string name = text(spec, "activation");
  if (name == "tanh") return Activation::tanh;
  if (name == "sigmoid") return Activation::sigmoid;
  if (name == "relu") return Activation::relu;
  if (name == "identity") return Activation::identity;
  if (name == "sine") return Activation::sine;
  if (name == "softplus") return Activation::softplus;
  failArgument(spec.Env(), "Expected the name of an activation for activation but received " + name);
}

template <class T>
Span<const T> constant(Span<T> span) {
  return Span<const T>(span.data, span.size);
}

struct Draw {
  uint64_t seed;
  uint32_t stream;
  PhiloxStream of(Purpose purpose) const { return PhiloxStream(seed, stream, purpose); }
};

inline Draw drawOf(const Napi::Object& spec) {
  return {count(spec.Get("seed"), "seed"), static_cast<uint32_t>(count(spec.Get("stream"), "stream"))};
}

// Builds what was read. The views of the spec must stay alive and unchanged until then.
template <class T>
using Build = std::function<Operator<T>(const Interruption&)>;

template <class T>
Build<T> topologyOperator(const Napi::Object& spec, size_t units, const Draw& draw) {
  RecurrentSpec w;
  w.units = units;
  w.spectralRadius = number(spec.Get("spectralRadius"), "spectralRadius");
  w.topology = topologyOf(spec);
  w.density = number(spec.Get("density"), "density");
  w.precision = precisionOf(spec);
  w.blockRows = count(spec.Get("blockRows"), "blockRows");
  w.seed = draw.seed;
  w.stream = draw.stream;
  if (w.blockRows != 8 && w.blockRows != 16)
    failArgument(spec.Env(), "Expected 8 or 16 for blockRows" + butReceived(w.blockRows));
  if (w.topology == Topology::blockSparse && units > 65536) {
    failShape(spec.Env(), "Expected at most 65536 units for a block-sparse operator" + butReceived(units));
  }
  if (w.topology == Topology::hadamard && (units & (units - 1)) != 0) {
    failShape(spec.Env(), "Expected a power of two for units of a hadamard operator" + butReceived(units));
  }
  return [w](const Interruption& interruption) { return drawRecurrent<T>(w, interruption); };
}

template <class T>
Build<T> csrOperator(const Napi::Object& spec, size_t rows, size_t cols) {
  const Span<uint32_t> offsets = view<uint32_t>(spec.Get("offsets"), "offsets", rows + 1);
  const Span<const T> values = constant(view<T>(spec.Get("values"), "values"));
  const Span<uint32_t> columns = view<uint32_t>(spec.Get("columns"), "columns", values.size);
  // Copied before the check: another thread may write to shared views meanwhile.
  std::vector<uint32_t> from(offsets.begin(), offsets.end()), places(columns.begin(), columns.end());
  bool fits = from.front() == 0 && from.back() == values.size && std::is_sorted(from.begin(), from.end());
  for (uint32_t place : places) fits = fits && place < cols;
  if (!fits) {
    failShape(spec.Env(), "Expected offsets that rise from 0 to " + std::to_string(values.size) +
                              " (values) and columns below " + std::to_string(cols) + " for csr");
  }
  return [rows, cols, values, from = std::move(from), places = std::move(places)](const Interruption&) {
    return std::make_unique<SparseRows<T>>(rows, cols, Span<const uint32_t>(from.data(), from.size()),
                                           Span<const uint32_t>(places.data(), places.size()), values);
  };
}

template <class T>
Build<T> operatorOf(const Napi::Value& value, size_t rows, size_t cols, const Draw& draw, Purpose purpose) {
  const Napi::Object spec = object(value, "an operator");
  const std::string kind = text(spec, "kind");
  const PhiloxStream stream = draw.of(purpose);
  const auto values = [&] { return constant(view<T>(spec.Get("values"), "values", rows * cols)); };
  if (kind == "uniform") {
    const double scaling = number(spec.Get("scaling"), "scaling");
    return [=](const Interruption& interruption) { return drawDense<T>(rows, cols, scaling, stream, interruption); };
  }
  if (kind == "dense") {
    return [=, given = values(), precision = precisionOf(spec)](const Interruption&) {
      return denseOf<T>(rows, cols, given, precision);
    };
  }
  if (kind == "nonzeros") {
    return [=, given = values()](const Interruption&) { return nonZerosOf<T>(rows, cols, given); };
  }
  if (kind == "csr") return csrOperator<T>(spec, rows, cols);
  // A drive has room for what these work in only where they multiply the state of their own region.
  if (purpose != Purpose::recurrent && purpose != Purpose::orthogonal)
    failArgument(value.Env(), "Expected uniform, dense, nonzeros or csr as the kind of a block but received " + kind);
  if (rows != cols)
    failShape(value.Env(), "Expected a square matrix for an operator of kind " + kind + " but received " +
                               std::to_string(rows) + " x " + std::to_string(cols));
  if (kind == "topology") return topologyOperator<T>(spec, rows, draw);
  if (kind == "orthogonal") {
    return [=](const Interruption& interruption) { return drawOrthogonal<T>(rows, stream, interruption); };
  }
  if (kind == "antisymmetric") {
    const double scaling = number(spec.Get("scaling"), "scaling");
    const double diffusion = number(spec.Get("diffusion"), "diffusion");
    return [=](const Interruption& interruption) {
      return drawAntisymmetric<T>(rows, scaling, diffusion, stream, interruption);
    };
  }
  failArgument(value.Env(), "Expected the name of an operator for kind but received " + kind);
}

// A view of the bias, or the scaling of a drawn one.
template <class T>
std::function<AlignedArray<T>()> biasOf(const Napi::Value& value, size_t units, const Draw& draw) {
  if (value.IsNumber()) {
    const auto scaling = static_cast<T>(number(value, "bias"));
    return [units, scaling, stream = draw.of(Purpose::bias)] {
      AlignedArray<T> bias(Region<T>::paddedUnits(units));
      stream.fillSymmetric(0, units, bias.data());
      for (size_t i = 0; i < units; ++i) bias[i] *= scaling;
      return bias;
    };
  }
  return [units, given = optionalView<T>(value, "bias", units)] {
    AlignedArray<T> bias(Region<T>::paddedUnits(units));
    std::copy(given.begin(), given.end(), bias.data());
    return bias;
  };
}

inline std::vector<Segment> segmentsOf(const Napi::Object& spec, size_t units) {
  const Napi::Value value = spec.Get("segments");
  if (!value.IsArray()) failArgument(spec.Env(), "Expected an array for segments" + butReceived(value));
  const Napi::Array list = value.As<Napi::Array>();
  std::vector<Segment> segments;
  size_t end = 0;
  for (uint32_t i = 0; i < list.Length(); ++i) {
    const Napi::Object segment = object(list.Get(i), "segments");
    const size_t some = count(segment.Get("units"), "segments.units");
    if (some == 0 || some > units - end) break;
    end += some;
    segments.push_back({end, activationOf(segment)});
  }
  if (end != units || segments.size() != list.Length()) {
    failShape(spec.Env(), "Expected segments of at least one unit each and of " + std::to_string(units) +
                              " units in all for segments");
  }
  return segments;
}

// A region, its place among the others, and the parts of it that are built later.
template <class T>
struct PlaceSpec {
  size_t units = 0;
  Law law = Law::leaky;
  std::vector<Segment> segments;
  AlignedArray<T> rate;
  Build<T> recurrent, input, carry, coupling, feedback;  // null where there is none
  std::function<AlignedArray<T>()> bias;
  int32_t parent = -1;

  Place<T> build(const Interruption& interruption) {
    const auto built = [&](const Build<T>& part) { return part ? part(interruption) : nullptr; };
    Place<T> place;
    Region<T>& region = place.region;
    region.recurrent = built(recurrent);
    region.input = built(input);
    region.carry = built(carry);
    region.bias = bias();
    region.rate = std::move(rate);
    region.law = law;
    region.segments = std::move(segments);
    place.parent = parent;
    place.coupling = built(coupling);
    place.feedback = built(feedback);
    return place;
  }
};

template <class T>
PlaceSpec<T> regionOf(const Napi::Object& spec, size_t inputs, const Draw& draw) {
  const Napi::Env env = spec.Env();
  const size_t units = count(spec.Get("units"), "units");
  if (units < 1 || units > kMostUnits)
    failShape(env, "Expected a whole number from 1 to 16777216 for units" + butReceived(units));
  PlaceSpec<T> region;
  region.units = units;
  region.recurrent = operatorOf<T>(spec.Get("recurrent"), units, units, draw, Purpose::recurrent);
  const Napi::Value input = spec.Get("input"), carry = spec.Get("carry");
  if (input.IsObject()) region.input = operatorOf<T>(input, units, inputs, draw, Purpose::input);
  if (carry.IsObject()) region.carry = operatorOf<T>(carry, units, units, draw, Purpose::orthogonal);
  region.bias = biasOf<T>(spec.Get("bias"), units, draw);
  const Span<T> rate = view<T>(spec.Get("rate"), "rate", units);
  region.rate = AlignedArray<T>(Region<T>::paddedUnits(units));
  std::copy(rate.begin(), rate.end(), region.rate.data());
  region.law = text(spec, "law") == "euler" ? Law::euler : Law::leaky;
  region.segments = segmentsOf(spec, units);
  return region;
}

// A given operator, or the scaling of a drawn one, U(-1, 1) sqrt(3 / cols) scaling: a row of it sends a state of mean
// square s to one of mean square s scaling^2.
template <class T>
Build<T> blockOf(const Napi::Value& value, size_t rows, size_t cols, const Draw& draw, Purpose purpose) {
  if (value.IsObject()) return operatorOf<T>(value, rows, cols, draw, purpose);
  const double scaling = number(value, purpose == Purpose::coupling ? "coupling" : "feedback");
  if (scaling == 0) return nullptr;
  return [=, stream = draw.of(purpose)](const Interruption& interruption) {
    return drawDense<T>(rows, cols, scaling * std::sqrt(3.0 / static_cast<double>(cols)), stream, interruption);
  };
}

template <class T>
std::vector<PlaceSpec<T>> placesOf(const Napi::Object& spec, size_t inputs) {
  const Napi::Env env = spec.Env();
  const Napi::Value value = spec.Get("regions");
  if (!value.IsArray() || value.As<Napi::Array>().Length() == 0) {
    failArgument(env, "Expected an array of at least one region for regions" + butReceived(value));
  }
  const Napi::Array list = value.As<Napi::Array>();
  std::vector<PlaceSpec<T>> places;
  for (uint32_t m = 0; m < list.Length(); ++m) {
    const Napi::Object entry = object(list.Get(m), "a region");
    const Draw draw = drawOf(entry);
    PlaceSpec<T> place = regionOf<T>(entry, inputs, draw);
    if (!entry.Get("parent").IsNull() && !entry.Get("parent").IsUndefined()) {
      const size_t parent = count(entry.Get("parent"), "parent");
      if (parent >= m)
        failShape(env, "Expected a whole number below " + std::to_string(m) + " (the index of the region) for parent" +
                           butReceived(parent));
      place.parent = static_cast<int32_t>(parent);
      const size_t above = places[parent].units;
      place.coupling = blockOf<T>(entry.Get("coupling"), place.units, above, draw, Purpose::coupling);
      place.feedback = blockOf<T>(entry.Get("feedback"), above, place.units, draw, Purpose::feedback);
    }
    places.push_back(std::move(place));
  }
  return places;
}

// The network of { number }, of SharedNetworks.
template <class T>
Shared<Network<T>> claimed(const Napi::Object& spec) {
  const Shared<AnyNetwork> any = SharedNetworks::claim(count(spec.Get("number"), "number"));
  if (!any || any->isDouble() != (sizeof(T) == 8)) {
    fail<Napi::Error>(spec.Env(), "ERR_DTESN_CLOSED",
                      "Expected the handle of an open network: keep it open until Network.from has returned");
  }
  return Shared<Network<T>>(static_cast<const Network<T>*>(any.get()));
}

// A shared network seen through products of elements of its state: factors offsets[i] .. offsets[i + 1] are feature i.
template <class T>
Shared<Network<T>> featuredOf(const Napi::Object& spec) {
  const Napi::Env env = spec.Env();
  const Napi::Object lines = object(spec.Get("lines"), "lines");
  typename Featured<T>::Lines kept;
  kept.inputs = count(lines.Get(0u), "lines");
  kept.features = count(lines.Get(1u), "lines");
  const Shared<Network<T>> within = claimed<T>(spec);
  const double elements = static_cast<double>(kept.inputs) * static_cast<double>(within->inputs()) +
                          static_cast<double>(kept.features) * static_cast<double>(within->featureSize());
  const size_t order = count(spec.Get("differentials"), "differentials");
  if (order > static_cast<size_t>(kMaxDifferentialOrder) || (order > 0 && within->flow() == nullptr)) {
    failArgument(env, "Expected an order of differentials up to " + std::to_string(kMaxDifferentialOrder) +
                          ", and 0 for a network without a flow," + butReceived(order));
  }
  const double trees = order == 0 ? 0 : static_cast<double>(treeTable(static_cast<int>(order)).size());
  const double shown = elements + trees * static_cast<double>(within->stateSize());
  if (!(shown <= kMostUnits * 16.0)) {
    failShape(env, "Expected lines and differentials with up to 268435456 elements");
  }
  auto featured = std::make_unique<Featured<T>>(within, kept, static_cast<int>(order));
  const Span<uint32_t> offsets = view<uint32_t>(spec.Get("offsets"), "offsets");
  const Span<uint32_t> factors = view<uint32_t>(spec.Get("factors"), "factors");
  const size_t size = featured->elements();
  for (size_t i = 0; i + 1 < offsets.size; ++i) {
    const uint32_t from = offsets.data[i], to = offsets.data[i + 1];
    const bool fits = from < to && to <= factors.size &&
                      std::all_of(factors.data + from, factors.data + to, [size](uint32_t at) { return at < size; });
    if (!fits)
      failShape(env, "Expected offsets that rise up to the factors, and factors below the elements of the lines");
    featured->add(factors.data + from, to - from);
  }
  if (featured->featureSize() == 0) failShape(env, "Expected at least one feature");
  return Shared<Network<T>>(featured.release());
}

// A network as it was read; build() counts regions, and throws Interrupted where `control` says so.
template <class T>
class ReadNetwork {
 public:
  explicit ReadNetwork(const Napi::Object& spec) : inputs_(count(spec.Get("inputs"), "inputs")) {
    if (inputs_ < 1 || inputs_ > kMostUnits) {
      failShape(spec.Env(), "Expected a whole number from 1 to 16777216 for inputs" + butReceived(inputs_));
    }
    if (text(spec, "kind") == "regions") {
      places_ = placesOf<T>(spec, inputs_);
      parentFirst_ = spec.Get("parentFirst").ToBoolean().Value();
      return;
    }
    if (text(spec, "kind") == "featured") {
      made_ = featuredOf<T>(spec);
      return;
    }
    delay_ = count(spec.Get("delay"), "delay");
    order_ = count(spec.Get("order"), "order");
    strides_ = count(spec.Get("strides"), "strides");
    if (delay_ < 1 || delay_ > kMostUnits || order_ < 1 || order_ > 64 || strides_ < 1 || strides_ > kMostUnits ||
        static_cast<double>(delay_) * static_cast<double>(strides_) * static_cast<double>(inputs_) >
            kMostUnits * 16.0 ||
        Nvar<T>::monomialsOf(delay_ * inputs_, order_) == SIZE_MAX) {
      failShape(spec.Env(),
                "Expected delay and strides from 1 to 16777216, order from 1 to 64, delay x strides x inputs up to "
                "268435456, and features below 2^64, but received delay " +
                    std::to_string(delay_) + ", strides " + std::to_string(strides_) + ", order " +
                    std::to_string(order_) + " and inputs " + std::to_string(inputs_));
    }
  }

  Shared<Network<T>> build(const Control& control) {
    if (made_) return std::move(made_);
    if (places_.empty()) return Shared<Network<T>>(new Nvar<T>(inputs_, delay_, order_, strides_));
    std::vector<Place<T>> places;
    for (PlaceSpec<T>& place : places_) {
      places.push_back(place.build(control.interruption()));
      control.report(1);
    }
    return Shared<Network<T>>(new RegionNetwork<T>(std::move(places), inputs_, parentFirst_));
  }

 private:
  size_t inputs_;
  Shared<Network<T>> made_;
  std::vector<PlaceSpec<T>> places_;
  bool parentFirst_ = false;
  size_t delay_ = 0, order_ = 0, strides_ = 0;
};

}  // namespace dtesn::addon
