// A transport's settings in the store: a CBOR array of names and values in turn.
#ifndef WHERRY_ENGINE_SETTINGS_H
#define WHERRY_ENGINE_SETTINGS_H

#include "base/result.h"
#include "plugin/instance.h"

namespace wherry::engine {

Bytes settings_to_bytes(const plugin::Settings& settings);
Result<plugin::Settings> settings_from_bytes(ByteView cbor);

}  // namespace wherry::engine

#endif  // WHERRY_ENGINE_SETTINGS_H
