// What the C++ library of a build would bring along or ask for.
#include <cstddef>
#include <new>

#if defined(__GLIBCXX__) && !defined(_WIN32)
// GCC 12's containers call this function of GLIBCXX_3.4.29, above the libstdc++ that Node 20 asks for. A definition of
// our own keeps the binary loadable there; a newer library's is used where there is one.
namespace std {
void __throw_bad_array_new_length() { throw bad_array_new_length(); }
}  // namespace std
#elif defined(_LIBCPP_VERSION)
// libc++abi links its demangler, a tenth of a static binary, to name an exception that nobody catches. That message now
// has the mangled name: -2 says that a name cannot be read.
extern "C" __attribute__((visibility("hidden"))) char* __cxa_demangle(const char*, char*, size_t*, int* status) {
  if (status != nullptr) *status = -2;
  return nullptr;
}
#endif
