/* Any function from any thread at any time: four threads do everything at once for two seconds, and
 * then every message that was promised is on the other side, once. */
#include <pthread.h>
#include <stdatomic.h>
#include <string.h>

#include "check.h"
#include "json.h"
#include "support.h"

enum { THREADS = 4, DURATION_MS = 2000, SENT_MAX = 3000 };

static struct pair two;
static atomic_uint submitted, received;
static atomic_int stop;

static void* talk(void* unused) {
  (void)unused;
  for (uint32_t round = 0; !atomic_load(&stop) && round < SENT_MAX; ++round) {
    const uint32_t number = atomic_fetch_add(&submitted, 1);
    int32_t status = WHERRY_OK;
    do {
      status = wherry_submit(two.alice, two.to_bob, ref_of(number), WHERRY_CONTENT_DATA,
                             (const uint8_t*)&number, sizeof number, details());
    } while (status == WHERRY_E_AGAIN);
    CHECK_OK(status);
    if (round % 16 == 0) CHECK_OK(wherry_sync(two.alice, WAIT_MS, details()));
    if (round % 64 == 0) send_text(two.bob, two.to_alice, "noted");
  }
  return NULL;
}

static void* listen(void* unused) {
  (void)unused;
  while (!atomic_load(&stop)) {
    wherry_event* event = NULL;
    const int32_t status = wherry_next_event(two.bob, &event, 10, details());
    if (status != WHERRY_OK) {
      CHECK_FAILS(WHERRY_E_TIMEOUT, status);
      continue;
    }
    if (wherry_event_kind(event) == WHERRY_EVENT_MESSAGE) atomic_fetch_add(&received, 1);
    CHECK(is_json(wherry_event_json(event)));
    if (wherry_event_seq(event) != 0) {
      CHECK_OK(wherry_event_ack(two.bob, wherry_event_seq(event), details()));
    }
    wherry_event_free(event);
  }
  return NULL;
}

static void* read(void* unused) {
  (void)unused;
  while (!atomic_load(&stop)) {
    wherry_page* page = NULL;
    uint64_t same = 0;
    CHECK_OK(
        wherry_history(two.alice, &page, two.to_bob, 0, WHERRY_DIRECTION_OLDER, 50, details()));
    CHECK(is_json(wherry_page_json(page)));
    const size_t count = wherry_page_count(page);
    CHECK(count > 0);
    const uint64_t message = wherry_page_message(page, count - 1)->message;
    wherry_page_free(page);
    CHECK_OK(wherry_message_get(two.alice, &page, message, details()));
    wherry_page_free(page);
    CHECK_OK(wherry_contact_list(two.bob, &page, 0, 10, details()));
    CHECK_OK(
        wherry_conversation_with(two.bob, &same, wherry_page_contact(page, 0)->contact, details()));
    CHECK_INT(same, two.to_alice);
    wherry_page_free(page);
    CHECK_OK(wherry_conversation_list(two.alice, &page, 0, 10, details()));
    wherry_page_free(page);
  }
  return NULL;
}

static void* fiddle(void* unused) {
  (void)unused;
  while (!atomic_load(&stop)) {
    char card[WHERRY_CARD_TEXT_SIZE];
    uint8_t identity[WHERRY_IDENTITY_SIZE];
    int32_t handle = -1;
    wherry_page* page = NULL;
    wherry_event* event = NULL;
    CHECK_OK(wherry_transport_stop(two.alice, two.alice_transport, details()));
    CHECK_OK(wherry_transport_start(two.alice, two.alice_transport, details()));
    CHECK_OK(wherry_transport_list(two.alice, &page, details()));
    wherry_page_free(page);
    await_state(two.alice, two.alice_transport, WHERRY_TRANSPORT_STATE_ONLINE);
    CHECK_OK(wherry_card_make(two.bob, card, sizeof card, two.bob_transport, 0, details()));
    CHECK_OK(wherry_card_parse(&page, card, details()));
    wherry_page_free(page);
    CHECK_OK(wherry_identity(two.alice, identity, details()));
    CHECK_OK(wherry_wait_handle(two.alice, &handle, details()));
    while (wherry_next_event(two.alice, &event, 0, NULL) == WHERRY_OK) wherry_event_free(event);
    const wherry_profile brief = create("brief");
    CHECK_OK(wherry_close(brief));
    remove_tree(scratch("brief"));
  }
  return NULL;
}

/* Bob's history has every number once. */
static void check_arrived(uint32_t count) {
  static uint8_t seen[SENT_MAX];
  uint64_t from = 0;
  for (size_t found = 1000; found == 1000;) {
    wherry_page* page = NULL;
    MUST(wherry_history(two.bob, &page, two.to_alice, from, WHERRY_DIRECTION_NEWER, 1000,
                        details()));
    found = wherry_page_count(page);
    for (size_t i = 0; i < found; ++i) {
      const wherry_message* message = wherry_page_message(page, i);
      from = message->message;
      if (message->content != WHERRY_CONTENT_DATA) continue;
      uint32_t number = UINT32_MAX;
      memcpy(&number, message->body, sizeof number);
      check_must(CHECK(number < count));
      CHECK_INT(seen[number]++, 0);
    }
    wherry_page_free(page);
  }
  for (uint32_t number = 0; number < count; ++number) CHECK_INT(seen[number], 1);
}

int main(void) {
  static void* (*const work[THREADS])(void*) = {talk, listen, read, fiddle};
  pthread_t threads[THREADS];
  two = meet("-threads");
  drain(two.bob, 100);
  for (size_t i = 0; i < THREADS; ++i) pthread_create(&threads[i], NULL, work[i], NULL);
  pause_ms(DURATION_MS);
  atomic_store(&stop, 1);
  for (size_t i = 0; i < THREADS; ++i) pthread_join(threads[i], NULL);
  CHECK_OK(wherry_sync(two.alice, WAIT_MS, details()));
  const unsigned count = atomic_load(&submitted);
  CHECK(count > 0);

  const int64_t deadline = now_ms() + 3 * WAIT_MS;
  while (atomic_load(&received) < count && now_ms() < deadline) {
    wherry_event* event = NULL;
    if (wherry_next_event(two.bob, &event, 100, NULL) != WHERRY_OK) continue;
    if (wherry_event_kind(event) == WHERRY_EVENT_MESSAGE) atomic_fetch_add(&received, 1);
    wherry_event_free(event);
  }
  CHECK_INT(atomic_load(&received), count);
  check_arrived(count);
  CHECK_OK(wherry_close(two.alice));
  CHECK_OK(wherry_close(two.bob));
  return check_result();
}
