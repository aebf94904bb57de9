/* Many messages in a row by submit and sync: all of them, once, in order; a full queue says so. */
#include <string.h>

#include "check.h"
#include "support.h"

enum { COUNT = 2000, FLOOD_MAX = 100000 };

static struct pair two;

static int32_t submit(uint32_t number) {
  return wherry_submit(two.alice, two.to_bob, ref_of(number), WHERRY_CONTENT_DATA,
                       (const uint8_t*)&number, sizeof number, details());
}

/* Bob gets numbers from `first` to below `end`, in this order and nothing else. */
static void check_received(uint32_t first, uint32_t end) {
  for (uint32_t expected = first; expected < end; ++expected) {
    uint32_t number = 0;
    size_t size = 0;
    wherry_event* event =
        await_event(two.bob, WHERRY_EVENT_MESSAGE, WHERRY_FIELD_CONTENT, WHERRY_CONTENT_DATA);
    const uint8_t* body = wherry_event_bytes(event, &size, WHERRY_FIELD_BODY);
    if (size == sizeof number) memcpy(&number, body, size);
    check_must(CHECK_INT(number, expected));
    CHECK_OK(wherry_event_ack(two.bob, wherry_event_seq(event), details()));
    wherry_event_free(event);
  }
}

static void submitted_twice_received_once(void) {
  for (uint32_t i = 0; i < COUNT; ++i) {
    while (submit(i) == WHERRY_E_AGAIN) CHECK_OK(wherry_sync(two.alice, WAIT_MS, details()));
    if (i % 100 == 99) {
      CHECK_OK(wherry_sync(two.alice, WAIT_MS, details()));
      for (uint32_t again = i - 99; again <= i; ++again) {
        while (submit(again) == WHERRY_E_AGAIN) pause_ms(1);
      }
    }
  }
  CHECK_OK(wherry_sync(two.alice, WAIT_MS, details()));
  check_received(0, COUNT);
}

static void a_full_queue_says_so(void) {
  uint32_t next = COUNT;
  int32_t status = WHERRY_OK;
  while (next < FLOOD_MAX && (status = submit(next)) == WHERRY_OK) ++next;
  CHECK_FAILS(WHERRY_E_AGAIN, status);
  CHECK_OK(wherry_sync(two.alice, WAIT_MS, details()));
  CHECK_OK(submit(next++));
  CHECK_OK(wherry_sync(two.alice, -1, details()));
  check_received(COUNT, next);
}

/* Large ones are bounded by their bytes. While some are under way, a sync that may not wait says
   so: the engine may have taken all of them before it is asked, so it is asked again. */
static void a_queue_full_of_bytes_says_so(void) {
  static uint8_t body[WHERRY_BODY_SIZE_MAX];
  uint32_t next = 0;
  int32_t unfinished = WHERRY_OK;
  for (int round = 0; round < 100 && unfinished == WHERRY_OK; ++round) {
    int32_t status = WHERRY_OK;
    for (; next < FLOOD_MAX && status == WHERRY_OK; ++next) {
      status = wherry_submit(two.bob, two.to_alice, ref_of(next), WHERRY_CONTENT_DATA, body,
                             sizeof body, details());
    }
    CHECK_FAILS(WHERRY_E_AGAIN, status);
    unfinished = wherry_sync(two.bob, 0, details());
  }
  CHECK_FAILS(WHERRY_E_TIMEOUT, unfinished);
  CHECK_OK(wherry_sync(two.bob, WAIT_MS, details()));
}

int main(void) {
  two = meet("-bulk");
  submitted_twice_received_once();
  a_full_queue_says_so();
  a_queue_full_of_bytes_says_so();
  CHECK_OK(wherry_close(two.alice));
  CHECK_OK(wherry_close(two.bob));
  return check_result();
}
