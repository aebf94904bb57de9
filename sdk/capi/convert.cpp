// Conversions, each with its own clear error.
#include "capi/convert.h"

#include <cstring>

#include "codec/utf8.h"
#include "plugin/open_struct.h"

namespace wherry::capi {

Result<std::string> text_in(const char* text, const char* name, size_t size_max, int32_t too_long) {
  if (text == nullptr) return argument("a text is NULL");
  const size_t size = ::strnlen(text, size_max + 1);
  if (size > size_max) {
    return fail(too_long,
                std::string(name) + " is longer than " + std::to_string(size_max) + " bytes");
  }
  if (!codec::utf8_valid({text, size})) {
    return fail(WHERRY_E_UTF8, std::string(name) + " is not valid UTF-8");
  }
  return std::string(text, size);
}

Result<std::optional<std::string>> optional_text_in(const char* text, const char* name,
                                                    size_t size_max) {
  if (text == nullptr) return std::optional<std::string>();
  Result<std::string> given = text_in(text, name, size_max);
  if (!given) return given.error();
  return std::optional<std::string>(given.take());
}

Result<store::Key> key_in(const uint8_t* key, size_t key_size, int32_t kind) {
  if (key == nullptr) return argument("key is NULL");
  if (kind == WHERRY_KEY_RAW) {
    if (key_size != WHERRY_KEY_SIZE) return argument("a raw key has 32 bytes");
  } else if (kind == WHERRY_KEY_PASSPHRASE) {
    if (key_size == 0 || key_size > 1024) return argument("a passphrase has 1 to 1024 bytes");
  } else {
    return argument("key_kind is unknown");
  }
  store::Key converted;
  converted.kind = kind;
  converted.bytes = {key, key_size};
  return converted;
}

Result<engine::Options> options_in(const wherry_profile_options* given) {
  engine::Options converted;
  if (given == nullptr) return converted;
  if (!size_fits(given, kOptionsSizeFirst)) {
    return fail(WHERRY_E_SIZE,
                "wherry_profile_options has an unknown size: use WHERRY_PROFILE_OPTIONS_INIT");
  }
  const wherry_profile_options defaults = WHERRY_PROFILE_OPTIONS_INIT;
  const wherry_profile_options options = known_part(given, defaults);
  if (options.plugin_count != 0 && options.plugins == nullptr) {
    return argument("options.plugins is NULL");
  }
  if (options.durability != WHERRY_DURABILITY_FULL &&
      options.durability != WHERRY_DURABILITY_NORMAL) {
    return argument("options.durability is unknown");
  }
  if (options.log_level < WHERRY_LOG_ERROR || options.log_level > WHERRY_LOG_DEBUG) {
    return argument("options.log_level is unknown");
  }
  converted.plugins.assign(options.plugins, options.plugins + options.plugin_count);
  converted.full_sync = options.durability == WHERRY_DURABILITY_FULL;
  converted.log_level = static_cast<LogLevel>(options.log_level);
  if (options.log != nullptr) {
    converted.log = [log = options.log, context = options.log_context](LogLevel level,
                                                                       const std::string& line) {
      log(context, static_cast<int32_t>(level), line.c_str());
    };
  }
  return converted;
}

Result<std::string> plugin_name_in(const char* name) {
  return text_in(name, "the name of a plug-in", 64, WHERRY_E_NOT_FOUND);
}

Result<std::string> card_in(const char* card) {
  return text_in(card, "a card", 4096, WHERRY_E_CARD_MALFORMED);
}

Result<plugin::Settings> settings_in(const wherry_option* settings, size_t count) {
  if (count != 0 && settings == nullptr) return argument("settings is NULL");
  plugin::Settings converted;
  for (size_t i = 0; i < count; ++i) {
    Result<std::string> name = text_in(settings[i].name, "a setting's name", 64, WHERRY_E_SETTING);
    if (!name) return name.error();
    Result<std::string> value =
        text_in(settings[i].value, "a setting's value", 4096, WHERRY_E_SETTING);
    if (!value) return value.error();
    if (!converted.emplace(*name, value.take()).second) {
      return fail(WHERRY_E_SETTING, "the setting '" + *name + "' is given twice");
    }
  }
  return converted;
}

Result<engine::Outbound> outbound_in(uint64_t conversation, const uint8_t* ref, int32_t content,
                                     const uint8_t* body, size_t body_size) {
  if (body == nullptr && body_size != 0) return argument("body is NULL");
  if (content != WHERRY_CONTENT_TEXT && content != WHERRY_CONTENT_DATA) {
    return argument("content is unknown");
  }
  if (body_size > WHERRY_BODY_SIZE_MAX) {
    return fail(WHERRY_E_TOO_LARGE, "a body has at most 32768 bytes");
  }
  engine::Outbound message;
  message.conversation = conversation;
  message.content = content;
  if (body_size != 0) message.body.assign(body, body + body_size);
  if (ref != nullptr) message.ref = to_array<WHERRY_ID_SIZE>({ref, WHERRY_ID_SIZE});
  if (content == WHERRY_CONTENT_TEXT && !codec::utf8_valid(as_text(message.body))) {
    return fail(WHERRY_E_UTF8, "the text is not valid UTF-8");
  }
  return message;
}

Status limit_in(uint32_t limit) {
  if (limit == 0 || limit > 1000) return argument("limit must be 1 to 1000");
  return {};
}

}  // namespace wherry::capi
