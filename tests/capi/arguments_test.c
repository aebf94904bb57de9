/*
 * What a caller may get wrong: NULL, lengths, unknown values, bad UTF-8; for sizes of structs see
 * sizes_test.c. Each gives its own status, fills the error, and touches no output.
 */
#include <stdlib.h>
#include <string.h>

#include "check.h"
#include "support.h"

/* Not UTF-8: a stray continuation, a lone lead, overlong, a surrogate, above U+10FFFF, cut. */
static const char* const bad_texts[] = {"\x80",         "a\xff",        "\xc0\xaf",
                                        "\xe0\x80\xaf", "\xed\xa0\x80", "\xf4\x90\x80\x80",
                                        "\xf0\x9f\x98", "caf\xc3",      "\xf8\x88\x80\x80\x80"};
enum { BAD_TEXTS = sizeof bad_texts / sizeof *bad_texts };

static const uint8_t* const text = (const uint8_t*)"text";
static struct pair two;

static void of_opening(void) {
  typedef int32_t (*opener)(wherry_profile*, const char*, const uint8_t*, size_t, int32_t,
                            const wherry_profile_options*, wherry_error*);
  static const opener openers[] = {wherry_profile_create, wherry_profile_open};
  uint8_t long_key[1025];
  char* long_path = malloc(100001);
  memset(long_key, 'k', sizeof long_key);
  memset(long_path, 'p', 100000);
  long_path[100000] = 0;
  for (size_t i = 0; i < 2; ++i) {
    const opener call = openers[i];
    const char* path = scratch("nobody");
    wherry_profile out = {42};
    wherry_profile_options options = test_options();
    const int32_t raw = WHERRY_KEY_RAW, phrase = WHERRY_KEY_PASSPHRASE;
    CHECK_FAILS(WHERRY_E_ARGUMENT, call(NULL, path, test_key, 32, raw, &options, details()));
    CHECK_FAILS(WHERRY_E_ARGUMENT, call(&out, NULL, test_key, 32, raw, &options, details()));
    CHECK_FAILS(WHERRY_E_ARGUMENT, call(&out, "", test_key, 32, raw, &options, details()));
    CHECK_FAILS(WHERRY_E_ARGUMENT, call(&out, long_path, test_key, 32, raw, &options, details()));
    CHECK_FAILS(WHERRY_E_ARGUMENT, call(&out, path, NULL, 32, raw, &options, details()));
    CHECK_FAILS(WHERRY_E_ARGUMENT, call(&out, path, test_key, 0, raw, &options, details()));
    CHECK_FAILS(WHERRY_E_ARGUMENT, call(&out, path, test_key, 31, raw, &options, details()));
    CHECK_FAILS(WHERRY_E_ARGUMENT, call(&out, path, long_key, 33, raw, &options, details()));
    CHECK_FAILS(WHERRY_E_ARGUMENT, call(&out, path, test_key, SIZE_MAX, raw, &options, details()));
    CHECK_FAILS(WHERRY_E_ARGUMENT, call(&out, path, long_key, 0, phrase, &options, details()));
    CHECK_FAILS(WHERRY_E_ARGUMENT, call(&out, path, long_key, 1025, phrase, &options, details()));
    CHECK_FAILS(WHERRY_E_ARGUMENT,
                call(&out, path, long_key, SIZE_MAX, phrase, &options, details()));
    CHECK_FAILS(WHERRY_E_ARGUMENT, call(&out, path, test_key, 32, 0, &options, details()));
    CHECK_FAILS(WHERRY_E_ARGUMENT, call(&out, path, test_key, 32, 3, &options, details()));
    CHECK_FAILS(WHERRY_E_ARGUMENT, call(&out, path, test_key, 32, INT32_MIN, &options, details()));
    for (size_t bad = 0; bad < BAD_TEXTS; ++bad) {
      CHECK_FAILS(WHERRY_E_UTF8,
                  call(&out, bad_texts[bad], test_key, 32, raw, &options, details()));
    }
    options.durability = 2;
    CHECK_FAILS(WHERRY_E_ARGUMENT, call(&out, path, test_key, 32, raw, &options, details()));
    options = test_options();
    for (int32_t bad = -1; bad <= 4; bad += 5) {
      options.log_level = bad;
      CHECK_FAILS(WHERRY_E_ARGUMENT, call(&out, path, test_key, 32, raw, &options, details()));
    }
    options = test_options();
    options.plugins = NULL;
    CHECK_FAILS(WHERRY_E_ARGUMENT, call(&out, path, test_key, 32, raw, &options, details()));
    options = test_options();
    options.size = 0;
    CHECK_FAILS(WHERRY_E_SIZE, call(&out, path, test_key, 32, raw, &options, details()));
    CHECK_INT(out.id, 42);
  }
  free(long_path);
}

