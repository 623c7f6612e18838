// RidgeTrainer and RecursiveTrainer, and the exports of the room. States are Float32Array or Float64Array, everything
// else f64.
#include <napi.h>

#include <algorithm>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "addon/exports.h"
#include "addon/features.h"
#include "addon/forecaster_object.h"
#include "addon/linear_readout_object.h"
#include "addon/memory.h"
#include "addon/state_object.h"
#include "addon/task.h"
#include "addon/view.h"
#include "readout/kept_rows.h"
#include "readout/normal_equations.h"
#include "readout/orthogonal_factor.h"
#include "readout/recursive_least_squares.h"
#include "readout/train.h"

namespace dtesn::addon {
namespace {

// Of the upper triangle of sums over all columns, about.
size_t squareBytes(const ReadoutShape& shape) {
  const size_t columns = shape.features() + shape.outputs + 1;
  return columns * columns / 2 * sizeof(double);
}

// new RidgeTrainer(shape, solver, folds); solver: 'cholesky', 'qr' (svd, too) or 'dual'
//
//   add(states, inputs, targets, weights | null), addAsync(the same, control) -> rows done
//   train(state, series, targets, washout, block, weights | null), trainAsync(the same, control)
//                                                             -> steps done (readout/train.h)
//   counted                                                   the rows so far that count
//   enter(fold)                                               where the next rows go
//   solve(ridge, weights, bias, features[], errors | null), solveAsync(the same, control)
//                                                             -> condition number, 0 where there is no solution
//   validate(ridges, errors, features[]), validateAsync(the same, control)
//                                                             -> 1; errors: folds x ridges x prefixes x outputs
//   spectrum([vectors, squares, coefficients, rest, means, outputMeans, basis | null]), spectrumAsync(the same,
//   control) close()
class RidgeTrainer final : public Napi::ObjectWrap<RidgeTrainer> {
 public:
  static Napi::Function define(Napi::Env env) {
    return DefineClass(
        env, "RidgeTrainer",
        {InstanceMethod("add", &RidgeTrainer::add), InstanceMethod("addAsync", &RidgeTrainer::addAsync),
         InstanceMethod("train", &RidgeTrainer::trainNow), InstanceMethod("trainAsync", &RidgeTrainer::trainAsync),
         InstanceMethod("solve", &RidgeTrainer::solve), InstanceMethod("solveAsync", &RidgeTrainer::solve),
         InstanceMethod("validate", &RidgeTrainer::validate), InstanceMethod("validateAsync", &RidgeTrainer::validate),
         InstanceMethod("spectrum", &RidgeTrainer::spectrum), InstanceMethod("spectrumAsync", &RidgeTrainer::spectrum),
         InstanceMethod("enter", &RidgeTrainer::enter), InstanceAccessor("counted", &RidgeTrainer::counted, nullptr),
         InstanceMethod("close", &RidgeTrainer::close)});
  }

  explicit RidgeTrainer(const Napi::CallbackInfo& info)
      : Napi::ObjectWrap<RidgeTrainer>(info), shape_(readShape(info[0])) {
    guarded(info.Env(), [&] {
      const std::string solver = info[1].ToString().Utf8Value();
      const size_t folds = count(info[2], "folds");
      if (folds < 1 || folds > kMostFolds) failShape(info.Env(), "Expected 1 to 1000 folds" + butReceived(folds));
      if (solver == "dual") {
        sums_ = std::make_unique<KeptRows>(shape_);
      } else if (solver == "cholesky") {
        sums_ = std::make_unique<NormalEquations>(shape_);
      } else {
        sums_ = std::make_unique<OrthogonalFactor>(shape_, folds);
      }
      folds_ = folds;
      // KeptRows begins with no rows, and grows with them.
      if (solver != "dual") memory_.take(info.Env(), squareBytes(shape_) * (solver == "qr" ? folds : 1));
    });
  }

 private:
  static constexpr size_t kMostFolds = 1000;

  void check(Napi::Env env) const { occupancy_.check(env, "Ridge"); }

