// DeepTree32 and DeepTree64: new DeepTree(spec, leak, state, gates).
#include <napi.h>

#include <cmath>
#include <memory>
#include <string>

#include "addon/exports.h"
#include "addon/region_spec.h"
#include "addon/runnable.h"
#include "bseries/differentials.h"
#include "linalg/spectral_radius.h"
#include "membrane/deep_tree.h"

namespace dtesn::addon {
namespace {

template <class T>
class DeepTreeObject final : public Runnable<DeepTreeObject<T>, T> {
 public:
  static Napi::Function define(Napi::Env env, const char* name) {
    using Self = DeepTreeObject<T>;
    return Self::DefineClass(
        env, name,
        {Self::InstanceMethod("run", &Self::run), Self::InstanceMethod("runAsync", &Self::runAsync),
         Self::InstanceMethod("runMany", &Self::runMany), Self::InstanceMethod("stepStreams", &Self::stepStreams),
         Self::InstanceMethod("weights", &Self::weights), Self::InstanceMethod("blocks", &Self::blocks),
         Self::InstanceMethod("differentials", &Self::differentials),
         Self::InstanceMethod("normBound", &Self::normBound),
         Self::InstanceMethod("effectiveRadius", &Self::effectiveRadius),
         Self::InstanceAccessor("bytes", &Self::bytes, nullptr)});
  }

  explicit DeepTreeObject(const Napi::CallbackInfo& info) : Runnable<DeepTreeObject<T>, T>(info) {
    const Napi::Object spec = info[0].As<Napi::Object>();
    const size_t inputs = count(spec.Get("inputs"), "inputs");
    guarded(info.Env(), [&] {
      tree_ = std::make_unique<DeepTree<T>>(draw(spec, view<T>(info[1], "leak")), inputs,
                                            spec.Get("parentFirst").ToBoolean().Value());
    });
    stateData_ = view<T>(info[2], "state", tree_->units()).data;
    gates_ = view<uint8_t>(info[3], "gates", tree_->membranes()).data;
    tree_->bindGates(gates_);
    views_ = Napi::Persistent(Napi::Object(Napi::Array::New(info.Env())));
    views_.Set(0u, info[2]);
    views_.Set(1u, info[3]);
  }

 protected:
  const Network<T>& network() const override { return *tree_; }
  size_t execute(const T* series, size_t steps, T* out, const Control& control) override {
    return tree_->run(series, steps, stateData_, out, control);
  }

 private:
  // spec.membranes: [{ ...region, parent, coupling, feedback }], the last two scalings of their blocks, 0 for none.
  static std::vector<Membrane<T>> draw(const Napi::Object& spec, Span<T> leak) {
    const Napi::Env env = spec.Env();
    const Napi::Array list = spec.Get("membranes").As<Napi::Array>();
    std::vector<Membrane<T>> membranes;
    size_t offset = 0;
    for (uint32_t m = 0; m < list.Length(); ++m) {
      const Napi::Object entry = list.Get(m).As<Napi::Object>();
      const RegionSpec region = regionSpec(entry);
      if (region.units > leak.size - offset) failShape(env, "Expected one leak a unit");
      Membrane<T> membrane;
      membrane.region = drawRegion<T>(region, Span<const T>(leak.data + offset, region.units));
      offset += region.units;
      if (m > 0) {
        const size_t parent = count(entry.Get("parent"), "parent");
        if (parent >= m) failShape(env, "Expected a parent before its children");
        membrane.parent = static_cast<int32_t>(parent);
        const size_t parentUnits = membranes[parent].region.units();
        membrane.coupling = port(region.units, parentUnits, number(entry.Get("coupling"), "coupling"),
                                 PhiloxStream(region.seed, region.stream, Purpose::coupling));
        membrane.feedback = port(parentUnits, region.units, number(entry.Get("feedback"), "feedback"),
                                 PhiloxStream(region.seed, region.stream, Purpose::feedback));
      }
      membranes.push_back(std::move(membrane));
    }
    return membranes;
  }

  // U(-1, 1) sqrt(3 / cols) scaling: a row of it sends a state of mean square s to one of mean square s scaling^2.
  static std::unique_ptr<LinearOperator<T>> port(size_t rows, size_t cols, double scaling, const PhiloxStream& stream) {
    if (scaling == 0) return nullptr;
    return drawDense<T>(rows, cols, scaling * std::sqrt(3.0 / static_cast<double>(cols)), stream);
  }

