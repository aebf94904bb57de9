// Bundles of prekeys and device lists: any bytes, and any bytes under a good seal or signature.
#include <algorithm>

#include "base/limits.h"
#include "fuzz.h"
#include "identity/bundle.h"
#include "seeded_random.h"

namespace {

using wherry::Bytes;
using wherry::ByteView;
using namespace wherry::identity;

const Identity& signer() {
  static const Identity identity{
      wherry::crypto::SigningPair::from_seed(std::array<uint8_t, 32>{1})};
  return identity;
}

}  // namespace

int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const ByteView input(data, size);
  const wherry::Secret<32> secret(std::array<uint8_t, 32>{2});
  (void)Bundle::parse(input, signer().public_key());
  (void)open_bundle(secret, input);
  (void)DeviceList::parse(input);

  wherry::test::SeededRandom random(size);
  constexpr size_t kRoom = wherry::limits::kBundleSize - 24 - 16 - 2;
  const ByteView fitting = input.first(std::min(size, kRoom));
  const wherry::Result<Bytes> opened = open_bundle(secret, seal_bundle(secret, fitting, random));
  must(opened.ok() && wherry::equal(*opened, fitting));

  Bytes signed_list;
  wherry::append(signed_list, signer().keys.sign("devices", input).view());
  wherry::append(signed_list, input);
  const wherry::Result<DeviceList> list = DeviceList::parse(signed_list);
  if (list.ok()) must(!list->devices().empty() && list->identity() == signer().public_key());
  return 0;
}