  // Runs the body on another thread, this object busy meanwhile.
  Napi::Value startTask(const Napi::CallbackInfo& info, Task::Body body) {
    const Napi::Env env = info.Env();
    std::vector<Napi::Value> held = {info.This()};
    for (size_t i = 0; i < info.Length(); ++i) held.push_back(info[i]);
    return guarded(env, [&] {
      const Napi::Promise promise =
          Task::start(env, std::move(held), std::move(body), [this](Napi::Env settled) { unclaim(settled); });
      occupancy_.claim();
      return promise;
    });
  }

  Napi::Value add(const Napi::CallbackInfo& info) {
    check(info.Env());
    size_t done = 0;
    withFeatures(info, shape_, [&](const auto& features, size_t rows) {
      const double* const targets = view<double>(info[2], "targets", rows * shape_.outputs).data;
      counted_ += sums_->add(features, targets, optionalView<double>(info[3], "weights", rows).data, rows);
      done = rows;
    });
    return Napi::Number::New(info.Env(), static_cast<double>(done));
  }

  Napi::Value addAsync(const Napi::CallbackInfo& info) {
    check(info.Env());
    const Control control = controlOf(info[4]);
    Task::Body body;
    withFeatures(info, shape_, [&](const auto& features, size_t rows) {
      const Span<double> targets = view<double>(info[2], "targets", rows * shape_.outputs);
      const double* const weights = optionalView<double>(info[3], "weights", rows).data;
      body = [this, features, targets, weights, rows, control] {
        const size_t piece = sums_->blockRows();
        for (size_t done = 0; done < rows; done += piece) {
          const size_t some = std::min(piece, rows - done);
          counted_ += sums_->add(features.from(shape_, done), targets.data + done * shape_.outputs,
                                 weights == nullptr ? nullptr : weights + done, some, control.ending());
          if (!control.report(some)) return static_cast<double>(done + some);
        }
        return static_cast<double>(rows);
      };
    });
    return startTask(info, std::move(body));
  }

  template <class T>
  Lesson<T> lessonOf(const Napi::CallbackInfo& info, const StateObject<T>& state) {
    const Napi::Env env = info.Env();
    state.checkUsable(env);
    const Network<T>& network = *state.network();
    if (shape_.states != network.featureSize() || (shape_.inputs != 0 && shape_.inputs != network.inputs())) {
      failShape(env, "Expected a state whose network has the features and inputs of this readout");
    }
    const Span<T> series = view<T>(info[1], "series");
    Lesson<T> lesson;
    lesson.series = series.data;
    lesson.steps = series.size / network.inputs();
    lesson.washout = count(info[3], "washout");
    if (series.size % network.inputs() != 0 || lesson.washout > lesson.steps) {
      failShape(env, "Expected series with " + std::to_string(network.inputs()) +
                         " features and at least as many steps as are washed out");
    }
    lesson.targets = view<double>(info[2], "targets", lesson.steps * shape_.outputs).data;
    lesson.weights = optionalView<double>(info[5], "weights", lesson.steps).data;
    lesson.counted = &counted_;
    const Span<T> block = view<T>(info[4], "block", kTrainSteps * network.featureSize());
    lesson.block = block.data;
    lesson.state = state.data();
    lesson.gates = state.gates();
    Ranges ranges;
    ranges.reads(series.data, series.size, "series");
    ranges.reads(lesson.targets, lesson.steps * shape_.outputs, "targets");
    if (lesson.weights != nullptr) ranges.reads(lesson.weights, lesson.steps, "weights");
    ranges.writes(block.data, block.size, "block");
    ranges.writes(lesson.state, network.stateSize(), "state");
    ranges.checkApart(env);
    return lesson;
  }

  // Calls body(state) with the state in its dtype, which is that of the block.
  template <class Body>
  static Napi::Value withState(const Napi::CallbackInfo& info, Body body) {
    const Napi::Value block = info[4];
    const bool isDouble = block.IsTypedArray() && block.As<Napi::TypedArray>().TypedArrayType() == napi_float64_array;
    return isDouble ? body(StateObject<double>::from(info[0])) : body(StateObject<float>::from(info[0]));
  }

