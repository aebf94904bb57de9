// Items by kind, and pages as JSON.
#include "capi/page.h"

#include "capi/guard.h"
#include "capi/json.h"

namespace wherry::capi {
namespace {

template <typename Item>
const Item* item(const wherry_page* page, size_t index) {
  if (page == nullptr) return nullptr;
  const auto* items = std::get_if<std::vector<Item>>(&page->items);
  return items == nullptr || index >= items->size() ? nullptr : &(*items)[index];
}

Json to_json(const wherry_message& m) {
  Json out;
  out["message"] = wide(m.message);
  out["conversation"] = wide(m.conversation);
  out["message_id"] = base64({m.message_id, WHERRY_ID_SIZE});
  out["author"] = wide(m.author);
  out["content"] = m.content;
  out["evidence"] = m.evidence;
  out["reason"] = m.reason;
  out["sent_ms"] = wide(m.sent_ms);
  out["received_ms"] = wide(m.received_ms);
  out["transport"] = wide(m.transport);
  add_body(out, m.content, {m.body, m.body_size});
  return out;
}

Json to_json(const wherry_contact& c) {
  Json out;
  out["contact"] = wide(c.contact);
  out["state"] = c.state;
  out["identity"] = base64({c.identity, WHERRY_IDENTITY_SIZE});
  out["name"] = c.name;
  out["conversation"] = wide(c.conversation);
  out["added_ms"] = wide(c.added_ms);
  return out;
}

Json to_json(const wherry_conversation& c) {
  Json out;
  out["conversation"] = wide(c.conversation);
  out["contact"] = wide(c.contact);
  out["last_message"] = wide(c.last_message);
  out["waiting_count"] = wide(c.waiting_count);
  out["waiting"] = c.waiting;
  return out;
}

Json to_json(const wherry_transport_info& t) {
  Json out;
  out["transport"] = wide(t.transport);
  out["name"] = t.name;
  out["started"] = t.started;
  out["state"] = t.state;
  out["percent"] = t.percent;
  out["reason"] = t.reason;
  return out;
}

Json to_json(const wherry_card_info& c) {
  Json out;
  out["identity"] = base64({c.identity, WHERRY_IDENTITY_SIZE});
  out["transport"] = c.transport;
  out["endpoint"] = c.endpoint;
  out["expires_ms"] = wide(c.expires_ms);
  out["expired"] = c.expired;
  return out;
}

Json to_json(const wherry_permits_info& p) {
  Json out;
  out["profile"] = facts_of(p.profile);
  out["mine"] = facts_of(p.mine);
  out["theirs"] = facts_of(p.theirs);
  out["all"] = facts_of(p.all);
  out["revealed"] = facts_of(p.revealed);
  out["leaving"] = p.leaving;
  return out;
}

Json to_json(const wherry_path& p) {
  Json out;
  out["transport"] = wide(p.transport);
  out["name"] = p.name;
  out["endpoint"] = p.endpoint;
  out["used"] = p.used;
  out["allowed"] = p.allowed;
  out["reason"] = p.reason;
  out["reveals"] = facts_of(p.reveals);
  out["against_profile"] = facts_of(p.against_profile);
  out["against_mine"] = facts_of(p.against_mine);
  out["against_theirs"] = facts_of(p.against_theirs);
  out["succeeded_ms"] = p.succeeded_ms;
  return out;
}

Json to_json(const wherry_route_info& r) {
  Json out;
  out["route"] = r.route;
  out["sending"] = r.sending;
  out["receiving"] = r.receiving;
  out["sending_state"] = r.sending_state;
  out["sending_reason"] = r.sending_reason;
  out["receiving_state"] = r.receiving_state;
  out["receiving_reason"] = r.receiving_reason;
  return out;
}

struct PageToJson {
  Json operator()(std::monostate) const { return Json::array(); }
  template <typename Item>
  Json operator()(const std::vector<Item>& items) const {
    Json list = Json::array();
    for (const Item& one : items) list.push_back(to_json(one));
    return list;
  }
};

}  // namespace
}  // namespace wherry::capi

extern "C" {

size_t wherry_page_count(const wherry_page* page) {
  if (page == nullptr) return 0;
  return std::visit(
      [](const auto& items) -> size_t {
        if constexpr (std::is_same_v<std::decay_t<decltype(items)>, std::monostate>) {
          return 0;
        } else {
          return items.size();
        }
      },
      page->items);
}

const wherry_message* wherry_page_message(const wherry_page* page, size_t index) {
  return wherry::capi::item<wherry_message>(page, index);
}

const wherry_contact* wherry_page_contact(const wherry_page* page, size_t index) {
  return wherry::capi::item<wherry_contact>(page, index);
}

const wherry_conversation* wherry_page_conversation(const wherry_page* page, size_t index) {
  return wherry::capi::item<wherry_conversation>(page, index);
}

const wherry_transport_info* wherry_page_transport(const wherry_page* page, size_t index) {
  return wherry::capi::item<wherry_transport_info>(page, index);
}

const wherry_card_info* wherry_page_card(const wherry_page* page, size_t index) {
  return wherry::capi::item<wherry_card_info>(page, index);
}

const wherry_permits_info* wherry_page_permits(const wherry_page* page, size_t index) {
  return wherry::capi::item<wherry_permits_info>(page, index);
}

const wherry_path* wherry_page_path(const wherry_page* page, size_t index) {
  return wherry::capi::item<wherry_path>(page, index);
}

const wherry_route_info* wherry_page_route(const wherry_page* page, size_t index) {
  return wherry::capi::item<wherry_route_info>(page, index);
}

const char* wherry_page_json(const wherry_page* page) {
  if (page == nullptr) return nullptr;
  return wherry::capi::guard_pointer([page]() -> const char* {
    std::call_once(page->json_once, [page] {
      // A description is its JSON alone.
      if (page->json.empty()) {
        page->json = wherry::capi::dump(std::visit(wherry::capi::PageToJson{}, page->items));
      }
    });
    return page->json.c_str();
  });
}

void wherry_page_free(wherry_page* page) {
  delete page;
}

}  // extern "C"
