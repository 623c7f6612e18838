// Plain structs from the objects that TypeScript has checked.
#pragma once

#include <napi.h>

#include <string>

#include "addon/view.h"
#include "reservoir/draw.h"

namespace dtesn::addon {

inline Topology topologyOf(const Napi::Object& spec) {
  const std::string name = spec.Get("topology").ToString().Utf8Value();
  if (name == "dense") return Topology::dense;
  if (name == "sparse") return Topology::sparse;
  if (name == "block-sparse") return Topology::blockSparse;
  if (name == "cycle") return Topology::cycle;
  if (name == "permutation") return Topology::permutation;
  if (name == "hadamard") return Topology::hadamard;
  failArgument(spec.Env(), "Expected a name of a topology but received " + name);
}

// Left out, the weights are as wide as the states.
inline Precision precisionOf(const Napi::Object& spec) {
  if (!spec.Has("precision")) return Precision::own;
  const std::string name = spec.Get("precision").ToString().Utf8Value();
  if (name == "bf16") return Precision::bf16;
  if (name == "int8") return Precision::int8;
  return Precision::own;
}

inline RegionSpec regionSpec(const Napi::Object& spec) {
  RegionSpec region;
  region.units = count(spec.Get("units"), "units");
  region.inputs = count(spec.Get("inputs"), "inputs");
  region.spectralRadius = number(spec.Get("spectralRadius"), "spectralRadius");
  region.inputScaling = number(spec.Get("inputScaling"), "inputScaling");
  region.biasScaling = number(spec.Get("biasScaling"), "biasScaling");
  region.topology = topologyOf(spec);
  region.density = number(spec.Get("density"), "density");
  region.precision = precisionOf(spec);
  region.blockRows = count(spec.Get("blockRows"), "blockRows");
  region.seed = count(spec.Get("seed"), "seed");
  region.stream = static_cast<uint32_t>(count(spec.Get("stream"), "stream"));
  if (region.units == 0) failArgument(spec.Env(), "Expected at least 1 for units but received 0");
  if (region.blockRows != 8 && region.blockRows != 16) failArgument(spec.Env(), "Expected 8 or 16 for blockRows");
  if (region.topology == Topology::blockSparse && region.units > 65536) {
    failShape(spec.Env(), "Expected at most 65536 units for block-sparse");
  }
  if (region.topology == Topology::hadamard && (region.units & (region.units - 1)) != 0) {
    failShape(spec.Env(), "Expected a power of two for units of hadamard");
  }
  if (region.units > UINT32_MAX) failShape(spec.Env(), "Expected at most 4294967295 units");
  return region;
}

}  // namespace dtesn::addon