  Napi::Value trainNow(const Napi::CallbackInfo& info) {
    const Napi::Env env = info.Env();
    check(env);
    return withState(info, [&](auto& state) {
      const auto lesson = lessonOf(info, state);
      return guarded(env, [&] {
        auto scratch = state.network()->scratch(1);
        return Napi::Number::New(env, static_cast<double>(train(*state.network(), lesson, scratch, *sums_, Control())));
      });
    });
  }

  Napi::Value trainAsync(const Napi::CallbackInfo& info) {
    check(info.Env());
    Control control = controlOf(info[6]);
    return withState(info, [&](auto& state) {
      const auto lesson = lessonOf(info, state);
      const auto network = state.shared();
      control.setStepBytes(network->bytes());
      auto body = [this, lesson, network, control] {
        auto scratch = network->scratch(1);
        return static_cast<double>(train(*network, lesson, scratch, *sums_, control));
      };
      const Napi::Env env = info.Env();
      return guarded(env, [&]() -> Napi::Value {
        const Napi::Promise promise =
            Task::start(env, {info.This(), info[0], state.views(), info[1], info[2], info[4], info[5], info[6]}, body,
                        [this, &state](Napi::Env settled) {
                          state.unclaim();
                          unclaim(settled);
                        });
        state.claim();
        occupancy_.claim();
        return promise;
      });
    });
  }

  // The body now, or on another thread where there is a control for it.
  template <class Body>
  Napi::Value finish(const Napi::CallbackInfo& info, size_t controlAt, Body body) {
    if (info.Length() <= controlAt) {
      return guarded(info.Env(), [&] { return Napi::Number::New(info.Env(), body(Interruption())); });
    }
    const Control control = controlOf(info[controlAt]);
    return startTask(info, [body, control] { return body(control.interruption()); });
  }

  // Numbers of first features, none above all of them.
  std::vector<size_t> prefixesOf(const Napi::Value& given) const {
    const Napi::Env env = given.Env();
    if (!given.IsArray()) failArgument(env, "Expected an array for features" + butReceived(given));
    const Napi::Array list = given.As<Napi::Array>();
    std::vector<size_t> prefixes;
    for (uint32_t i = 0; i < list.Length(); ++i) {
      prefixes.push_back(count(list.Get(i), "features"));
      if (prefixes.back() > shape_.features()) failShape(env, "Expected at most all features for features");
    }
    return prefixes;
  }

  Napi::Value solve(const Napi::CallbackInfo& info) {
    const Napi::Env env = info.Env();
    check(env);
    const double ridge = number(info[0], "ridge");
    Prefixes prefixes;
    prefixes.features = prefixesOf(info[3]);
    size_t rows = 0;
    for (const size_t features : prefixes.features) rows += features;
    const size_t outputs = prefixes.features.size() * shape_.outputs;
    prefixes.weights = view<double>(info[1], "weights", rows * shape_.outputs).data;
    prefixes.bias = view<double>(info[2], "bias", outputs).data;
    prefixes.errors = optionalView<double>(info[4], "errors", outputs).data;
    return finish(info, 5, [this, ridge, prefixes](const Interruption& interruption) {
      return sums_->solve(ridge, prefixes, interruption);
    });
  }

  Napi::Value validate(const Napi::CallbackInfo& info) {
    check(info.Env());
    const Span<double> given = view<double>(info[0], "ridges");
    const std::vector<double> ridges(given.data, given.data + given.size);
    const std::vector<size_t> prefixes = prefixesOf(info[2]);
    const size_t readouts = ridges.size() * prefixes.size();
    double* const errors = view<double>(info[1], "errors", folds_ * readouts * shape_.outputs).data;
    return finish(info, 3, [this, ridges, prefixes, errors](const Interruption& interruption) {
      sums_->validate(ridges, prefixes, errors, interruption);
      return 1.0;
    });
  }

