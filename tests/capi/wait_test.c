/* Waiting for events: time-outs, and the descriptor for event loops, which is readable exactly when
 * an event can be had without waiting. */
#include <poll.h>

#include "check.h"
#include "support.h"

static int is_readable(int32_t handle, int timeout_ms) {
  struct pollfd wait = {handle, POLLIN, 0};
  return poll(&wait, 1, timeout_ms) == 1 && (wait.revents & POLLIN) != 0;
}

/* Nothing runs in this profile, so nothing happens between two lines. */
static void when_nothing_comes(void) {
  const wherry_profile profile = create("quiet");
  wherry_event* event = NULL;
  int32_t handle = -1, same = -1;
  CHECK_OK(wherry_wait_handle(profile, &handle, details()));
  CHECK_OK(wherry_wait_handle(profile, &same, details()));
  CHECK(handle >= 0);
  CHECK_INT(same, handle);
  CHECK(!is_readable(handle, 0));
  int64_t from = now_ms();
  CHECK_FAILS(WHERRY_E_TIMEOUT, wherry_next_event(profile, &event, 0, details()));
  CHECK(now_ms() - from < 40);
  from = now_ms();
  CHECK_FAILS(WHERRY_E_TIMEOUT, wherry_next_event(profile, &event, 50, details()));
  CHECK(now_ms() - from >= 49);
  CHECK(now_ms() - from < 2000);
  CHECK(event == NULL);
  CHECK_OK(wherry_sync(profile, 0, details()));
  CHECK_OK(wherry_close(profile));
}

/* Takes what is there, comparing at each step; returns how many. */
static int take_all(wherry_profile profile, int32_t handle, int acknowledge) {
  int count = 0;
  for (;;) {
    const int readable = is_readable(handle, 0);
    wherry_event* event = NULL;
    const int32_t status = wherry_next_event(profile, &event, 0, details());
    if (status == WHERRY_OK) {
      const uint64_t seq = wherry_event_seq(event);
      if (acknowledge && seq != 0) CHECK_OK(wherry_event_ack(profile, seq, details()));
      wherry_event_free(event);
      ++count;
    } else {
      CHECK_FAILS(WHERRY_E_TIMEOUT, status);
    }
    /* Between the two lines an event may come, but none may go. */
    if (readable) CHECK_INT(status, WHERRY_OK);
    if (status != WHERRY_OK) {
      CHECK(!is_readable(handle, 0));
      return count;
    }
  }
}

static void when_events_come(void) {
  struct pair two = meet("-wait");
  int32_t handle = -1;
  CHECK_OK(wherry_wait_handle(two.bob, &handle, details()));
  drain(two.alice, 300);
  drain(two.bob, 300);
  CHECK_INT(take_all(two.bob, handle, 1), 0);

  for (int i = 0; i < 5; ++i) send_text(two.alice, two.to_bob, "one");
  CHECK(is_readable(handle, WAIT_MS));
  CHECK(is_readable(handle, 0)); /* polling takes nothing */
  int count = 0;
  for (const int64_t deadline = now_ms() + WAIT_MS; count < 5 && now_ms() < deadline;) {
    is_readable(handle, 100);
    count += take_all(two.bob, handle, 1);
  }
  CHECK_INT(count, 5);

  /* Off the network: only what the app does makes events. */
  CHECK_OK(wherry_transport_stop(two.bob, two.bob_transport, details()));
  await_state(two.bob, two.bob_transport, WHERRY_TRANSPORT_STATE_OFF);
  drain(two.bob, 200);
  send_text(two.bob, two.to_alice, "waits");
  CHECK(is_readable(handle, WAIT_MS));
  drain(two.bob, 200);
  CHECK(!is_readable(handle, 0));
  CHECK_OK(wherry_close(two.bob));

  /* All was acknowledged: opening finds nothing to read. */
  two.bob = reopen("bob-wait");
  CHECK_OK(wherry_wait_handle(two.bob, &handle, details()));
  CHECK_INT(take_all(two.bob, handle, 0), 0);

  /* Not acknowledged: opening finds it again. */
  send_text(two.alice, two.to_bob, "at last");
  CHECK_OK(wherry_transport_start(two.bob, two.bob_transport, details()));
  wherry_event_free(await_event(two.bob, WHERRY_EVENT_MESSAGE, 0, 0));
  CHECK_OK(wherry_transport_stop(two.bob, two.bob_transport, details()));
  CHECK_OK(wherry_close(two.alice));
  CHECK_OK(wherry_close(two.bob));
  two.bob = reopen("bob-wait");
  CHECK_OK(wherry_wait_handle(two.bob, &handle, details()));
  CHECK(is_readable(handle, 0));
  CHECK(take_all(two.bob, handle, 1) > 0);
  CHECK_OK(wherry_close(two.bob));
}

int main(void) {
  when_nothing_comes();
  when_events_come();
  return check_result();
}
