// Permits, and what stands against a path.
#include "policy/permits.h"

#include "capi/convert.h"
#include "capi/guard.h"
#include "capi/page.h"
#include "policy/reveals.h"

namespace wherry::capi {
namespace {

wherry_path path_item(wherry_page& page, const engine::PathView& view) {
  wherry_path item{};
  item.size = sizeof item;
  item.transport = view.transport_id;
  item.name = page.keep(view.transport);
  item.endpoint = page.keep(view.endpoint);
  item.used = view.chosen ? 1 : 0;
  item.reveals = view.reveals;
  item.against_profile = view.against_profile;
  item.against_mine = view.against_mine;
  item.against_theirs = view.against_theirs;
  const int against = policy::count(view.against_profile) + policy::count(view.against_mine) +
                      policy::count(view.against_theirs);
  item.allowed = view.known && against == 0 ? 1 : 0;
  item.reason = view.reason;
  item.succeeded_ms = view.succeeded_ms;
  return item;
}

wherry_permits_info permits_item(const engine::Explanation& found) {
  wherry_permits_info item{};
  item.size = sizeof item;
  item.profile = found.permits.profile;
  item.mine = found.permits.mine;
  item.theirs = policy::in_my_words(found.permits.theirs);
  item.all = found.permits.all();
  item.revealed = found.revealed;
  item.leaving = found.leaving ? 1 : 0;
  return item;
}

Status check_change(const wherry_reveals* permits, int32_t tightening) {
  if (permits == nullptr) return argument("permits is NULL");
  if (tightening != WHERRY_TIGHTENING_ANNOUNCE && tightening != WHERRY_TIGHTENING_NOW) {
    return argument("tightening is no wherry_tightening");
  }
  return {};
}

// A page of what `items_of` takes out of the explanation of a conversation.
template <typename ItemsOf>
int32_t explained(wherry_profile profile, wherry_page** page, uint64_t conversation,
                  wherry_error* error, ItemsOf&& items_of) {
  return guard(error, [&]() -> Status {
    if (page == nullptr) return argument("page is NULL");
    auto engine = find_handle(profile);
    if (!engine) return engine.error();
    Result<engine::Explanation> found = (*engine)->explain(conversation);
    if (!found) return found.error();
    auto made = std::make_unique<wherry_page>();
    made->items = items_of(*made, *found);
    *page = made.release();
    return {};
  });
}

}  // namespace
}  // namespace wherry::capi

using wherry::Result;
using wherry::Status;

extern "C" {

int32_t wherry_permits_preset(wherry_reveals* permits, int32_t preset, wherry_error* error) {
  return wherry::capi::guard(error, [&]() -> Status {
    if (permits == nullptr) return wherry::capi::argument("permits is NULL");
    const std::optional<wherry_reveals> set = wherry::policy::preset(preset);
    if (!set)
      return wherry::capi::argument("there is no preset of this number: see wherry_permits");
    *permits = *set;
    return {};
  });
}

int32_t wherry_profile_permits(wherry_profile profile, wherry_reveals* permits,
                               wherry_error* error) {
  return wherry::capi::guard(error, [&]() -> Status {
    if (permits == nullptr) return wherry::capi::argument("permits is NULL");
    auto engine = wherry::capi::find_handle(profile);
    if (!engine) return engine.error();
    Result<wherry_reveals> found = (*engine)->profile_permits();
    if (!found) return found.error();
    *permits = *found;
    return {};
  });
}

int32_t wherry_profile_set_permits(wherry_profile profile, const wherry_reveals* permits,
                                   int32_t tightening, wherry_error* error) {
  return wherry::capi::guard(error, [&]() -> Status {
    if (Status checked = wherry::capi::check_change(permits, tightening); !checked) return checked;
    auto engine = wherry::capi::find_handle(profile);
    if (!engine) return engine.error();
    return (*engine)->set_profile_permits(*permits, tightening);
  });
}

int32_t wherry_conversation_permits(wherry_profile profile, wherry_page** page,
                                    uint64_t conversation, wherry_error* error) {
  return wherry::capi::explained(
      profile, page, conversation, error,
      [](wherry_page&, const wherry::engine::Explanation& found) {
        return std::vector<wherry_permits_info>{wherry::capi::permits_item(found)};
      });
}

int32_t wherry_conversation_set_permits(wherry_profile profile, uint64_t conversation,
                                        const wherry_reveals* permits, int32_t tightening,
                                        wherry_error* error) {
  return wherry::capi::guard(error, [&]() -> Status {
    if (Status checked = wherry::capi::check_change(permits, tightening); !checked) return checked;
    auto engine = wherry::capi::find_handle(profile);
    if (!engine) return engine.error();
    return (*engine)->set_conversation_permits(conversation, *permits, tightening);
  });
}

int32_t wherry_conversation_explain(wherry_profile profile, wherry_page** page,
                                    uint64_t conversation, wherry_error* error) {
  return wherry::capi::explained(profile, page, conversation, error,
                                 [](wherry_page& made, const wherry::engine::Explanation& found) {
                                   std::vector<wherry_path> items;
                                   for (const wherry::engine::PathView& view : found.paths) {
                                     items.push_back(wherry::capi::path_item(made, view));
                                   }
                                   return items;
                                 });
}

}  // extern "C"
