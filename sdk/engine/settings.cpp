// Settings as CBOR.
#include "engine/settings.h"

#include "codec/cbor.h"

namespace wherry::engine {

Bytes settings_to_bytes(const plugin::Settings& settings) {
  codec::CborWriter out;
  out.array(settings.size() * 2);
  for (const auto& [name, value] : settings) out.text(name).text(value);
  return out.take();
}

Result<plugin::Settings> settings_from_bytes(ByteView cbor) {
  codec::CborReader in(cbor);
  plugin::Settings settings;
  const size_t items = in.array();
  for (size_t i = 0; i + 1 < items && !in.failed(); i += 2) {
    std::string name(in.text());
    std::string value(in.text());
    // As they were written: in order, and as texts of C, which a plug-in gets.
    const bool as_written = (settings.empty() || settings.rbegin()->first < name) &&
                            (name + value).find('\0') == std::string::npos;
    if (!as_written) in.fail();
    settings.emplace_hint(settings.end(), std::move(name), std::move(value));
  }
  if (!in.done()) return fail(WHERRY_E_CORRUPT, "a transport's stored settings are damaged");
  return settings;
}

}  // namespace wherry::engine
