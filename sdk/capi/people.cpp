// Cards, contacts, conversations.
#include <algorithm>
#include <cstring>

#include "base/limits.h"
#include "capi/convert.h"
#include "capi/guard.h"
#include "capi/page.h"
#include "crypto/init.h"
#include "identity/card.h"

namespace wherry::capi {
namespace {

// Ids are positive numbers of 63 bits in the database: what is above is behind all of them.
uint64_t cursor(uint64_t after) {
  return std::min<uint64_t>(after, INT64_MAX);
}

wherry_contact contact_item(wherry_page& page, const store::ContactRow& row) {
  wherry_contact item{};
  item.size = sizeof item;
  item.contact = row.id;
  item.state = row.state;
  std::memcpy(item.identity, row.identity.data(), row.identity.size());
  item.name = page.keep(row.name);
  item.conversation = row.conversation;
  item.added_ms = row.added_ms;
  return item;
}

}  // namespace
}  // namespace wherry::capi

using wherry::Result;
using wherry::Status;

extern "C" {

int32_t wherry_card_make(wherry_profile profile, char* text, size_t capacity, uint64_t transport,
                         uint32_t valid_s, wherry_error* error) {
  return wherry::capi::guard(error, [&]() -> Status {
    if (text == nullptr) return wherry::capi::argument("text is NULL");
    if (valid_s > wherry::limits::kCardValidMax_s) {
      return wherry::capi::argument("valid_s is more than 365 days");
    }
    if (capacity < WHERRY_CARD_TEXT_SIZE) {
      return wherry::fail(WHERRY_E_TOO_LARGE, "capacity is less than WHERRY_CARD_TEXT_SIZE");
    }
    auto engine = wherry::capi::find_handle(profile);
    if (!engine) return engine.error();
    Result<std::string> card = (*engine)->card_make(
        transport, valid_s == 0 ? wherry::limits::kCardValidDefault_s : valid_s);
    if (!card) return card.error();
    std::memcpy(text, card->c_str(), card->size() + 1);
    return {};
  });
}

int32_t wherry_card_parse(wherry_page** page, const char* text, wherry_error* error) {
  return wherry::capi::guard(error, [&]() -> Status {
    if (page == nullptr) return wherry::capi::argument("page is NULL");
    if (!wherry::crypto::init()) return wherry::fail(WHERRY_E_MEMORY, "no source of randomness");
    Result<std::string> given = wherry::capi::card_in(text);
    if (!given) return given.error();
    Result<wherry::identity::Card> card = wherry::identity::Card::parse(*given);
    if (!card) return card.error();
    wherry::SystemClock clock;
    auto made = std::make_unique<wherry_page>();
    wherry_card_info item{};
    item.size = sizeof item;
    std::memcpy(item.identity, card->identity.bytes.data(), WHERRY_IDENTITY_SIZE);
    item.transport = made->keep(card->transport);
    item.endpoint = made->keep(card->endpoint);
    item.expires_ms = card->expires_s * 1000;
    item.expired = card->expired(clock.wall_ms() / 1000) ? 1 : 0;
    made->items = std::vector<wherry_card_info>{item};
    *page = made.release();
    return {};
  });
}

int32_t wherry_contact_add(wherry_profile profile, uint64_t* contact, const char* card,
                           const char* name, wherry_error* error) {
  return wherry::capi::guard(error, [&]() -> Status {
    if (contact == nullptr) return wherry::capi::argument("contact is NULL");
    auto engine = wherry::capi::find_handle(profile);
    if (!engine) return engine.error();
    Result<std::string> text = wherry::capi::card_in(card);
    if (!text) return text.error();
    auto called = wherry::capi::optional_text_in(name, "name", WHERRY_NAME_SIZE_MAX);
    if (!called) return called.error();
    Result<uint64_t> added = (*engine)->contact_add(*text, *called);
    if (!added) return added.error();
    *contact = *added;
    return {};
  });
}

int32_t wherry_contact_accept(wherry_profile profile, uint64_t contact, const char* name,
                              wherry_error* error) {
  return wherry::capi::guard(error, [&]() -> Status {
    auto engine = wherry::capi::find_handle(profile);
    if (!engine) return engine.error();
    auto called = wherry::capi::optional_text_in(name, "name", WHERRY_NAME_SIZE_MAX);
    if (!called) return called.error();
    return (*engine)->contact_accept(contact, *called);
  });
}

int32_t wherry_contact_list(wherry_profile profile, wherry_page** page, uint64_t after,
                            uint32_t limit, wherry_error* error) {
  return wherry::capi::guard(error, [&]() -> Status {
    if (page == nullptr) return wherry::capi::argument("page is NULL");
    if (Status in_range = wherry::capi::limit_in(limit); !in_range) return in_range;
    auto engine = wherry::capi::find_handle(profile);
    if (!engine) return engine.error();
    auto rows = (*engine)->contacts(wherry::capi::cursor(after), limit);
    if (!rows) return rows.error();
    auto made = std::make_unique<wherry_page>();
    std::vector<wherry_contact> items;
    for (const wherry::store::ContactRow& row : *rows) {
      items.push_back(wherry::capi::contact_item(*made, row));
    }
    made->items = std::move(items);
    *page = made.release();
    return {};
  });
}

int32_t wherry_conversation_list(wherry_profile profile, wherry_page** page, uint64_t after,
                                 uint32_t limit, wherry_error* error) {
  return wherry::capi::guard(error, [&]() -> Status {
    if (page == nullptr) return wherry::capi::argument("page is NULL");
    if (Status in_range = wherry::capi::limit_in(limit); !in_range) return in_range;
    auto engine = wherry::capi::find_handle(profile);
    if (!engine) return engine.error();
    auto views = (*engine)->conversations(wherry::capi::cursor(after), limit);
    if (!views) return views.error();
    auto made = std::make_unique<wherry_page>();
    std::vector<wherry_conversation> items;
    for (const wherry::engine::ConversationView& view : *views) {
      items.push_back({sizeof(wherry_conversation), view.row.id, view.row.contact,
                       view.row.last_message, view.waiting_count, view.row.waiting});
    }
    made->items = std::move(items);
    *page = made.release();
    return {};
  });
}

int32_t wherry_conversation_with(wherry_profile profile, uint64_t* conversation, uint64_t contact,
                                 wherry_error* error) {
  return wherry::capi::guard(error, [&]() -> Status {
    if (conversation == nullptr) return wherry::capi::argument("conversation is NULL");
    auto engine = wherry::capi::find_handle(profile);
    if (!engine) return engine.error();
    Result<uint64_t> found = (*engine)->conversation_with(contact);
    if (!found) return found.error();
    *conversation = *found;
    return {};
  });
}

}  // extern "C"
