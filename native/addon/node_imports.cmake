# Writes a source that finds Node's functions in the running executable, so that the addon imports no "node.exe": it loads in
# a renamed or an embedding one too. Each function jumps through a place that is filled when the library is loaded.
#
#     write_node_imports(<file> <definition file of node-api-headers> ...)
function(write_node_imports out)
  set(names "")
  foreach(definitions ${ARGN})
    file(STRINGS "${definitions}" lines REGEX "^n")
    list(APPEND names ${lines})
  endforeach()
  list(REMOVE_DUPLICATES names)
  set(places "")
  set(jumps "")
  foreach(name ${names})
    string(APPEND places "DTESN_PLACE(${name})\n")
    string(APPEND jumps "DTESN_JUMP(${name})\n")
  endforeach()
  file(CONFIGURE OUTPUT "${out}" CONTENT [[
#include <windows.h>

// A function that this Node does not have ends the process only when it is called.
#define DTESN_PLACE(name) {#name, &dtesn_node_##name},
#define DTESN_DECLARE(name) extern "C" { FARPROC dtesn_node_##name; }
#if defined(_M_ARM64) || defined(__aarch64__)
#define DTESN_JUMP(name)                                                                                     \
  DTESN_DECLARE(name)                                                                                        \
  asm(".globl " #name "\n" #name ":\n adrp x16, dtesn_node_" #name "\n ldr x16, [x16, :lo12:dtesn_node_" #name \
      "]\n br x16\n");
#else
#define DTESN_JUMP(name) \
  DTESN_DECLARE(name)    \
  asm(".globl " #name "\n" #name ":\n jmp *dtesn_node_" #name "(%rip)\n");
#endif

@jumps@
namespace {

const struct {
  const char* name;
  FARPROC* place;
} places[] = {
@places@};

__attribute__((constructor)) void findNode() {
  const HMODULE node = GetModuleHandleW(nullptr);
  for (const auto& one : places) *one.place = GetProcAddress(node, one.name);
}

}  // namespace
]] @ONLY)
endfunction()
