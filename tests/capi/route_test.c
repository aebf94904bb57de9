/* The route of a conversation by the C interface. With one network it says much and moves nothing:
 * tests/unit/engine/moving_test.cpp and tests/sim have several. */
#include <string.h>
#include <time.h>

#include "check.h"
#include "json.h"
#include "support.h"

static struct pair people;

static wherry_page* route_of(uint64_t conversation) {
  wherry_page* page = NULL;
  MUST(wherry_conversation_route(people.alice, &page, conversation, details()));
  CHECK_INT(wherry_page_count(page), 1);
  return page;
}

/* Once the inbox that Bob has for Alice is in use, and not his card's. */
static wherry_page* settled_route(void) {
  for (int tries = 0;; ++tries) {
    wherry_page* page = route_of(people.to_bob);
    const int32_t state = wherry_page_route(page, 0)->sending_state;
    if (state == WHERRY_ROUTE_STATE_SETTLED || tries == 500) return page;
    wherry_page_free(page);
    nanosleep(&(struct timespec){0, 10 * 1000 * 1000}, NULL);
  }
}

static void a_conversation_begins_on_auto(void) {
  wherry_page* page = settled_route();
  const wherry_route_info* info = wherry_page_route(page, 0);
  CHECK_INT(info->size, sizeof *info);
  CHECK_TEXT(info->route, "auto");
  CHECK_TEXT(info->sending, "loopback");
  CHECK_TEXT(info->receiving, "loopback");
  CHECK_INT(info->sending_state, WHERRY_ROUTE_STATE_SETTLED);
  CHECK_INT(info->receiving_state, WHERRY_ROUTE_STATE_SETTLED);
  CHECK_INT(info->sending_reason, WHERRY_REASON_NONE);
  CHECK(has_member(wherry_page_json(page), "route", "\"auto\""));
  CHECK(wherry_page_path(page, 0) == NULL);
  CHECK(wherry_page_route(page, 1) == NULL);
  wherry_page_free(page);
}

static void a_route_is_kept(void) {
  CHECK_OK(wherry_conversation_set_route(people.alice, people.to_bob, "loopback", details()));
  wherry_page* page = route_of(people.to_bob);
  CHECK_TEXT(wherry_page_route(page, 0)->route, "loopback");
  wherry_page_free(page);
  const uint64_t message = send_text(people.alice, people.to_bob, "still here");
  CHECK_INT(await_integer(people.alice, WHERRY_EVENT_EVIDENCE, WHERRY_FIELD_EVIDENCE,
                          WHERRY_EVIDENCE_DELIVERED, WHERRY_FIELD_MESSAGE),
            message);
  CHECK_OK(wherry_conversation_set_route(people.alice, people.to_bob, "auto", details()));
  page = route_of(people.to_bob);
  CHECK_TEXT(wherry_page_route(page, 0)->route, "auto");
  wherry_page_free(page);
}

static void arguments_are_checked(void) {
  wherry_page* page = NULL;
  char endless[512];
  memset(endless, 'x', sizeof endless - 1);
  endless[sizeof endless - 1] = 0;
  CHECK_FAILS(WHERRY_E_ARGUMENT,
              wherry_conversation_route(people.alice, NULL, people.to_bob, details()));
  CHECK_FAILS(WHERRY_E_NOT_FOUND, wherry_conversation_route(people.alice, &page, 99, details()));
  CHECK_FAILS(WHERRY_E_NOT_FOUND,
              wherry_conversation_set_route(people.alice, 99, "auto", details()));
  CHECK_FAILS(WHERRY_E_ARGUMENT,
              wherry_conversation_set_route(people.alice, people.to_bob, NULL, details()));
  CHECK_FAILS(WHERRY_E_NOT_FOUND,
              wherry_conversation_set_route(people.alice, people.to_bob, "pigeon", details()));
  CHECK_FAILS(WHERRY_E_ARGUMENT, wherry_conversation_set_route(people.alice, people.to_bob,
                                                               "loopback,loopback", details()));
  CHECK_FAILS(WHERRY_E_ARGUMENT,
              wherry_conversation_set_route(people.alice, people.to_bob, ",", details()));
  CHECK_FAILS(WHERRY_E_UTF8,
              wherry_conversation_set_route(people.alice, people.to_bob, "\xff", details()));
  CHECK_FAILS(WHERRY_E_ARGUMENT,
              wherry_conversation_set_route(people.alice, people.to_bob, endless, details()));
}

int main(void) {
  people = meet("");
  a_conversation_begins_on_auto();
  a_route_is_kept();
  arguments_are_checked();
  CHECK_OK(wherry_close(people.alice));
  CHECK_OK(wherry_close(people.bob));
  return check_result();
}
