// Messages: sent, submitted, read.
#include <cstring>

#include "capi/convert.h"
#include "capi/guard.h"
#include "capi/page.h"

namespace wherry::capi {
namespace {

wherry_page* message_page(std::vector<store::MessageRow> rows) {
  auto page = std::make_unique<wherry_page>();
  std::vector<wherry_message> items;
  for (store::MessageRow& row : rows) {
    wherry_message item{};
    item.size = sizeof item;
    item.message = row.id;
    item.conversation = row.conversation;
    std::memcpy(item.message_id, row.mid.data(), row.mid.size());
    item.author = row.author;
    item.content = row.content;
    item.evidence = row.evidence;
    item.reason = row.reason;
    item.sent_ms = row.sent_ms;
    item.received_ms = row.received_ms;
    item.transport = row.transport;
    item.body_size = row.body.size();
    item.body = page->keep(wherry::ByteView(row.body));
    items.push_back(item);
  }
  page->items = std::move(items);
  return page.release();
}

}  // namespace
}  // namespace wherry::capi

using wherry::Result;
using wherry::Status;

extern "C" {

int32_t wherry_send(wherry_profile profile, uint64_t* message, uint64_t conversation,
                    const uint8_t* ref, int32_t content, const uint8_t* body, size_t body_size,
                    wherry_error* error) {
  return wherry::capi::guard(error, [&]() -> Status {
    if (message == nullptr) return wherry::capi::argument("message is NULL");
    auto engine = wherry::capi::find_handle(profile);
    if (!engine) return engine.error();
    auto outbound = wherry::capi::outbound_in(conversation, ref, content, body, body_size);
    if (!outbound) return outbound.error();
    Result<uint64_t> sent = (*engine)->send(outbound.take());
    if (!sent) return sent.error();
    *message = *sent;
    return {};
  });
}

int32_t wherry_submit(wherry_profile profile, uint64_t conversation, const uint8_t* ref,
                      int32_t content, const uint8_t* body, size_t body_size, wherry_error* error) {
  return wherry::capi::guard(error, [&]() -> Status {
    if (ref == nullptr) return wherry::capi::argument("ref is NULL: submit needs one");
    auto engine = wherry::capi::find_handle(profile);
    if (!engine) return engine.error();
    auto outbound = wherry::capi::outbound_in(conversation, ref, content, body, body_size);
    if (!outbound) return outbound.error();
    return (*engine)->submit(outbound.take());
  });
}

int32_t wherry_sync(wherry_profile profile, int32_t timeout_ms, wherry_error* error) {
  return wherry::capi::guard(error, [&]() -> Status {
    auto engine = wherry::capi::find_handle(profile);
    if (!engine) return engine.error();
    return (*engine)->sync(timeout_ms);
  });
}

int32_t wherry_history(wherry_profile profile, wherry_page** page, uint64_t conversation,
                       uint64_t from, int32_t direction, uint32_t limit, wherry_error* error) {
  return wherry::capi::guard(error, [&]() -> Status {
    if (page == nullptr) return wherry::capi::argument("page is NULL");
    if (direction != WHERRY_DIRECTION_OLDER && direction != WHERRY_DIRECTION_NEWER) {
      return wherry::capi::argument("direction is unknown");
    }
    if (Status in_range = wherry::capi::limit_in(limit); !in_range) return in_range;
    auto engine = wherry::capi::find_handle(profile);
    if (!engine) return engine.error();
    auto rows = (*engine)->history(conversation, from, direction == WHERRY_DIRECTION_OLDER, limit);
    if (!rows) return rows.error();
    *page = wherry::capi::message_page(rows.take());
    return {};
  });
}

int32_t wherry_message_get(wherry_profile profile, wherry_page** page, uint64_t message,
                           wherry_error* error) {
  return wherry::capi::guard(error, [&]() -> Status {
    if (page == nullptr) return wherry::capi::argument("page is NULL");
    auto engine = wherry::capi::find_handle(profile);
    if (!engine) return engine.error();
    auto row = (*engine)->message(message);
    if (!row) return row.error();
    std::vector<wherry::store::MessageRow> rows;
    rows.push_back(row.take());
    *page = wherry::capi::message_page(std::move(rows));
    return {};
  });
}

}  // extern "C"
