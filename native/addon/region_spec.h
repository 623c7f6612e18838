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
  failArgument(spec.Env(), "Expected dense, sparse, block-sparse or cycle for topology but received " + name);
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
  region.blockRows = count(spec.Get("blockRows"), "blockRows");
  region.seed = count(spec.Get("seed"), "seed");
  region.stream = static_cast<uint32_t>(count(spec.Get("stream"), "stream"));
  if (region.units == 0) failArgument(spec.Env(), "Expected at least 1 for units but received 0");
  if (region.blockRows != 8 && region.blockRows != 16) failArgument(spec.Env(), "Expected 8 or 16 for blockRows");
  if (region.topology == Topology::blockSparse && region.units > 65536) {
    failShape(spec.Env(), "Expected at most 65536 units for block-sparse");
  }
  if (region.units > UINT32_MAX) failShape(spec.Env(), "Expected at most 4294967295 units");
  return region;
}

}  // namespace dtesn::addon