  size_t membraneAt(const Napi::Value& value) const {
    const size_t m = count(value, "membrane");
    if (m >= tree_->membranes()) failShape(value.Env(), "Expected a membrane of this tree");
    return m;
  }

  // weights(membrane, recurrent, input | null, bias): as Reservoir's; input is null where none reaches the membrane.
  Napi::Value weights(const Napi::CallbackInfo& info) {
    this->checkIdle(info.Env());
    const Region<T>& region = tree_->membrane(membraneAt(info[0])).region;
    const size_t n = region.units();
    region.recurrent->unpack(view<T>(info[1], "recurrent", n * n).data);
    if (region.input) region.input->unpack(view<T>(info[2], "input", n * this->inputs()).data);
    std::copy_n(region.bias.data(), n, view<T>(info[3], "bias", n).data);
    return info.Env().Undefined();
  }

  // blocks(membrane, coupling | null, feedback | null): the scaled blocks between a membrane and its parent.
  Napi::Value blocks(const Napi::CallbackInfo& info) {
    this->checkIdle(info.Env());
    const Membrane<T>& membrane = tree_->membrane(membraneAt(info[0]));
    if (membrane.coupling) {
      const auto& block = *membrane.coupling;
      block.unpack(view<T>(info[1], "coupling", block.rows() * block.cols()).data);
    }
    if (membrane.feedback) {
      const auto& block = *membrane.feedback;
      block.unpack(view<T>(info[2], "feedback", block.rows() * block.cols()).data);
    }
    return info.Env().Undefined();
  }

  // differentials(order, input, out: trees x units): of the flow of the whole tree at the present state. A closed
  // membrane does not flow: its rows are zero.
  Napi::Value differentials(const Napi::CallbackInfo& info) {
    this->checkIdle(info.Env());
    const size_t order = count(info[0], "order");
    const Span<T> input = view<T>(info[1], "input", this->inputs());
    guarded(info.Env(), [&] {
      const size_t n = this->units();
      Differentials<T> stage(n, static_cast<int>(order));
      const Span<T> out = view<T>(info[2], "out", stage.trees() * n);
      AlignedArray<T> drive(n), decay(n);
      tree_->drive(input.data, drive.data());
      for (size_t m = 0; m < tree_->membranes(); ++m) {
        std::fill_n(decay.data() + tree_->offset(m), tree_->membrane(m).region.units(), gates_[m] ? T(1) : T(0));
      }
      stage.evaluate([this](const T* x, T* y) { tree_->linear(x, y); }, Span<const T>(stateData_, n),
                     Span<const T>(drive.data(), n), Span<const T>(decay.data(), n), out);
    });
    return info.Env().Undefined();
  }

  Napi::Value normBound(const Napi::CallbackInfo& info) {
    return guarded(info.Env(), [&] { return Napi::Number::New(info.Env(), tree_->normBound()); });
  }

  // effectiveRadius(membrane): the spectral radius of (1 - leak) I + leak W of one region.
  Napi::Value effectiveRadius(const Napi::CallbackInfo& info) {
    const Region<T>& region = tree_->membrane(membraneAt(info[0])).region;
    return guarded(info.Env(), [&] {
      RadiusOptions options;
      options.tolerance = 1e-6;
      const auto leaky = [&region](const double* x, double* y) {
        region.recurrent->product(x, y);
        for (size_t i = 0; i < region.units(); ++i) y[i] = (1 - region.leak[i]) * x[i] + region.leak[i] * y[i];
      };
      return Napi::Number::New(info.Env(), spectralRadius(region.units(), leaky, options).radius);
    });
  }

  Napi::Value bytes(const Napi::CallbackInfo& info) {
    return Napi::Number::New(info.Env(), static_cast<double>(tree_->bytes()));
  }

  std::unique_ptr<DeepTree<T>> tree_;
  Napi::ObjectReference views_;
  T* stateData_ = nullptr;
  const uint8_t* gates_ = nullptr;
};

}  // namespace

void exportDeepTree(Napi::Env env, Napi::Object exports) {
  exports.Set("DeepTree32", DeepTreeObject<float>::define(env, "DeepTree32"));
  exports.Set("DeepTree64", DeepTreeObject<double>::define(env, "DeepTree64"));
}

}  // namespace dtesn::addon
