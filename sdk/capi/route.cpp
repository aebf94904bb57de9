// The route of a conversation.
#include "base/limits.h"
#include "capi/convert.h"
#include "capi/guard.h"
#include "capi/page.h"

using wherry::Result;
using wherry::Status;

extern "C" {

int32_t wherry_conversation_set_route(wherry_profile profile, uint64_t conversation,
                                      const char* route, wherry_error* error) {
  return wherry::capi::guard(error, [&]() -> Status {
    auto engine = wherry::capi::find_handle(profile);
    if (!engine) return engine.error();
    Result<std::string> text =
        wherry::capi::text_in(route, "the route", wherry::limits::kRouteTextMax, WHERRY_E_ARGUMENT);
    if (!text) return text.error();
    return (*engine)->set_route(conversation, *text);
  });
}

int32_t wherry_conversation_route(wherry_profile profile, wherry_page** page, uint64_t conversation,
                                  wherry_error* error) {
  return wherry::capi::guard(error, [&]() -> Status {
    if (page == nullptr) return wherry::capi::argument("page is NULL");
    auto engine = wherry::capi::find_handle(profile);
    if (!engine) return engine.error();
    Result<wherry::engine::RouteView> view = (*engine)->route(conversation);
    if (!view) return view.error();
    auto made = std::make_unique<wherry_page>();
    wherry_route_info item{};
    item.size = sizeof item;
    item.route = made->keep(view->route);
    item.sending = made->keep(view->sending);
    item.receiving = made->keep(view->receiving);
    item.sending_state = view->sending_state;
    item.sending_reason = view->sending_reason;
    item.receiving_state = view->receiving_state;
    item.receiving_reason = view->receiving_reason;
    made->items = std::vector<wherry_route_info>{item};
    *page = made.release();
    return {};
  });
}

}  // extern "C"