static void of_plugins(void) {
  wherry_profile out = {42};
  wherry_profile_options options = test_options();
  const wherry_transport_plugin* const none[] = {NULL};
  options.plugins = none;
  CHECK_FAILS(WHERRY_E_ARGUMENT, wherry_profile_create(&out, scratch("plugins"), test_key, 32,
                                                       WHERRY_KEY_RAW, &options, details()));
  const wherry_transport_plugin* const twice[] = {test_options().plugins[0],
                                                  test_options().plugins[0]};
  options.plugins = twice;
  options.plugin_count = 2;
  CHECK_FAILS(WHERRY_E_ARGUMENT, wherry_profile_create(&out, scratch("plugins"), test_key, 32,
                                                       WHERRY_KEY_RAW, &options, details()));
  CHECK_INT(out.id, 42);
  /* Nothing was left behind that would stand in the way. */
  CHECK_OK(wherry_close(create("plugins")));
}

static void of_outputs(void) {
  const wherry_profile me = two.alice;
  char card[WHERRY_CARD_TEXT_SIZE];
  CHECK_FAILS(WHERRY_E_ARGUMENT, wherry_identity(me, NULL, details()));
  CHECK_INT(wherry_identity(me, NULL, NULL), WHERRY_E_ARGUMENT);
  CHECK_FAILS(WHERRY_E_ARGUMENT, wherry_transport_add(me, NULL, "loopback", NULL, 0, details()));
  CHECK_FAILS(WHERRY_E_ARGUMENT, wherry_transport_list(me, NULL, details()));
  CHECK_FAILS(WHERRY_E_ARGUMENT, wherry_transport_describe(me, NULL, "loopback", details()));
  CHECK_FAILS(WHERRY_E_ARGUMENT,
              wherry_card_make(me, NULL, sizeof card, two.alice_transport, 0, details()));
  CHECK_FAILS(WHERRY_E_ARGUMENT, wherry_card_parse(NULL, "wherry:", details()));
  CHECK_FAILS(WHERRY_E_ARGUMENT, wherry_contact_add(me, NULL, "wherry:", NULL, details()));
  CHECK_FAILS(WHERRY_E_ARGUMENT, wherry_contact_list(me, NULL, 0, 10, details()));
  CHECK_FAILS(WHERRY_E_ARGUMENT, wherry_conversation_list(me, NULL, 0, 10, details()));
  CHECK_FAILS(WHERRY_E_ARGUMENT, wherry_conversation_with(me, NULL, 1, details()));
  CHECK_FAILS(WHERRY_E_ARGUMENT,
              wherry_send(me, NULL, two.to_bob, NULL, WHERRY_CONTENT_TEXT, text, 4, details()));
  CHECK_FAILS(WHERRY_E_ARGUMENT, wherry_history(me, NULL, two.to_bob, 0, 0, 10, details()));
  CHECK_FAILS(WHERRY_E_ARGUMENT, wherry_message_get(me, NULL, 1, details()));
  CHECK_FAILS(WHERRY_E_ARGUMENT, wherry_next_event(me, NULL, 0, details()));
  CHECK_FAILS(WHERRY_E_ARGUMENT, wherry_wait_handle(me, NULL, details()));
}

