#include "ffi.h"

namespace wordrow {

nb::dict ffi_targets() {
  nb::dict calls;
  add_recurrent_calls(calls);
  add_rows_calls(calls);
  add_window_calls(calls);
  return calls;
}

}  // namespace wordrow