  Napi::Value spectrum(const Napi::CallbackInfo& info) {
    const Napi::Env env = info.Env();
    check(env);
    if (!info[0].IsArray()) failArgument(env, "Expected an array for spectrum" + butReceived(info[0]));
    const Napi::Array parts = info[0].As<Napi::Array>();
    // Of the rows that are there: a call that failed for want of memory took some that it did not count.
    const auto* const kept = dynamic_cast<const KeptRows*>(sums_.get());
    const size_t features = shape_.features(), outputs = shape_.outputs;
    const size_t values = kept != nullptr ? kept->rows() : features;
    Spectrum spectrum;
    spectrum.vectors = view<double>(parts.Get(0u), "vectors", values * features).data;
    spectrum.squares = view<double>(parts.Get(1u), "squares", values).data;
    spectrum.coefficients = view<double>(parts.Get(2u), "coefficients", values * outputs).data;
    spectrum.rest = view<double>(parts.Get(3u), "rest", outputs).data;
    spectrum.means = view<double>(parts.Get(4u), "means", features).data;
    spectrum.outputMeans = view<double>(parts.Get(5u), "outputMeans", outputs).data;
    spectrum.basis = optionalView<double>(parts.Get(6u), "basis", kept != nullptr ? values * values : 0).data;
    return finish(info, 1, [this, spectrum](const Interruption& interruption) {
      return sums_->spectrum(spectrum, interruption) ? 1.0 : 0.0;
    });
  }

  Napi::Value enter(const Napi::CallbackInfo& info) {
    check(info.Env());
    const size_t fold = count(info[0], "fold");
    if (fold >= folds_) failShape(info.Env(), "Expected a fold below " + std::to_string(folds_) + butReceived(fold));
    sums_->enter(fold);
    return info.Env().Undefined();
  }

  Napi::Value counted(const Napi::CallbackInfo& info) {
    return Napi::Number::New(info.Env(), static_cast<double>(counted_));
  }

  Napi::Value close(const Napi::CallbackInfo& info) {
    if (occupancy_.close()) letGo(info.Env());
    return info.Env().Undefined();
  }

  void unclaim(Napi::Env env) {
    if (occupancy_.unclaim()) letGo(env);
  }

  void letGo(Napi::Env env) {
    sums_.reset();
    memory_.giveBack(env);
  }

  ReadoutShape shape_;
  ExternalMemory memory_{Env()};
  Occupancy occupancy_;
  std::unique_ptr<LeastSquares> sums_;
  size_t folds_ = 1, counted_ = 0;
};

// new RecursiveTrainer(shape, ridge, forgetting)
//
//   update(states, inputs, targets, predictions), updateAsync(the same, control) -> steps done
//   weights(weights, bias), bytes, close()
//   savedSize, save(numbers), restore(numbers) -> whether they are those of a save
class RecursiveTrainer final : public Napi::ObjectWrap<RecursiveTrainer> {
 public:
  static Napi::Function define(Napi::Env env) {
    return DefineClass(
        env, "RecursiveTrainer",
        {InstanceMethod("update", &RecursiveTrainer::update),
         InstanceMethod("updateAsync", &RecursiveTrainer::updateAsync),
         InstanceMethod("weights", &RecursiveTrainer::weights), InstanceMethod("close", &RecursiveTrainer::close),
         InstanceMethod("save", &RecursiveTrainer::save), InstanceMethod("restore", &RecursiveTrainer::restore),
         InstanceAccessor("savedSize", &RecursiveTrainer::savedSize, nullptr),
         InstanceAccessor("bytes", &RecursiveTrainer::bytes, nullptr)});
  }

  explicit RecursiveTrainer(const Napi::CallbackInfo& info)
      : Napi::ObjectWrap<RecursiveTrainer>(info), shape_(readShape(info[0])) {
    const double ridge = number(info[1], "ridge"), forgetting = number(info[2], "forgetting");
    guarded(info.Env(), [&] {
      rls_ = std::make_unique<RecursiveLeastSquares>(shape_, ridge, forgetting);
      memory_.take(info.Env(), rls_->bytes());
    });
  }

 private:
  // Rows between two looks at the control.
  static constexpr size_t kPiece = 16;