static void of_texts(void) {
  const wherry_profile me = two.alice;
  uint64_t id = 42;
  wherry_page* page = NULL;
  char name[WHERRY_NAME_SIZE_MAX + 2], card[WHERRY_CARD_TEXT_SIZE];
  const wherry_profile carol = create("carol");
  const uint64_t transport = go_online(carol, hub_name("texts"));
  MUST(wherry_card_make(carol, card, sizeof card, transport, 0, details()));
  CHECK_FAILS(WHERRY_E_ARGUMENT, wherry_transport_add(me, &id, NULL, NULL, 0, details()));
  CHECK_FAILS(WHERRY_E_ARGUMENT, wherry_transport_describe(me, &page, NULL, details()));
  CHECK_FAILS(WHERRY_E_ARGUMENT, wherry_card_parse(&page, NULL, details()));
  CHECK_FAILS(WHERRY_E_ARGUMENT, wherry_contact_add(me, &id, NULL, NULL, details()));
  for (size_t bad = 0; bad < BAD_TEXTS; ++bad) {
    const char* wrong = bad_texts[bad];
    CHECK_FAILS(WHERRY_E_UTF8, wherry_transport_add(me, &id, wrong, NULL, 0, details()));
    CHECK_FAILS(WHERRY_E_UTF8, wherry_transport_describe(me, &page, wrong, details()));
    CHECK_FAILS(WHERRY_E_UTF8, wherry_card_parse(&page, wrong, details()));
    CHECK_FAILS(WHERRY_E_UTF8, wherry_contact_add(me, &id, wrong, NULL, details()));
    CHECK_FAILS(WHERRY_E_UTF8, wherry_contact_add(me, &id, card, wrong, details()));
    CHECK_FAILS(WHERRY_E_UTF8, wherry_contact_accept(me, 1, wrong, details()));
    CHECK_FAILS(WHERRY_E_UTF8, wherry_send(me, &id, two.to_bob, NULL, WHERRY_CONTENT_TEXT,
                                           (const uint8_t*)wrong, strlen(wrong), details()));
    CHECK_FAILS(WHERRY_E_UTF8, wherry_submit(me, two.to_bob, ref_of(1), WHERRY_CONTENT_TEXT,
                                             (const uint8_t*)wrong, strlen(wrong), details()));
  }
  memset(name, 'n', sizeof name);
  name[256] = 0;
  CHECK_FAILS(WHERRY_E_TOO_LARGE, wherry_contact_add(me, &id, card, name, details()));
  CHECK_FAILS(WHERRY_E_TOO_LARGE, wherry_contact_accept(me, 1, name, details()));
  CHECK_FAILS(WHERRY_E_NOT_FOUND, wherry_transport_add(me, &id, name, NULL, 0, details()));
  CHECK_FAILS(WHERRY_E_NOT_FOUND, wherry_transport_describe(me, &page, name, details()));
  CHECK_INT(id, 42);
  CHECK(page == NULL);
  name[255] = 0;
  CHECK_OK(wherry_contact_add(me, &id, card, name, details()));
  CHECK_OK(wherry_contact_list(me, &page, id - 1, 1, details()));
  CHECK_TEXT(wherry_page_contact(page, 0)->name, name);
  wherry_page_free(page);
  CHECK_OK(wherry_close(carol));
}

