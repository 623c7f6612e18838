{
  "variables": {
    "dtesn_sources": [
      "native/addon/module.cc",
      "native/simd/kernels.cc",
      "native/addon/simd_functions.cc",
      "native/simd/scalar.cc",
      "native/simd/self_check.cc",
      "native/addon/reservoir_object.cc",
      "native/addon/deep_tree_object.cc",
      "native/reservoir/draw.cc",
      "native/membrane/deep_tree.cc",
      "native/addon/transform_functions.cc",
      "native/transform/plan.cc",
      "native/transform/program.cc",
      "native/linalg/spectral_radius.cc",
      "native/linalg/arnoldi.cc",
      "native/linalg/components.cc",
      "native/linalg/eigenvalues.cc",
      "native/linalg/period.cc",
      "native/linalg/hessenberg_vector.cc",
      "native/trees/rooted_trees.cc",
      "native/bseries/differentials.cc",
      "native/addon/linalg_functions.cc",
      "native/addon/trees_functions.cc",
      "native/addon/bseries_functions.cc",
      "native/linalg/library_floor.cc"
    ],
    "dtesn_defines": [
      "NAPI_VERSION=8",
      "NODE_ADDON_API_CPP_EXCEPTIONS",
      "NODE_API_SWALLOW_UNTHROWABLE_EXCEPTIONS"
    ],
    "dtesn_cflags": [
      "-std=c++17",
      "-O3",
      "-fexceptions",
      "-fno-math-errno",
      "-fno-trapping-math",
      "-ffp-contract=fast",
      "-fvisibility=hidden",
      "-Wall",
      "-Wextra",
      "-Wno-psabi"
    ]
  }
}
