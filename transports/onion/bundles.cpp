// entries = for each: locator[32] ‖ until, seconds (u64, big-endian); each bundle has a key of its
// own.
#include "bundles.h"

#include <algorithm>

#include "transports/common/crypto.h"

namespace wherry::transports::onion {
namespace {

constexpr const char* kEntriesName = "bundles";
constexpr std::size_t kEntriesMax = 48;  // an instance has 64 keys
constexpr std::size_t kEntrySize = 32 + 8;

}  // namespace

std::string Bundles::key_of(const Locator& locator) {
  return "bundle-" + base64url(locator);
}

std::vector<Bundles::Entry> Bundles::entries() const {
  std::vector<std::uint8_t> bytes(kEntriesMax * kEntrySize);
  const std::int64_t size = api_.state_get(host_, kEntriesName, bytes.data(), bytes.size());
  std::vector<Entry> out;
  for (std::size_t at = 0; static_cast<std::int64_t>(at + kEntrySize) <= size; at += kEntrySize) {
    const auto one = std::span(bytes).subspan(at, kEntrySize);
    Entry& entry = out.emplace_back();
    std::ranges::copy(one.first(32), entry.locator.begin());
    for (const std::uint8_t byte : one.subspan(32)) entry.until_s = entry.until_s << 8 | byte;
  }
  return out;
}

void Bundles::keep(const std::vector<Entry>& entries) {
  std::vector<std::uint8_t> bytes;
  for (const Entry& entry : entries) {
    bytes.insert(bytes.end(), entry.locator.begin(), entry.locator.end());
    for (int shift = 56; shift >= 0; shift -= 8) {
      bytes.push_back(static_cast<std::uint8_t>(entry.until_s >> shift));
    }
  }
  api_.state_set(host_, kEntriesName, {bytes.data(), bytes.size()});
}

std::int32_t Bundles::put(const Locator& locator, std::span<const std::uint8_t> bundle,
                          std::int64_t until_s, std::int64_t now_s) {
  std::vector<Entry> all = entries();
  std::erase_if(all, [&](const Entry& entry) {
    if (entry.until_s > now_s && entry.locator != locator) return false;
    if (entry.locator != locator) api_.state_set(host_, key_of(entry.locator).c_str(), {});
    return true;
  });
  if (all.size() >= kEntriesMax) return WHERRY_REASON_FULL;
  all.push_back({locator, until_s});
  keep(all);
  const bool kept = api_.state_set(host_, key_of(locator).c_str(),
                                   {bundle.data(), bundle.size()}) == WHERRY_TRANSPORT_OK;
  return kept ? WHERRY_REASON_NONE : WHERRY_REASON_FULL;
}

std::optional<links::Bytes> Bundles::find(std::span<const std::uint8_t> locator,
                                          std::int64_t now_s) const {
  for (const Entry& entry : entries()) {
    if (!std::ranges::equal(entry.locator, locator) || entry.until_s <= now_s) continue;
    links::Bytes bundle(WHERRY_BUNDLE_SIZE_MAX);
    const std::int64_t size =
        api_.state_get(host_, key_of(entry.locator).c_str(), bundle.data(), bundle.size());
    if (size <= 0 || size > static_cast<std::int64_t>(bundle.size())) return std::nullopt;
    bundle.resize(static_cast<std::size_t>(size));
    return bundle;
  }
  return std::nullopt;
}

}  // namespace wherry::transports::onion
