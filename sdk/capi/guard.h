// The one place where C++ ends: no exception crosses, and every failure fills the caller's error.
#ifndef WHERRY_CAPI_GUARD_H
#define WHERRY_CAPI_GUARD_H

#include <exception>
#include <new>

#include "base/result.h"

namespace wherry::capi {

// Fills the caller's struct, if there is one, as far as its size goes. Returns the status.
int32_t report(const Error& error, wherry_error* out);
// E_SIZE for a wherry_error of an unknown size; OK for NULL.
Status check_error_struct(const wherry_error* error);

// Runs the body of a C function: `body` returns a Status.
template <typename Body>
int32_t guard(wherry_error* error, Body&& body) {
  if (Status known = check_error_struct(error); !known) return known.error().status;
  try {
    Status outcome = body();
    return outcome ? static_cast<int32_t>(WHERRY_OK) : report(outcome.error(), error);
  } catch (const std::bad_alloc&) {
    return report(fail(WHERRY_E_MEMORY, "out of memory"), error);
  } catch (const std::exception& thrown) {
    return report(fail(WHERRY_E_INTERNAL, thrown.what()), error);
  } catch (...) {
    return report(fail(WHERRY_E_INTERNAL, "an unknown exception"), error);
  }
}

// For functions that return a pointer: NULL on any exception.
template <typename Body>
auto guard_pointer(Body&& body) -> decltype(body()) {
  try {
    return body();
  } catch (...) {
    return nullptr;
  }
}

}  // namespace wherry::capi

#endif  // WHERRY_CAPI_GUARD_H
