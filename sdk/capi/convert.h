// Checks of what a C caller gives, and conversions from it.
#ifndef WHERRY_CAPI_CONVERT_H
#define WHERRY_CAPI_CONVERT_H

#include <optional>
#include <string>

#include "capi/handles.h"

namespace wherry::capi {

inline Error argument(const char* text) {
  return fail(WHERRY_E_ARGUMENT, text);
}

// A text of at most `size_max` bytes. E_ARGUMENT for NULL, E_UTF8, `too_long`.
Result<std::string> text_in(const char* text, const char* name, size_t size_max,
                            int32_t too_long = WHERRY_E_TOO_LARGE);
// The same, where NULL means none.
Result<std::optional<std::string>> optional_text_in(const char* text, const char* name,
                                                    size_t size_max);

Result<store::Key> key_in(const uint8_t* key, size_t key_size, int32_t kind);
Result<engine::Options> options_in(const wherry_profile_options* given);
// No plug-in has a name that is too long: E_NOT_FOUND.
Result<std::string> plugin_name_in(const char* name);
// The text of a card with its white space; generous, since that is not counted.
Result<std::string> card_in(const char* card);
Result<plugin::Settings> settings_in(const wherry_option* settings, size_t count);
Result<engine::Outbound> outbound_in(uint64_t conversation, const uint8_t* ref, int32_t content,
                                     const uint8_t* body, size_t body_size);
Status limit_in(uint32_t limit);

}  // namespace wherry::capi

#endif  // WHERRY_CAPI_CONVERT_H
