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
// libc++abi uses its demangler only to print the name of an uncaught exception, and the demangler is a tenth of a
// static binary. This function replaces it: -2 means that a name cannot be demangled, and the mangled name is printed.
extern "C" __attribute__((visibility("hidden"))) char* __cxa_demangle(const char*, char*, size_t*, int* status) {
  if (status != nullptr) *status = -2;
  return nullptr;
}
#endif
