/* The feed: its order, its repetition after a restart, its fields and its JSON. */
#include <string.h>

#include "check.h"
#include "json.h"
#include "support.h"

enum { INTEGER = 1, BYTES = 2, TEXT = 3, FIELDS = WHERRY_FIELD_COUNT };

static const int field_types[FIELDS + 1] = {
    [WHERRY_FIELD_CONTACT] = INTEGER,     [WHERRY_FIELD_CONVERSATION] = INTEGER,
    [WHERRY_FIELD_MESSAGE] = INTEGER,     [WHERRY_FIELD_MESSAGE_ID] = BYTES,
    [WHERRY_FIELD_AUTHOR] = INTEGER,      [WHERRY_FIELD_CONTENT] = INTEGER,
    [WHERRY_FIELD_BODY] = BYTES,          [WHERRY_FIELD_SENT_MS] = INTEGER,
    [WHERRY_FIELD_RECEIVED_MS] = INTEGER, [WHERRY_FIELD_EVIDENCE] = INTEGER,
    [WHERRY_FIELD_REASON] = INTEGER,      [WHERRY_FIELD_STATE] = INTEGER,
    [WHERRY_FIELD_TRANSPORT] = INTEGER,   [WHERRY_FIELD_PERCENT] = INTEGER,
    [WHERRY_FIELD_PHASE] = TEXT,          [WHERRY_FIELD_IDENTITY] = BYTES,
    [WHERRY_FIELD_COUNT] = INTEGER};

/* The fields of each type, as wherry_schema.h lists them; a bit for each. */
#define HAS(field) (1u << (field))
static const unsigned event_fields[] = {
    [WHERRY_EVENT_MESSAGE] =
        HAS(WHERRY_FIELD_CONVERSATION) | HAS(WHERRY_FIELD_MESSAGE) | HAS(WHERRY_FIELD_MESSAGE_ID) |
        HAS(WHERRY_FIELD_AUTHOR) | HAS(WHERRY_FIELD_CONTENT) | HAS(WHERRY_FIELD_BODY) |
        HAS(WHERRY_FIELD_SENT_MS) | HAS(WHERRY_FIELD_RECEIVED_MS) | HAS(WHERRY_FIELD_TRANSPORT),
    [WHERRY_EVENT_EVIDENCE] = HAS(WHERRY_FIELD_CONVERSATION) | HAS(WHERRY_FIELD_MESSAGE) |
                              HAS(WHERRY_FIELD_MESSAGE_ID) | HAS(WHERRY_FIELD_EVIDENCE) |
                              HAS(WHERRY_FIELD_REASON),
    [WHERRY_EVENT_WAITING] =
        HAS(WHERRY_FIELD_CONVERSATION) | HAS(WHERRY_FIELD_REASON) | HAS(WHERRY_FIELD_COUNT),
    [WHERRY_EVENT_CONTACT] = HAS(WHERRY_FIELD_CONTACT) | HAS(WHERRY_FIELD_STATE) |
                             HAS(WHERRY_FIELD_IDENTITY) | HAS(WHERRY_FIELD_CONVERSATION),
    [WHERRY_EVENT_SECURITY] = HAS(WHERRY_FIELD_CONTACT) | HAS(WHERRY_FIELD_REASON),
    [WHERRY_EVENT_TRANSPORT] = HAS(WHERRY_FIELD_TRANSPORT) | HAS(WHERRY_FIELD_STATE) |
                               HAS(WHERRY_FIELD_PERCENT) | HAS(WHERRY_FIELD_REASON) |
                               HAS(WHERRY_FIELD_PHASE),
    [WHERRY_EVENT_STORAGE] = HAS(WHERRY_FIELD_REASON)};

/* A field is there by its own type alone; any other gives 0 or NULL. */
static void check_fields(const wherry_event* event) {
  const int32_t kind = wherry_event_kind(event);
  check_must(CHECK(kind >= WHERRY_EVENT_MESSAGE && kind <= WHERRY_EVENT_STORAGE));
  for (int32_t field = 1; field <= FIELDS; ++field) {
    size_t length = 77;
    const int there = (event_fields[kind] & HAS(field)) != 0;
    const int bytes = there && field_types[field] != INTEGER;
    const uint8_t* value = wherry_event_bytes(event, &length, field);
    CHECK_INT(value != NULL, bytes);
    CHECK(value == wherry_event_bytes(event, NULL, field) || (bytes && length == 0));
    if (!bytes) CHECK_INT(length, 0);
    if (!there || bytes) CHECK_INT(wherry_event_integer(event, field), 0);
    if (bytes && field_types[field] == TEXT) CHECK_INT(value[length], 0);
  }
  static const int32_t unknown[] = {0, -1, FIELDS + 1, INT32_MAX, INT32_MIN};
  for (size_t i = 0; i < sizeof unknown / sizeof *unknown; ++i) {
    CHECK_INT(wherry_event_integer(event, unknown[i]), 0);
    CHECK(wherry_event_bytes(event, NULL, unknown[i]) == NULL);
  }
  const char* json = wherry_event_json(event);
  CHECK(is_json(json));
  CHECK(json == wherry_event_json(event));
  CHECK(has_member(json, "seq", "\""));
  CHECK_INT(has_member(json, "reason", ""), (event_fields[kind] & HAS(WHERRY_FIELD_REASON)) != 0);
  CHECK_INT(has_member(json, "body", "\""), kind == WHERRY_EVENT_MESSAGE);
}