static void of_numbers(void) {
  const wherry_profile me = two.alice;
  wherry_page* page = NULL;
  static const uint32_t limits[] = {0, 1001, UINT32_MAX};
  for (size_t i = 0; i < 3; ++i) {
    CHECK_FAILS(WHERRY_E_ARGUMENT, wherry_contact_list(me, &page, 0, limits[i], details()));
    CHECK_FAILS(WHERRY_E_ARGUMENT, wherry_conversation_list(me, &page, 0, limits[i], details()));
    CHECK_FAILS(WHERRY_E_ARGUMENT,
                wherry_history(me, &page, two.to_bob, 0, 0, limits[i], details()));
  }
  static const int32_t directions[] = {-1, 2, INT32_MAX};
  for (size_t i = 0; i < 3; ++i) {
    CHECK_FAILS(WHERRY_E_ARGUMENT,
                wherry_history(me, &page, two.to_bob, 0, directions[i], 10, details()));
  }
  CHECK(page == NULL);
  static const uint32_t fine[] = {1, 1000};
  for (size_t i = 0; i < 2; ++i) {
    CHECK_OK(wherry_contact_list(me, &page, 0, fine[i], details()));
    CHECK(wherry_page_count(page) >= 1);
    wherry_page_free(page);
    CHECK_OK(wherry_history(me, &page, two.to_bob, 0, 0, fine[i], details()));
    CHECK_INT(wherry_page_count(page), 1);
    wherry_page_free(page);
  }
  char card[WHERRY_CARD_TEXT_SIZE] = "as it was";
  const uint64_t transport = two.alice_transport;
  CHECK_FAILS(WHERRY_E_TOO_LARGE, wherry_card_make(me, card, 0, transport, 0, details()));
  CHECK_FAILS(WHERRY_E_TOO_LARGE, wherry_card_make(me, card, 10, transport, 0, details()));
  CHECK_FAILS(WHERRY_E_ARGUMENT,
              wherry_card_make(me, card, sizeof card, transport, 365 * 86400 + 1, details()));
  CHECK_FAILS(WHERRY_E_ARGUMENT,
              wherry_card_make(me, card, sizeof card, transport, UINT32_MAX, details()));
  CHECK_TEXT(card, "as it was");
}

static void of_messages(void) {
  static uint8_t body[WHERRY_BODY_SIZE_MAX + 1];
  const wherry_profile me = two.alice;
  const int32_t data = WHERRY_CONTENT_DATA;
  uint64_t id = 42;
  CHECK_FAILS(WHERRY_E_ARGUMENT, wherry_send(me, &id, two.to_bob, NULL, data, NULL, 1, details()));
  CHECK_FAILS(WHERRY_E_TOO_LARGE,
              wherry_send(me, &id, two.to_bob, NULL, data, body, sizeof body, details()));
  CHECK_FAILS(WHERRY_E_TOO_LARGE,
              wherry_send(me, &id, two.to_bob, NULL, data, body, SIZE_MAX, details()));
  CHECK_FAILS(WHERRY_E_ARGUMENT, wherry_submit(me, two.to_bob, NULL, data, body, 1, details()));
  CHECK_FAILS(WHERRY_E_TOO_LARGE,
              wherry_submit(me, two.to_bob, ref_of(9), data, body, sizeof body, details()));
  static const int32_t contents[] = {0, 3, -1, INT32_MAX};
  for (size_t i = 0; i < 4; ++i) {
    CHECK_FAILS(WHERRY_E_ARGUMENT,
                wherry_send(me, &id, two.to_bob, NULL, contents[i], text, 4, details()));
    CHECK_FAILS(WHERRY_E_ARGUMENT,
                wherry_submit(me, two.to_bob, ref_of(9), contents[i], text, 4, details()));
  }
  CHECK_INT(id, 42);
  CHECK_OK(wherry_send(me, &id, two.to_bob, NULL, data, body, WHERRY_BODY_SIZE_MAX, details()));
  CHECK_OK(wherry_send(me, &id, two.to_bob, NULL, data, NULL, 0, details()));
  wherry_event* event = await_event(two.bob, WHERRY_EVENT_MESSAGE, WHERRY_FIELD_CONTENT, data);
  size_t size = 0;
  const uint8_t* came = wherry_event_bytes(event, &size, WHERRY_FIELD_BODY);
  CHECK_INT(size, WHERRY_BODY_SIZE_MAX);
  CHECK(came != NULL && memcmp(came, body, size) == 0);
  wherry_event_free(event);
  event = await_event(two.bob, WHERRY_EVENT_MESSAGE, WHERRY_FIELD_CONTENT, data);
  CHECK(wherry_event_bytes(event, &size, WHERRY_FIELD_BODY) != NULL);
  CHECK_INT(size, 0);
  wherry_event_free(event);
}

