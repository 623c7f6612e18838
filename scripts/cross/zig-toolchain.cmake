# Compiles for another platform by zig's C++ compiler. Environment: ZIG, the compiler; DTESN_ZIG_TARGET, its name of the
# platform, such as aarch64-linux-musl.
set(target $ENV{DTESN_ZIG_TARGET})
string(REGEX MATCH "^[^-]+" CMAKE_SYSTEM_PROCESSOR ${target})
if(target MATCHES "macos")
  set(CMAKE_SYSTEM_NAME Darwin)
elseif(target MATCHES "windows")
  set(CMAKE_SYSTEM_NAME Windows)
  set(DTESN_FIND_NODE ON CACHE BOOL "" FORCE)
else()
  set(CMAKE_SYSTEM_NAME Linux)
endif()
set(CMAKE_CXX_COMPILER $ENV{ZIG} c++ -target ${target})
set(CMAKE_SHARED_LINKER_FLAGS_INIT "-s")
# CMake's own trials would build the C++ library of each platform before anything else.
set(CMAKE_CXX_COMPILER_WORKS TRUE)
set(CMAKE_CXX_ABI_COMPILED TRUE)
