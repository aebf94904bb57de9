/* Two people: a request, its acceptance, messages both ways, and what each can read of it. */
#include <stdio.h>
#include <string.h>

#include "check.h"
#include "json.h"
#include "support.h"

static wherry_profile alice, bob;
static uint64_t alice_transport, bob_transport, bob_at_alice, alice_at_bob, to_bob, to_alice;

/* The one contact of a profile. */
static void check_contact(wherry_profile profile, int32_t state, const char* name) {
  wherry_page* page = NULL;
  MUST(wherry_contact_list(profile, &page, 0, 10, details()));
  CHECK_INT(wherry_page_count(page), 1);
  const wherry_contact* contact = wherry_page_contact(page, 0);
  CHECK_INT(contact->size, sizeof *contact);
  CHECK_INT(contact->state, state);
  CHECK_TEXT(contact->name, name);
  CHECK(contact->added_ms > 0);
  CHECK(is_json(wherry_page_json(page)));
  wherry_page_free(page);
}

static void check_message(wherry_profile profile, uint64_t message, int own, const char* text,
                          int32_t reason) {
  wherry_page* page = NULL;
  MUST(wherry_message_get(profile, &page, message, details()));
  CHECK_INT(wherry_page_count(page), 1);
  const wherry_message* found = wherry_page_message(page, 0);
  CHECK_INT(found->size, sizeof *found);
  CHECK_INT(found->message, message);
  CHECK_INT(found->author == 0, own);
  CHECK_INT(found->transport == 0, own);
  CHECK_INT(found->content, WHERRY_CONTENT_TEXT);
  CHECK_INT(found->body_size, strlen(text));
  CHECK(memcmp(found->body, text, found->body_size) == 0);
  CHECK_INT(found->reason, reason);
  CHECK(found->sent_ms > 0 && found->received_ms > 0);
  CHECK(is_json(wherry_page_json(page)));
  wherry_page_free(page);
}

/* Before there is a network, a message waits and says why, wherever it is read. */
static void a_message_waits_with_its_reason(void) {
  char card[WHERRY_CARD_TEXT_SIZE];
  wherry_page* page = NULL;
  bob_transport = go_online(bob, hub_name("talk"));
  MUST(wherry_card_make(bob, card, sizeof card, bob_transport, 0, details()));
  MUST(wherry_contact_add(alice, &bob_at_alice, card, "Bob", details()));
  MUST(wherry_conversation_with(alice, &to_bob, bob_at_alice, details()));
  check_contact(alice, WHERRY_CONTACT_STATE_ADDED, "Bob");
  const uint64_t message = send_text(alice, to_bob, "hello, may I?");
  const int64_t reason =
      await_integer(alice, WHERRY_EVENT_WAITING, WHERRY_FIELD_COUNT, 1, WHERRY_FIELD_REASON);
  CHECK_INT(reason, WHERRY_REASON_NO_TRANSPORT);
  check_message(alice, message, 1, "hello, may I?", WHERRY_REASON_NO_TRANSPORT);

  MUST(wherry_history(alice, &page, to_bob, 0, WHERRY_DIRECTION_OLDER, 10, details()));
  CHECK_INT(wherry_page_message(page, 0)->reason, WHERRY_REASON_NO_TRANSPORT);
  wherry_page_free(page);
  MUST(wherry_conversation_list(alice, &page, 0, 10, details()));
  CHECK_INT(wherry_page_count(page), 1);
  const wherry_conversation* conversation = wherry_page_conversation(page, 0);
  CHECK_INT(conversation->conversation, to_bob);
  CHECK_INT(conversation->contact, bob_at_alice);
  CHECK_INT(conversation->last_message, message);
  CHECK_INT(conversation->waiting_count, 1);
  CHECK_INT(conversation->waiting, WHERRY_REASON_NO_TRANSPORT);
  CHECK(has_member(wherry_page_json(page), "waiting_count", "\"1\""));
  wherry_page_free(page);
}

static void a_stranger_is_a_request(void) {
  uint64_t message = 42;
  alice_transport = go_online(alice, hub_name("talk"));
  wherry_event* event =
      await_event(bob, WHERRY_EVENT_CONTACT, WHERRY_FIELD_STATE, WHERRY_CONTACT_STATE_REQUEST);
  uint8_t identity[WHERRY_IDENTITY_SIZE];
  size_t size = 0;
  CHECK_OK(wherry_identity(alice, identity, details()));
  const uint8_t* theirs = wherry_event_bytes(event, &size, WHERRY_FIELD_IDENTITY);
  CHECK_INT(size, sizeof identity);
  CHECK(theirs != NULL && memcmp(theirs, identity, sizeof identity) == 0);
  alice_at_bob = (uint64_t)wherry_event_integer(event, WHERRY_FIELD_CONTACT);
  to_alice = (uint64_t)wherry_event_integer(event, WHERRY_FIELD_CONVERSATION);
  wherry_event_free(event);
  uint64_t same = 0;
  CHECK_OK(wherry_conversation_with(bob, &same, alice_at_bob, details()));
  CHECK_INT(same, to_alice);

  /* The request comes before the message, which can be read but not yet answered. */
  event = await_event(bob, WHERRY_EVENT_MESSAGE, WHERRY_FIELD_AUTHOR, (int64_t)alice_at_bob);
  check_message(bob, (uint64_t)wherry_event_integer(event, WHERRY_FIELD_MESSAGE), 0,
                "hello, may I?", WHERRY_REASON_NONE);
  wherry_event_free(event);
  CHECK_FAILS(WHERRY_E_STATE, wherry_send(bob, &message, to_alice, NULL, WHERRY_CONTENT_TEXT,
                                          (const uint8_t*)"no", 2, details()));
  CHECK_INT(message, 42);
  check_contact(bob, WHERRY_CONTACT_STATE_REQUEST, "");
  check_contact(alice, WHERRY_CONTACT_STATE_ADDED, "Bob");
}

