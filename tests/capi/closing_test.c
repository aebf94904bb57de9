/* Closing while others wait, send, or close too. */
#include <pthread.h>
#include <stdatomic.h>
#include <string.h>

#include "check.h"
#include "support.h"

enum { PROMPTLY_MS = 2000, CLOSE_MS = 5500, SENDERS = 4, WAITERS = 3 };

static struct pair two;
static atomic_int running;

static void* wait_for_ever(void* unused) {
  (void)unused;
  wherry_event* event = NULL;
  int32_t status = WHERRY_OK;
  atomic_fetch_add(&running, 1);
  while ((status = wherry_next_event(two.alice, &event, -1, details())) == WHERRY_OK) {
    wherry_event_free(event);
    event = NULL;
  }
  CHECK_FAILS(WHERRY_E_CLOSED, status);
  CHECK(event == NULL);
  return NULL;
}

static void those_who_wait_are_told(void) {
  pthread_t waiters[WAITERS];
  two = meet("-waiting");
  atomic_store(&running, 0);
  for (size_t i = 0; i < WAITERS; ++i) pthread_create(&waiters[i], NULL, wait_for_ever, NULL);
  while (atomic_load(&running) < WAITERS) pause_ms(1);
  pause_ms(50); /* until they are within the call: closing must be right before that, too */
  const int64_t from = now_ms();
  CHECK_OK(wherry_close(two.alice));
  CHECK(now_ms() - from < PROMPTLY_MS);
  CHECK_OK(wherry_close(reopen("alice-waiting"))); /* its files are free as soon as it returns */
  for (size_t i = 0; i < WAITERS; ++i) pthread_join(waiters[i], NULL);
  CHECK(now_ms() - from < PROMPTLY_MS);
  CHECK_OK(wherry_close(two.bob));
}

static void* close_alice(void* status) {
  *(int32_t*)status = wherry_close(two.alice);
  return NULL;
}

static void of_two_who_close_one_does(void) {
  two.alice = create("twice");
  for (int round = 0; round < 20; ++round) {
    pthread_t other;
    int32_t theirs = -1;
    pthread_create(&other, NULL, close_alice, &theirs);
    const int32_t mine = wherry_close(two.alice);
    pthread_join(other, NULL);
    CHECK((mine == WHERRY_OK) != (theirs == WHERRY_OK));
    CHECK_INT(mine + theirs, WHERRY_E_HANDLE);
    two.alice = reopen("twice");
  }
  CHECK_OK(wherry_close(two.alice));
}

/* Sends until it is refused; how often it was told WHERRY_OK. */
static void* flood(void* number) {
  const uint32_t who = *(uint32_t*)number;
  uint32_t sent = 0;
  int32_t status = WHERRY_OK;
  atomic_fetch_add(&running, 1);
  for (;; ++sent) {
    uint64_t message = 0;
    status = wherry_send(two.alice, &message, two.to_bob, ref_of(who << 24 | sent),
                         WHERRY_CONTENT_TEXT, (const uint8_t*)"flood", 5, details());
    if (status != WHERRY_OK) break;
  }
  CHECK(status == WHERRY_E_CLOSED || status == WHERRY_E_HANDLE);
  *(uint32_t*)number = sent;
  return NULL;
}

static void in_a_flood_nothing_promised_is_lost(void) {
  pthread_t senders[SENDERS];
  uint32_t numbers[SENDERS], promised = 0;
  two = meet("-flood");
  atomic_store(&running, 0);
  for (uint32_t i = 0; i < SENDERS; ++i) {
    numbers[i] = i + 1;
    pthread_create(&senders[i], NULL, flood, &numbers[i]);
  }
  while (atomic_load(&running) < SENDERS) pause_ms(1);
  pause_ms(100);
  const int64_t from = now_ms();
  CHECK_OK(wherry_close(two.alice));
  CHECK(now_ms() - from < CLOSE_MS);
  for (size_t i = 0; i < SENDERS; ++i) {
    pthread_join(senders[i], NULL);
    promised += numbers[i];
  }
  CHECK(promised > 0);

  two.alice = reopen("alice-flood");
  uint64_t after = 0;
  uint32_t kept = 0;
  for (;;) {
    wherry_page* page = NULL;
    MUST(wherry_history(two.alice, &page, two.to_bob, after, WHERRY_DIRECTION_NEWER, 1000,
                        details()));
    const size_t count = wherry_page_count(page);
    kept += (uint32_t)count;
    if (count > 0) after = wherry_page_message(page, count - 1)->message;
    wherry_page_free(page);
    if (count < 1000) break;
  }
  CHECK(kept >= promised + 1); /* and the greeting */
  CHECK(kept <= promised + 1 + SENDERS);
  CHECK_OK(wherry_close(two.alice));
  CHECK_OK(wherry_close(two.bob));
}

/* What was submitted without a sync is committed by closing. */
static void closing_commits_what_was_submitted(void) {
  enum { COUNT = 500 };
  wherry_page* page = NULL;
  two = meet("-submitted");
  for (uint32_t i = 0; i < COUNT; ++i) {
    CHECK_OK(wherry_submit(two.alice, two.to_bob, ref_of(i), WHERRY_CONTENT_TEXT,
                           (const uint8_t*)"last words", 10, details()));
  }
  CHECK_OK(wherry_close(two.alice));
  two.alice = reopen("alice-submitted");
  CHECK_OK(
      wherry_history(two.alice, &page, two.to_bob, 0, WHERRY_DIRECTION_OLDER, 1000, details()));
  CHECK_INT(wherry_page_count(page), COUNT + 1);
  wherry_page_free(page);
  CHECK_OK(wherry_close(two.alice));
  CHECK_OK(wherry_close(two.bob));
}

/* Pages and events outlive the profile they came from. */
static void what_was_given_stays_valid(void) {
  two = meet("-given");
  wherry_page* page = NULL;
  CHECK_OK(wherry_contact_list(two.bob, &page, 0, 10, details()));
  wherry_event* event = await_event(two.bob, WHERRY_EVENT_MESSAGE, 0, 0);
  CHECK_OK(wherry_close(two.alice));
  CHECK_OK(wherry_close(two.bob));
  size_t size = 0;
  const uint8_t* body = wherry_event_bytes(event, &size, WHERRY_FIELD_BODY);
  CHECK_INT(size, 13);
  CHECK(memcmp(body, "hello, may I?", size) == 0);
  CHECK(wherry_event_json(event) != NULL);
  CHECK_TEXT(wherry_page_contact(page, 0)->name, "Alice");
  CHECK(wherry_page_json(page) != NULL);
  wherry_event_free(event);
  wherry_page_free(page);
}

int main(void) {
  those_who_wait_are_told();
  of_two_who_close_one_does();
  in_a_flood_nothing_promised_is_lost();
  closing_commits_what_was_submitted();
  what_was_given_stays_valid();
  return check_result();
}
