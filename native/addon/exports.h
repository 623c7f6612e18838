// What each file of this folder adds to the module's exports.
#pragma once

#include <napi.h>

namespace dtesn::addon {

void exportSimd(Napi::Env env, Napi::Object exports);
void exportLimits(Napi::Env env, Napi::Object exports);
void exportNetwork(Napi::Env env, Napi::Object exports);
void exportReadout(Napi::Env env, Napi::Object exports);
void exportTransform(Napi::Env env, Napi::Object exports);
void exportHost(Napi::Env env, Napi::Object exports);
void exportLinalg(Napi::Env env, Napi::Object exports);
void exportTrees(Napi::Env env, Napi::Object exports);
void exportBSeries(Napi::Env env, Napi::Object exports);
void exportText(Napi::Env env, Napi::Object exports);

}  // namespace dtesn::addon
