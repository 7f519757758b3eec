// wordrow._core: the core's functions for Python. Adapters only: they check arrays and texts,
// release the GIL and translate errors.
#include <nanobind/nanobind.h>

#include "arenas.h"
#include "isa.h"
#include "pool.h"
#include "texts.h"

namespace nb = nanobind;

namespace wordrow {
void define_text(nb::module_& module);
void define_rows(nb::module_& module);
void define_bag(nb::module_& module);
void define_missed_updates(nb::module_& module);
void define_recurrent(nb::module_& module);
void define_window(nb::module_& module);
void define_words(nb::module_& module);
void define_row_file(nb::module_& module);
void define_nearest(nb::module_& module);
void define_word2vec(nb::module_& module);
#if defined(WORDROW_FFI)
nb::dict ffi_targets();
#endif
}  // namespace wordrow

NB_MODULE(_core, module) {
  using namespace wordrow;
  // Objects that live until the interpreter exits are not leaks.
  nb::set_leak_warnings(false);
  module.doc() = "The compiled core of wordrow.";
  define_bad_row(module);
  define_text(module);
  define_rows(module);
  define_bag(module);
  define_missed_updates(module);
  define_recurrent(module);
  define_window(module);
  define_words(module);
  define_row_file(module);
  define_nearest(module);
  define_word2vec(module);
  module.def("n_threads", &n_threads);
  module.def("set_n_threads", &set_n_threads, nb::arg("n"));
#if defined(WORDROW_FFI)
  module.def("ffi_targets", &ffi_targets);
#else
  module.def("ffi_targets", [] { return nb::dict(); });
#endif
  module.def("keep_memory", &keep_memory);
  module.def("instruction_set", [] { return kernels().name; });
}
