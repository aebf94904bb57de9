// Events: the feed, typed fields, JSON.
#include <mutex>

#include "capi/convert.h"
#include "capi/guard.h"
#include "capi/json.h"
#include "capi/schema_texts.h"

// Immutable once made, but for the JSON, which is made when first asked for.
struct wherry_event {
  wherry::engine::Event event;
  std::string body;  // the message's, with a NUL behind it
  mutable std::once_flag json_once;
  mutable std::string json;
};

namespace wherry::capi {
namespace {

int64_t integer(const engine::Event& event, int32_t field) {
  const store::EventRow& row = event.row;
  const auto* message = event.message ? &*event.message : nullptr;
  const bool transport = row.type == WHERRY_EVENT_TRANSPORT;
  switch (field) {
    case WHERRY_FIELD_CONTACT:
      return static_cast<int64_t>(row.contact);
    case WHERRY_FIELD_CONVERSATION:
      return static_cast<int64_t>(row.conversation);
    case WHERRY_FIELD_MESSAGE:
      return static_cast<int64_t>(row.message);
    case WHERRY_FIELD_AUTHOR:
      return message ? static_cast<int64_t>(message->author) : 0;
    case WHERRY_FIELD_CONTENT:
      return message ? message->content : 0;
    case WHERRY_FIELD_SENT_MS:
      return message ? message->sent_ms : 0;
    case WHERRY_FIELD_RECEIVED_MS:
      return message ? message->received_ms : 0;
    case WHERRY_FIELD_EVIDENCE:
      return row.value;
    case WHERRY_FIELD_REASON:
      return row.seq == 0 ? event.ephemeral.reason : row.reason;
    case WHERRY_FIELD_STATE:
      return transport ? event.ephemeral.state : row.value;
    case WHERRY_FIELD_TRANSPORT:
      return static_cast<int64_t>(message ? message->transport : event.ephemeral.transport);
    case WHERRY_FIELD_PERCENT:
      return event.ephemeral.percent;
    case WHERRY_FIELD_COUNT:
      return row.value;
    default:
      return 0;
  }
}

const FieldInfo* find_field(const engine::Event& event, int32_t field) {
  for (const FieldInfo& info : event_fields(event.row.type)) {
    if (info.field == field) return &info;
  }
  return nullptr;
}

ByteView bytes(const engine::Event& event, int32_t field) {
  switch (field) {
    case WHERRY_FIELD_MESSAGE_ID:
      return event.message ? ByteView(event.message->mid) : ByteView();
    case WHERRY_FIELD_BODY:
      return event.message ? ByteView(event.message->body) : ByteView();
    case WHERRY_FIELD_IDENTITY:
      return event.identity ? ByteView(*event.identity) : ByteView();
    case WHERRY_FIELD_PHASE:
      return as_bytes(event.ephemeral.phase);
    default:
      return {};
  }
}

Json to_json(const engine::Event& event) {
  Json out;
  out["seq"] = wide(event.row.seq);
  out["type"] = event.row.type;
  for (const FieldInfo& info : event_fields(event.row.type)) {
    switch (info.kind) {
      case FieldKind::kWide:
        out[info.name] = wide(integer(event, info.field));
        break;
      case FieldKind::kSmall:
        out[info.name] = integer(event, info.field);
        break;
      case FieldKind::kText:
        out[info.name] = std::string(as_text(bytes(event, info.field)));
        break;
      case FieldKind::kBytes:
        if (info.field == WHERRY_FIELD_BODY) {
          add_body(out, event.message ? event.message->content : 0, bytes(event, info.field));
        } else {
          out[info.name] = base64(bytes(event, info.field));
        }
        break;
    }
  }
  return out;
}

}  // namespace
}  // namespace wherry::capi

using wherry::Result;
using wherry::Status;

extern "C" {

int32_t wherry_next_event(wherry_profile profile, wherry_event** event, int32_t timeout_ms,
                          wherry_error* error) {
  return wherry::capi::guard(error, [&]() -> Status {
    if (event == nullptr) return wherry::capi::argument("event is NULL");
    auto engine = wherry::capi::find_handle(profile);
    if (!engine) return engine.error();
    // What leaves the feed comes again after a restart only, so that nothing may fail behind it:
    // all memory is taken before.
    auto made = std::make_unique<wherry_event>();
    made->body.reserve(WHERRY_BODY_SIZE_MAX);
    Result<wherry::engine::Event> next = (*engine)->next_event(timeout_ms);
    if (!next) return next.error();
    made->event = next.take();
    if (made->event.message) made->body = wherry::as_text(made->event.message->body);
    made->body.shrink_to_fit();  // does nothing when memory is short
    *event = made.release();
    return {};
  });
}

int32_t wherry_event_ack(wherry_profile profile, uint64_t seq, wherry_error* error) {
  return wherry::capi::guard(error, [&]() -> Status {
    auto engine = wherry::capi::find_handle(profile);
    if (!engine) return engine.error();
    return (*engine)->event_ack(seq);
  });
}

int32_t wherry_wait_handle(wherry_profile profile, int32_t* handle, wherry_error* error) {
  return wherry::capi::guard(error, [&]() -> Status {
    if (handle == nullptr) return wherry::capi::argument("handle is NULL");
    auto engine = wherry::capi::find_handle(profile);
    if (!engine) return engine.error();
    *handle = (*engine)->wait_handle();
    return {};
  });
}

int32_t wherry_event_kind(const wherry_event* event) {
  return event == nullptr ? 0 : event->event.row.type;
}

uint64_t wherry_event_seq(const wherry_event* event) {
  return event == nullptr ? 0 : event->event.row.seq;
}

int64_t wherry_event_integer(const wherry_event* event, int32_t field) {
  if (event == nullptr || wherry::capi::find_field(event->event, field) == nullptr) return 0;
  return wherry::capi::integer(event->event, field);
}

const uint8_t* wherry_event_bytes(const wherry_event* event, size_t* length, int32_t field) {
  if (length != nullptr) *length = 0;
  if (event == nullptr) return nullptr;
  const wherry::capi::FieldInfo* info = wherry::capi::find_field(event->event, field);
  if (info == nullptr || (info->kind != wherry::capi::FieldKind::kBytes &&
                          info->kind != wherry::capi::FieldKind::kText)) {
    return nullptr;
  }
  const wherry::ByteView bytes = field == WHERRY_FIELD_BODY
                                     ? wherry::as_bytes(event->body)
                                     : wherry::capi::bytes(event->event, field);
  if (length != nullptr) *length = bytes.size();
  // An empty string is not an absent one.
  return bytes.data() == nullptr ? reinterpret_cast<const uint8_t*>("") : bytes.data();
}

const char* wherry_event_json(const wherry_event* event) {
  if (event == nullptr) return nullptr;
  return wherry::capi::guard_pointer([event]() -> const char* {
    std::call_once(event->json_once, [event] {
      event->json = wherry::capi::dump(wherry::capi::to_json(event->event));
    });
    return event->json.c_str();
  });
}

void wherry_event_free(wherry_event* event) {
  delete event;
}

}  // extern "C"