/* Ids that name nothing: 0, a small one, and numbers whose upper bits are set. */
static void of_ids(void) {
  const wherry_profile me = two.alice;
  static const uint64_t ids[] = {0, 987654, 1ull << 63, (1ull << 63) + 1, UINT64_MAX};
  for (size_t i = 0; i < sizeof ids / sizeof *ids; ++i) {
    const uint64_t id = ids[i];
    uint64_t out = 42;
    wherry_page* page = NULL;
    char card[WHERRY_CARD_TEXT_SIZE] = "";
    CHECK_FAILS(WHERRY_E_NOT_FOUND, wherry_transport_set(me, id, NULL, 0, details()));
    CHECK_FAILS(WHERRY_E_NOT_FOUND, wherry_transport_start(me, id, details()));
    CHECK_FAILS(WHERRY_E_NOT_FOUND, wherry_transport_stop(me, id, details()));
    CHECK_FAILS(WHERRY_E_NOT_FOUND, wherry_card_make(me, card, sizeof card, id, 0, details()));
    CHECK_FAILS(WHERRY_E_NOT_FOUND, wherry_contact_accept(me, id, NULL, details()));
    CHECK_FAILS(WHERRY_E_NOT_FOUND, wherry_conversation_with(me, &out, id, details()));
    CHECK_FAILS(WHERRY_E_NOT_FOUND,
                wherry_send(me, &out, id, NULL, WHERRY_CONTENT_TEXT, text, 4, details()));
    CHECK_FAILS(WHERRY_E_NOT_FOUND, wherry_history(me, &page, id, 0, 0, 10, details()));
    CHECK_FAILS(WHERRY_E_NOT_FOUND, wherry_message_get(me, &page, id, details()));
    CHECK_FAILS(WHERRY_E_ARGUMENT, wherry_event_ack(me, id, details()));
    CHECK_INT(out, 42);
    CHECK(page == NULL);
    if (id == 0) continue;
    /* As a cursor, such an id is behind everything. */
    CHECK_OK(wherry_contact_list(me, &page, id, 10, details()));
    CHECK_INT(wherry_page_count(page), 0);
    wherry_page_free(page);
    CHECK_OK(wherry_conversation_list(me, &page, id, 10, details()));
    CHECK_INT(wherry_page_count(page), 0);
    wherry_page_free(page);
    page = NULL;
    CHECK_FAILS(WHERRY_E_NOT_FOUND, wherry_history(me, &page, two.to_bob, id, 0, 10, details()));
    CHECK(page == NULL);
  }
  /* A submitted one fails at the sync, once. */
  CHECK_OK(wherry_submit(me, 987654, ref_of(77), WHERRY_CONTENT_TEXT, text, 4, details()));
  CHECK_FAILS(WHERRY_E_NOT_FOUND, wherry_sync(me, WAIT_MS, details()));
  CHECK_OK(wherry_sync(me, WAIT_MS, details()));
}

int main(void) {
  two = meet("-arguments");
  of_opening();
  of_plugins();
  of_outputs();
  of_texts();
  of_numbers();
  of_messages();
  of_ids();
  CHECK_OK(wherry_close(two.alice));
  CHECK_OK(wherry_close(two.bob));
  return check_result();
}