static void an_accepted_one_can_be_answered(void) {
  CHECK_OK(wherry_contact_accept(bob, alice_at_bob, "Alice", details()));
  CHECK_OK(wherry_contact_accept(bob, alice_at_bob, NULL, details())); /* again, to no effect */
  check_contact(bob, WHERRY_CONTACT_STATE_CONNECTED, "Alice");
  send_text(bob, to_alice, "welcome");
  wherry_event* event =
      await_event(alice, WHERRY_EVENT_MESSAGE, WHERRY_FIELD_AUTHOR, (int64_t)bob_at_alice);
  check_message(alice, (uint64_t)wherry_event_integer(event, WHERRY_FIELD_MESSAGE), 0, "welcome",
                WHERRY_REASON_NONE);
  wherry_event_free(event);
  check_contact(alice, WHERRY_CONTACT_STATE_CONNECTED, "Bob");
}

static void evidence_rises_to_delivered(void) {
  const uint64_t message = send_text(alice, to_bob, "are you there?");
  int64_t evidence = WHERRY_EVIDENCE_QUEUED;
  while (evidence < WHERRY_EVIDENCE_DELIVERED) {
    wherry_event* event =
        await_event(alice, WHERRY_EVENT_EVIDENCE, WHERRY_FIELD_MESSAGE, (int64_t)message);
    const int64_t now = wherry_event_integer(event, WHERRY_FIELD_EVIDENCE);
    CHECK(now > evidence);
    CHECK_INT(wherry_event_integer(event, WHERRY_FIELD_CONVERSATION), to_bob);
    evidence = now;
    wherry_event_free(event);
  }
  CHECK_INT(evidence, WHERRY_EVIDENCE_DELIVERED);
  wherry_page* page = NULL;
  MUST(wherry_message_get(alice, &page, message, details()));
  CHECK_INT(wherry_page_message(page, 0)->evidence, WHERRY_EVIDENCE_DELIVERED);
  wherry_page_free(page);
}

static void a_ref_stands_for_one_message(void) {
  uint64_t first = 0, again = 0, other = 42;
  const uint8_t* text = (const uint8_t*)"once";
  CHECK_OK(wherry_send(alice, &first, to_bob, ref_of(1), WHERRY_CONTENT_TEXT, text, 4, details()));
  CHECK_OK(wherry_send(alice, &again, to_bob, ref_of(1), WHERRY_CONTENT_TEXT, text, 4, details()));
  CHECK_INT(again, first);
  CHECK_FAILS(WHERRY_E_REF, wherry_send(alice, &other, to_bob, ref_of(1), WHERRY_CONTENT_TEXT, text,
                                        3, details()));
  CHECK_FAILS(WHERRY_E_REF, wherry_send(alice, &other, to_bob, ref_of(1), WHERRY_CONTENT_DATA, text,
                                        4, details()));
  CHECK_INT(other, 42);
  CHECK_OK(wherry_submit(alice, to_bob, ref_of(1), WHERRY_CONTENT_TEXT, text, 4, details()));
  CHECK_OK(wherry_sync(alice, WAIT_MS, details()));
  CHECK_OK(wherry_submit(alice, to_bob, ref_of(1), WHERRY_CONTENT_TEXT, text, 2, details()));
  CHECK_FAILS(WHERRY_E_REF, wherry_sync(alice, WAIT_MS, details()));
  /* Also after the app came back, and without a ref each is a message of its own. */
  CHECK_OK(wherry_close(alice));
  alice = reopen("alice");
  CHECK_OK(wherry_send(alice, &again, to_bob, ref_of(1), WHERRY_CONTENT_TEXT, text, 4, details()));
  CHECK_INT(again, first);
  CHECK(send_text(alice, to_bob, "same") != send_text(alice, to_bob, "same"));
  await_integer(alice, WHERRY_EVENT_WAITING, WHERRY_FIELD_REASON, WHERRY_REASON_NONE,
                WHERRY_FIELD_COUNT);
}