  void check(Napi::Env env) const { occupancy_.check(env, "RecursiveLeastSquares"); }

  Napi::Value update(const Napi::CallbackInfo& info) {
    check(info.Env());
    size_t done = 0;
    withFeatures(info, shape_, [&](const auto& features, size_t rows) {
      const Span<double> targets = view<double>(info[2], "targets", rows * shape_.outputs);
      const Span<double> predictions = view<double>(info[3], "predictions", rows * shape_.outputs);
      done = rls_->update(features, targets.data, rows, predictions.data);
    });
    return Napi::Number::New(info.Env(), static_cast<double>(done));
  }

  Napi::Value updateAsync(const Napi::CallbackInfo& info) {
    const Napi::Env env = info.Env();
    check(env);
    const Control control = controlOf(info[4]);
    Task::Body body;
    withFeatures(info, shape_, [&](const auto& features, size_t rows) {
      double* const targets = view<double>(info[2], "targets", rows * shape_.outputs).data;
      double* const predictions = view<double>(info[3], "predictions", rows * shape_.outputs).data;
      body = [this, features, targets, predictions, rows, control] {
        for (size_t from = 0; from < rows; from += kPiece) {
          const size_t some = std::min(kPiece, rows - from), at = from * shape_.outputs;
          const size_t done = rls_->update(features.from(shape_, from), targets + at, some, predictions + at);
          if (done < some || !control.report(some)) return static_cast<double>(from + done);
        }
        return static_cast<double>(rows);
      };
    });
    return guarded(env, [&]() -> Napi::Value {
      const Napi::Promise promise = Task::start(env, {info.This(), info[0], info[1], info[2], info[3], info[4]},
                                                std::move(body), [this](Napi::Env settled) {
                                                  if (occupancy_.unclaim()) letGo(settled);
                                                });
      occupancy_.claim();
      return promise;
    });
  }

  Napi::Value weights(const Napi::CallbackInfo& info) {
    check(info.Env());
    rls_->weights(view<double>(info[0], "weights", shape_.features() * shape_.outputs).data,
                  view<double>(info[1], "bias", shape_.outputs).data);
    return info.Env().Undefined();
  }

  Napi::Value save(const Napi::CallbackInfo& info) {
    check(info.Env());
    rls_->save(view<double>(info[0], "numbers", rls_->savedSize()).data);
    return info.Env().Undefined();
  }

  Napi::Value restore(const Napi::CallbackInfo& info) {
    check(info.Env());
    const Span<double> numbers = view<double>(info[0], "numbers", rls_->savedSize());
    return Napi::Boolean::New(info.Env(), rls_->restore(numbers.data));
  }

  Napi::Value savedSize(const Napi::CallbackInfo& info) {
    check(info.Env());
    return Napi::Number::New(info.Env(), static_cast<double>(rls_->savedSize()));
  }

  Napi::Value bytes(const Napi::CallbackInfo& info) {
    check(info.Env());
    return Napi::Number::New(info.Env(), static_cast<double>(rls_->bytes()));
  }

  Napi::Value close(const Napi::CallbackInfo& info) {
    if (occupancy_.close()) letGo(info.Env());
    return info.Env().Undefined();
  }

  void letGo(Napi::Env env) {
    rls_.reset();
    memory_.giveBack(env);
  }

  ReadoutShape shape_;
  ExternalMemory memory_{Env()};
  Occupancy occupancy_;
  std::unique_ptr<RecursiveLeastSquares> rls_;
};

}  // namespace

void exportReadout(Napi::Env env, Napi::Object exports) {
  exports.Set("RidgeTrainer", RidgeTrainer::define(env));
  exports.Set("RecursiveTrainer", RecursiveTrainer::define(env));
  exports.Set("LinearReadout", LinearReadoutObject::define(env));
  exports.Set("Forecaster32", ForecasterObject<float>::define(env, "Forecaster32"));
  exports.Set("Forecaster64", ForecasterObject<double>::define(env, "Forecaster64"));
}

}  // namespace dtesn::addon