static void message_fields(const wherry_event* event, const char* text) {
  size_t length = 0;
  const uint8_t* body = wherry_event_bytes(event, &length, WHERRY_FIELD_BODY);
  CHECK_INT(length, strlen(text));
  CHECK(body != NULL && memcmp(body, text, length) == 0);
  CHECK(wherry_event_bytes(event, &length, WHERRY_FIELD_MESSAGE_ID) != NULL);
  CHECK_INT(length, WHERRY_ID_SIZE);
  CHECK(wherry_event_integer(event, WHERRY_FIELD_CONVERSATION) > 0);
  CHECK(wherry_event_integer(event, WHERRY_FIELD_SENT_MS) > 0);
  CHECK(wherry_event_integer(event, WHERRY_FIELD_RECEIVED_MS) > 0);
}

/* What JSON must escape, and what it need not. */
static void json_of_any_text(struct pair* two) {
  static const char* const texts[] = {"plain",     "\"quoted\"\\",     "two\nlines\ttab\x01",
                                      "h\xc3\xa9", "\xf0\x9f\x9a\xa3", ""};
  static const char* const starts[] = {"\"plain\"", "\"\\\"quoted", "\"two\\nlines",
                                       "\"h",       "\"",           "\"\""};
  for (size_t i = 0; i < sizeof texts / sizeof *texts; ++i) {
    send_text(two->alice, two->to_bob, texts[i]);
    wherry_event* event = await_event(two->bob, WHERRY_EVENT_MESSAGE, 0, 0);
    message_fields(event, texts[i]);
    check_fields(event);
    CHECK(has_member(wherry_event_json(event), "text", starts[i]));
    CHECK(strpbrk(wherry_event_json(event), "\r\n") == NULL);
    CHECK_OK(wherry_event_ack(two->bob, wherry_event_seq(event), details()));
    wherry_event_free(event);
  }
}

/* All events until none has come for a while: their seqs rise. Returns the highest. */
static uint64_t check_all(wherry_profile profile) {
  uint64_t last = 0;
  wherry_event* event = NULL;
  while (wherry_next_event(profile, &event, 200, NULL) == WHERRY_OK) {
    const uint64_t seq = wherry_event_seq(event);
    const int32_t kind = wherry_event_kind(event);
    CHECK_INT(seq == 0, kind == WHERRY_EVENT_TRANSPORT || kind == WHERRY_EVENT_STORAGE);
    if (seq != 0) {
      CHECK(seq > last);
      last = seq;
    }
    check_fields(event);
    wherry_event_free(event);
  }
  return last;
}

/* The seqs of the messages that come until all is quiet. */
static size_t message_seqs(wherry_profile profile, uint64_t* seqs, size_t room) {
  size_t count = 0;
  wherry_event* event = NULL;
  while (wherry_next_event(profile, &event, 200, NULL) == WHERRY_OK) {
    if (wherry_event_kind(event) == WHERRY_EVENT_MESSAGE && count < room) {
      seqs[count++] = wherry_event_seq(event);
    }
    wherry_event_free(event);
  }
  return count;
}

static void what_was_not_acknowledged_comes_again(struct pair* two) {
  enum { COUNT = 10, KEPT = 4, ROOM = 64 };
  uint64_t first[ROOM], again[ROOM];
  drain(two->bob, 200);
  for (int i = 0; i < COUNT; ++i) send_text(two->alice, two->to_bob, "again");
  check_must(CHECK_INT(message_seqs(two->bob, first, ROOM), COUNT));
  CHECK_FAILS(WHERRY_E_ARGUMENT, wherry_event_ack(two->bob, 0, details()));
  CHECK_FAILS(WHERRY_E_ARGUMENT, wherry_event_ack(two->bob, first[COUNT - 1] + 1000, details()));

  CHECK_OK(wherry_close(two->bob));
  two->bob = reopen("bob-events");
  check_must(CHECK_INT(message_seqs(two->bob, again, ROOM), COUNT));
  CHECK(memcmp(first, again, COUNT * sizeof *first) == 0);

  CHECK_OK(wherry_event_ack(two->bob, first[KEPT - 1], details()));
  CHECK_OK(wherry_event_ack(two->bob, first[0], details())); /* an older one, to no effect */
  CHECK_OK(wherry_close(two->bob));
  two->bob = reopen("bob-events");
  check_must(CHECK_INT(message_seqs(two->bob, again, ROOM), COUNT - KEPT));
  CHECK(memcmp(first + KEPT, again, (COUNT - KEPT) * sizeof *first) == 0);

  drain(two->bob, 200);
  CHECK_OK(wherry_event_ack(two->bob, first[COUNT - 1], details()));
  CHECK_OK(wherry_close(two->bob));
  two->bob = reopen("bob-events");
  CHECK_INT(message_seqs(two->bob, again, ROOM), 0);

  /* Numbers go on rising although all before are forgotten. */
  send_text(two->alice, two->to_bob, "later");
  wherry_event* event = await_event(two->bob, WHERRY_EVENT_MESSAGE, 0, 0);
  CHECK(wherry_event_seq(event) > first[COUNT - 1]);
  wherry_event_free(event);
}

int main(void) {
  struct pair two = meet("-events");
  drain(two.bob, 200);
  json_of_any_text(&two);
  CHECK_OK(wherry_close(two.alice));
  two.alice = reopen("alice-events");
  CHECK(check_all(two.alice) > 0);
  what_was_not_acknowledged_comes_again(&two);
  CHECK_OK(wherry_close(two.alice));
  CHECK_OK(wherry_close(two.bob));
  return check_result();
}
