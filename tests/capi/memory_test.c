/* Out of memory: a call says so, and a durable event that it could not hand over is not lost. */
#include <poll.h>
#include <stdlib.h>
#include <string.h>

#include "check.h"
#include "failing_new.h"
#include "support.h"

enum { TRIES_MAX = 10000 };

static int32_t next_event_after(int allocations, wherry_profile profile, wherry_event** event) {
  wherry_error error = WHERRY_ERROR_INIT;
  fail_new_after(allocations);
  const int32_t status = wherry_next_event(profile, event, 0, &error);
  fail_new_after(-1);
  CHECK_INT(error.status, status);
  return status;
}

/* Memory ends one allocation later at each try, until it is enough. */
static void an_event_is_not_lost(const struct pair* two, const char* text) {
  int32_t handle = -1;
  drain(two->bob, 200);
  MUST(wherry_wait_handle(two->bob, &handle, details()));
  send_text(two->alice, two->to_bob, text);
  struct pollfd wait = {handle, POLLIN, 0};
  check_must(CHECK_INT(poll(&wait, 1, WAIT_MS), 1));

  wherry_event* event = NULL;
  int32_t status = WHERRY_E_MEMORY;
  int tries = 0;
  for (; tries < TRIES_MAX && status == WHERRY_E_MEMORY; ++tries) {
    status = next_event_after(tries, two->bob, &event);
    CHECK_INT(event != NULL, status == WHERRY_OK);
  }
  CHECK(tries > 1);
  check_must(CHECK_INT(status, WHERRY_OK));
  CHECK_INT(wherry_event_kind(event), WHERRY_EVENT_MESSAGE);
  size_t length = 0;
  const uint8_t* body = wherry_event_bytes(event, &length, WHERRY_FIELD_BODY);
  CHECK_INT(length, strlen(text));
  CHECK(body != NULL && memcmp(body, text, length + 1) == 0);
  wherry_event_free(event);
  CHECK_FAILS(WHERRY_E_TIMEOUT, wherry_next_event(two->bob, &event, 200, details()));
}

int main(void) {
  static char longest[WHERRY_BODY_SIZE_MAX + 1];
  memset(longest, 'l', WHERRY_BODY_SIZE_MAX);
  struct pair two = meet("-memory");
  an_event_is_not_lost(&two, "");
  an_event_is_not_lost(&two, "longer than what fits into a string itself");
  an_event_is_not_lost(&two, longest);
  CHECK_OK(wherry_close(two.alice));
  CHECK_OK(wherry_close(two.bob));
  return check_result();
}
