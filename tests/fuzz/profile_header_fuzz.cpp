// The header of a profile: any bytes; any bytes under a good checksum, which is no secret; and any
// fields under a good wrap. A header opens only with the key that wrapped it, only as what its
// fields say, and never costs more than the bounds of a passphrase.
#include <algorithm>

#include "crypto/aead.h"
#include "crypto/hash.h"
#include "fuzz.h"
#include "seeded_random.h"
#include "store/profile_header.h"

namespace {

using wherry::ByteView;
using namespace wherry::store;

constexpr size_t kCipherAt = 10;
constexpr size_t kKdfAt = 12;
constexpr size_t kMemoryAt = 20;
constexpr size_t kNonceAt = 40;
constexpr size_t kWrappedAt = 64;
constexpr size_t kCheckAt = 112;
constexpr std::array<uint8_t, 32> kRaw{1};
constexpr std::array<uint8_t, 32> kPageKey{2};

uint32_t u16(const Header& header, size_t at) {
  return header[at] | uint32_t{header[at + 1]} << 8;
}

void put_checksum(Header& header) {
  const auto check = wherry::crypto::hash<16>({}, "profile", {ByteView(header).first(kCheckAt)});
  std::copy(check.begin(), check.end(), header.begin() + kCheckAt);
}

void open_with_both_kinds(const Header& header) {
  if (unwrap(header, {WHERRY_KEY_RAW, kRaw, {}})) must(u16(header, kKdfAt) == 1);
  // Costly ones are within the bounds too: left out, to be fast. What is beyond them is refused.
  const uint32_t memory_kib = u16(header, kMemoryAt) | u16(header, kMemoryAt + 2) << 16;
  if (memory_kib > 64 && memory_kib <= wherry::crypto::kPasswordCostMax.memory_kib) return;
  const auto opened = unwrap(header, {WHERRY_KEY_PASSPHRASE, wherry::as_bytes("word"), {}});
  if (opened) must(u16(header, kKdfAt) == 2 && memory_kib <= 64);
}

}  // namespace

int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (const auto header = read_header({data, size})) {
    must(size == sizeof(Header) && std::equal(header->begin(), header->end(), data));
    open_with_both_kinds(*header);
  }

  Header header{};
  std::copy_n(data, std::min(size, kCheckAt), header.begin());
  put_checksum(header);
  if (read_header(header)) open_with_both_kinds(header);

  const auto nonce = wherry::to_array<24>(ByteView(header).subspan(kNonceAt, 24));
  const auto key = wherry::crypto::derive_key(kRaw, "wrap");
  wherry::crypto::aead_seal_into(header.data() + kWrappedAt, key.view(), nonce,
                                 ByteView(header).first(kNonceAt), kPageKey);
  put_checksum(header);
  const auto opened = unwrap(header, {WHERRY_KEY_RAW, kRaw, {}});
  const uint32_t cipher = u16(header, kCipherAt);
  must(opened.ok() == (u16(header, kKdfAt) == 1 && (cipher == 1 || cipher == 2)));
  if (opened) {
    must(wherry::equal(opened->key.view(), kPageKey));
    must(static_cast<uint32_t>(opened->cipher) == cipher);
  }
  return 0;
}
