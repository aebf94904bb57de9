// Open profiles by handle. A handle is a number that is never given twice, so that a stale, foreign
// or invented one finds nothing.
#ifndef WHERRY_CAPI_HANDLES_H
#define WHERRY_CAPI_HANDLES_H

#include <future>
#include <memory>

#include "engine/engine.h"

namespace wherry::capi {

wherry_profile add_handle(std::unique_ptr<engine::Engine> engine);

// Owners of the result: the table until wherry_close, and every call under way. E_HANDLE, E_FORKED.
Result<std::shared_ptr<engine::Engine>> find_handle(wherry_profile profile);

// Taken out of the table.
struct Removed {
  std::shared_ptr<engine::Engine> engine;
  std::shared_future<void> gone;  // ready once the last owner has let it go
};
Result<Removed> remove_handle(wherry_profile profile);

}  // namespace wherry::capi

#endif  // WHERRY_CAPI_HANDLES_H
