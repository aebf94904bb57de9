// Lists of endpoints, as announced and as stored.
#include "base/limits.h"
#include "fuzz.h"
#include "message/payload.h"

int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using wherry::message::Endpoints;
  const auto endpoints = Endpoints::from_bytes({data, size});
  if (!endpoints) return 0;
  must(endpoints->list.size() <= wherry::limits::kEndpointsMax);
  for (const auto& endpoint : endpoints->list) {
    must(!endpoint.text.empty() && endpoint.text.size() <= wherry::limits::kEndpointTextMax);
    must(endpoint.text.find('\0') == std::string::npos);
  }
  const auto again = Endpoints::from_bytes(endpoints->to_bytes());
  must(again.ok() && *again == *endpoints);
  return 0;
}
