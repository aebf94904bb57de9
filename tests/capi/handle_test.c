/* Handles that are not open: 0, invented, stale. Every function says so, and touches nothing. */
#include <string.h>

#include "check.h"
#include "support.h"

static void everything_refuses(wherry_profile not_open) {
  const uint8_t* text = (const uint8_t*)"text";
  const int32_t status = WHERRY_E_HANDLE;
  uint8_t identity[WHERRY_IDENTITY_SIZE] = {7};
  char card[WHERRY_CARD_TEXT_SIZE] = "as it was";
  uint64_t id = 42;
  int32_t handle = -7;
  wherry_page* page = NULL;
  wherry_event* event = NULL;
  CHECK_FAILS(status, wherry_identity(not_open, identity, details()));
  CHECK_FAILS(status, wherry_transport_add(not_open, &id, "loopback", NULL, 0, details()));
  CHECK_FAILS(status, wherry_transport_set(not_open, 1, NULL, 0, details()));
  CHECK_FAILS(status, wherry_transport_start(not_open, 1, details()));
  CHECK_FAILS(status, wherry_transport_stop(not_open, 1, details()));
  CHECK_FAILS(status, wherry_update(not_open, WHERRY_CHANGE_NETWORK, details()));
  CHECK_FAILS(status, wherry_transport_list(not_open, &page, details()));
  CHECK_FAILS(status, wherry_transport_describe(not_open, &page, "loopback", details()));
  CHECK_FAILS(status, wherry_card_make(not_open, card, sizeof card, 1, 0, details()));
  CHECK_FAILS(status, wherry_contact_add(not_open, &id, "wherry:", NULL, details()));
  CHECK_FAILS(status, wherry_contact_accept(not_open, 1, NULL, details()));
  CHECK_FAILS(status, wherry_contact_list(not_open, &page, 0, 10, details()));
  CHECK_FAILS(status, wherry_conversation_list(not_open, &page, 0, 10, details()));
  CHECK_FAILS(status, wherry_conversation_with(not_open, &id, 1, details()));
  CHECK_FAILS(status, wherry_send(not_open, &id, 1, NULL, WHERRY_CONTENT_TEXT, text, 4, details()));
  CHECK_FAILS(status,
              wherry_submit(not_open, 1, ref_of(1), WHERRY_CONTENT_TEXT, text, 4, details()));
  CHECK_FAILS(status, wherry_sync(not_open, 0, details()));
  CHECK_FAILS(status, wherry_history(not_open, &page, 1, 0, 0, 10, details()));
  CHECK_FAILS(status, wherry_message_get(not_open, &page, 1, details()));
  CHECK_FAILS(status, wherry_next_event(not_open, &event, -1, details()));
  CHECK_FAILS(status, wherry_event_ack(not_open, 1, details()));
  CHECK_FAILS(status, wherry_wait_handle(not_open, &handle, details()));
  CHECK_FAILS(status, wherry_close(not_open));
  CHECK_INT(identity[0], 7);
  CHECK_TEXT(card, "as it was");
  CHECK_INT(id, 42);
  CHECK_INT(handle, -7);
  CHECK(page == NULL);
  CHECK(event == NULL);
}

int main(void) {
  everything_refuses((wherry_profile){0});

  const wherry_profile open = create("alice");
  static const uint64_t invented[] = {1, 0xffffffff, 1ull << 63, UINT64_MAX};
  for (size_t i = 0; i < sizeof invented / sizeof *invented; ++i) {
    everything_refuses((wherry_profile){invented[i]});
  }
  everything_refuses((wherry_profile){open.id + 1});
  everything_refuses((wherry_profile){open.id - 1});
  everything_refuses((wherry_profile){open.id & 0xffffffff});

  uint8_t identity[WHERRY_IDENTITY_SIZE], again[WHERRY_IDENTITY_SIZE];
  CHECK_OK(wherry_identity(open, identity, details()));
  CHECK_OK(wherry_close(open));
  everything_refuses(open); /* which closes it a second time, too */

  /* A handle is never given twice. */
  const wherry_profile later = reopen("alice");
  CHECK(later.id != open.id);
  everything_refuses(open);
  CHECK_OK(wherry_identity(later, again, details()));
  CHECK(memcmp(identity, again, sizeof identity) == 0);
  CHECK_OK(wherry_close(later));
  return check_result();
}