/* Every message's id, oldest first, read `limit` at a time in one direction. */
static size_t read_history(wherry_profile profile, uint64_t conversation, int32_t direction,
                           uint32_t limit, uint8_t ids[][WHERRY_ID_SIZE], size_t room) {
  size_t count = 0;
  uint64_t from = 0;
  for (;;) {
    wherry_page* page = NULL;
    MUST(wherry_history(profile, &page, conversation, from, direction, limit, details()));
    const size_t found = wherry_page_count(page);
    CHECK(found <= limit);
    if (found > 0) {
      check_must(CHECK(count + found <= room));
      const int older = direction == WHERRY_DIRECTION_OLDER;
      if (older) memmove(ids[found], ids[0], count * sizeof ids[0]);
      for (size_t i = 0; i < found; ++i) {
        memcpy(ids[older ? i : count + i], wherry_page_message(page, i)->message_id, sizeof ids[0]);
      }
      from = wherry_page_message(page, older ? 0 : found - 1)->message;
      count += found;
    }
    wherry_page_free(page);
    if (found < limit) return count;
  }
}

static void both_read_the_same_history(void) {
  enum { ROOM = 64 };
  static uint8_t one[ROOM][WHERRY_ID_SIZE], two[ROOM][WHERRY_ID_SIZE];
  char text[32];
  for (int i = 0; i < 10; ++i) { /* crossing each other */
    snprintf(text, sizeof text, "line %d", i);
    send_text(alice, to_bob, text);
    send_text(bob, to_alice, text);
  }
  const int64_t deadline = now_ms() + WAIT_MS;
  const size_t all = 27; /* hello, welcome, are you there?, once, same, same, no answer lost */
  size_t count = 0;
  do {
    drain(alice, 50);
    drain(bob, 50);
    count = read_history(alice, to_bob, WHERRY_DIRECTION_OLDER, 7, one, ROOM);
    if (count == read_history(bob, to_alice, WHERRY_DIRECTION_OLDER, 1000, two, ROOM) &&
        count >= all - 1) {
      break;
    }
  } while (now_ms() < deadline);
  CHECK_INT(count, 26);
  CHECK(memcmp(one, two, count * WHERRY_ID_SIZE) == 0);
  static const uint32_t limits[] = {1, 5, 13, 26, 27, 1000};
  for (size_t i = 0; i < sizeof limits / sizeof *limits; ++i) {
    CHECK_INT(read_history(bob, to_alice, WHERRY_DIRECTION_NEWER, limits[i], two, ROOM), count);
    CHECK(memcmp(one, two, count * WHERRY_ID_SIZE) == 0);
    CHECK_INT(read_history(bob, to_alice, WHERRY_DIRECTION_OLDER, limits[i], two, ROOM), count);
    CHECK(memcmp(one, two, count * WHERRY_ID_SIZE) == 0);
  }
}

static void many_contacts_come_in_pages(void) {
  enum { COUNT = 12 };
  char card[WHERRY_CARD_TEXT_SIZE], name[32];
  for (int i = 0; i < COUNT; ++i) {
    uint64_t contact = 0;
    snprintf(name, sizeof name, "friend-%d", i);
    const wherry_profile friend = create(name);
    const uint64_t transport = go_online(friend, hub_name("talk"));
    MUST(wherry_card_make(friend, card, sizeof card, transport, 0, details()));
    MUST(wherry_contact_add(alice, &contact, card, name, details()));
    CHECK_OK(wherry_close(friend));
  }
  uint64_t contact = 0, conversation = 0;
  int seen = 0;
  for (size_t found = 5; found == 5;) {
    wherry_page *people = NULL, *talks = NULL;
    MUST(wherry_contact_list(alice, &people, contact, 5, details()));
    MUST(wherry_conversation_list(alice, &talks, conversation, 5, details()));
    found = wherry_page_count(people);
    CHECK_INT(wherry_page_count(talks), found);
    for (size_t i = 0; i < found; ++i, ++seen) {
      CHECK(wherry_page_contact(people, i)->contact > contact);
      CHECK(wherry_page_conversation(talks, i)->conversation > conversation);
      contact = wherry_page_contact(people, i)->contact;
      conversation = wherry_page_conversation(talks, i)->conversation;
      CHECK_INT(wherry_page_conversation(talks, i)->contact, contact);
      snprintf(name, sizeof name, "friend-%d", seen - 1);
      CHECK_TEXT(wherry_page_contact(people, i)->name, seen == 0 ? "Bob" : name);
    }
    CHECK(is_json(wherry_page_json(people)) && is_json(wherry_page_json(talks)));
    CHECK(wherry_page_message(people, 0) == NULL && wherry_page_contact(people, found) == NULL);
    wherry_page_free(people);
    wherry_page_free(talks);
  }
  CHECK_INT(seen, COUNT + 1);
}

int main(void) {
  alice = create("alice");
  bob = create("bob");
  a_message_waits_with_its_reason();
  a_stranger_is_a_request();
  an_accepted_one_can_be_answered();
  evidence_rises_to_delivered();
  a_ref_stands_for_one_message();
  both_read_the_same_history();
  many_contacts_come_in_pages();
  CHECK_OK(wherry_close(alice));
  CHECK_OK(wherry_close(bob));
  return check_result();
}
