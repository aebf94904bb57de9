// Payloads, records and endpoints: any bytes. What is read is written and read as the same.
#include "fuzz.h"
#include "message/payload.h"

int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace wherry::message;
  const wherry::ByteView input(data, size);
  if (const auto payload = decode_payload(input)) {
    const auto again = decode_payload(encode(*payload));
    must(again.ok() && again->records == payload->records && again->acks == payload->acks &&
         again->endpoints == payload->endpoints && again->reseal == payload->reseal &&
         again->reset.has_value() == payload->reset.has_value() &&
         again->follows == payload->follows && again->probe == payload->probe &&
         again->answers == payload->answers && again->moved == payload->moved);
  }
  if (const auto record = decode_record(input)) {
    const auto again = decode_record(encode(*record));
    must(again.ok() && *again == *record);
  }
  return 0;
}
