// profile = magic[8] ‖ version u16 ‖ cipher u16 ‖ kdf u16 ‖ 0 u16 ‖ ops u32 ‖ memory u32 ‖ salt[16]
//           ‖ nonce[24] ‖ wrapped[48] ‖ check[16]
#include "store/profile_header.h"

#include <algorithm>

#include "codec/fields.h"
#include "crypto/aead.h"
#include "crypto/hash.h"

namespace wherry::store {
namespace {

constexpr std::string_view kMagic = "WHERRYPF";
constexpr uint16_t kVersion = 1;
constexpr size_t kSaltAt = 24;
constexpr size_t kNonceAt = 40;
constexpr size_t kWrappedAt = 64;
constexpr size_t kCheckAt = 112;
constexpr size_t kHeaderSize = sizeof(Header);
constexpr uint16_t kKdfRaw = 1;
constexpr uint16_t kKdfArgon2id = 2;

ByteView part(const Header& header, size_t from, size_t to) {
  return ByteView(header).subspan(from, to - from);
}

Id128 checksum(const Header& header) {
  return crypto::hash<16>({}, "profile", {part(header, 0, kCheckAt)});
}

Result<Secret<32>> wrapping_key(const Key& key, const Header& header) {
  const auto kdf = codec::load_le<uint16_t>(&header[12]);
  if (kdf != (key.kind == WHERRY_KEY_RAW ? kKdfRaw : kKdfArgon2id)) {
    return fail(WHERRY_E_KEY, key.kind == WHERRY_KEY_RAW
                                  ? "this profile opens with a passphrase, not with a raw key"
                                  : "this profile opens with a raw key, not with a passphrase");
  }
  if (kdf == kKdfRaw) return crypto::derive_key(key.bytes, "wrap");
  return crypto::key_from_password(
      as_text(key.bytes), to_array<16>(part(header, kSaltAt, kNonceAt)),
      {codec::load_le<uint32_t>(&header[16]), codec::load_le<uint32_t>(&header[20])});
}

Error damaged() {
  return fail(WHERRY_E_CORRUPT, "the profile's header is damaged: restore it from a backup");
}

}  // namespace

Result<Header> wrap(const PageKey& page_key, const Key& key, Random& random) {
  Header header{};
  std::copy(kMagic.begin(), kMagic.end(), header.begin());
  codec::store_le(&header[8], kVersion);
  codec::store_le(&header[10], static_cast<uint16_t>(page_key.cipher));
  codec::store_le(&header[12], key.kind == WHERRY_KEY_RAW ? kKdfRaw : kKdfArgon2id);
  if (key.kind != WHERRY_KEY_RAW) {
    codec::store_le(&header[16], key.cost.ops);
    codec::store_le(&header[20], key.cost.memory_kib);
    random.fill(header.data() + kSaltAt, 16);
  }
  const auto nonce = random.array<24>();
  std::copy(nonce.begin(), nonce.end(), header.begin() + kNonceAt);
  Result<Secret<32>> wrapping = wrapping_key(key, header);
  if (!wrapping) return wrapping.error();
  crypto::aead_seal_into(header.data() + kWrappedAt, wrapping->view(), nonce,
                         part(header, 0, kNonceAt), page_key.key.view());
  const Id128 check = checksum(header);
  std::copy(check.begin(), check.end(), header.begin() + kCheckAt);
  return header;
}

Result<Header> read_header(ByteView file) {
  if (file.size() != kHeaderSize) return damaged();
  const Header header = to_array<kHeaderSize>(file);
  if (as_text(part(header, 0, 8)) == kMagic && codec::load_le<uint16_t>(&header[8]) > kVersion) {
    return fail(WHERRY_E_NEWER, "the profile was written by a newer version: update this app");
  }
  if (as_text(part(header, 0, 8)) != kMagic || codec::load_le<uint16_t>(&header[8]) != kVersion ||
      !equal(checksum(header), part(header, kCheckAt, kHeaderSize))) {
    return damaged();
  }
  return header;
}

Result<PageKey> unwrap(const Header& header, const Key& key) {
  Result<Secret<32>> wrapping = wrapping_key(key, header);
  if (!wrapping) return wrapping.error();
  PageKey page_key;
  if (!crypto::aead_open_into(page_key.key.data(), wrapping->view(),
                              to_array<24>(part(header, kNonceAt, kWrappedAt)),
                              part(header, 0, kNonceAt), part(header, kWrappedAt, kCheckAt))) {
    return fail(WHERRY_E_KEY,
                key.kind == WHERRY_KEY_RAW ? "the key is wrong" : "the passphrase is wrong");
  }
  const auto cipher = codec::load_le<uint16_t>(&header[10]);
  if (cipher != 1 && cipher != 2) {
    return fail(WHERRY_E_NEWER, "the profile uses a cipher that this version does not know");
  }
  page_key.cipher = static_cast<Cipher>(cipher);
  return page_key;
}

}  // namespace wherry::store
