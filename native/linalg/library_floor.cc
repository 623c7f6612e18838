// GCC 12's containers call this function of GLIBCXX_3.4.29, above the libstdc++ that Node 20 asks for. A definition of
// our own keeps the binary loadable there; a newer library's is used where there is one.
#include <new>

#if defined(__GLIBCXX__) && !defined(_WIN32)
namespace std {
void __throw_bad_array_new_length() { throw bad_array_new_length(); }
}  // namespace std
#endif
