/*
 * 01_hello.c: two people exchange a message over a relay, encrypted from end to end.
 *
 *   01_hello DIR RELAY         prints a contact card, waits for a message and answers it
 *   01_hello DIR RELAY CARD    says hello to whoever made the card, and prints the answer
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <wherry/transports/centralized.h>
#include <wherry/wherry.h>

static wherry_error error = WHERRY_ERROR_INIT;

static void check(int32_t status) {
  if (status == WHERRY_OK) return;
  fprintf(stderr, "%s\n", error.text[0] ? error.text : wherry_status_text(status));
  exit(1);
}

/* What goes on is told beside what is said. */
static void note(const char* what) {
  fprintf(stderr, "(%s)\n", what);
}

/* Waits for an event of this kind whose field has this value or a higher one. */
static wherry_event* wait_for(wherry_profile me, int32_t kind, int32_t field, int64_t value) {
  for (;;) {
    wherry_event* event;
    check(wherry_next_event(me, &event, 60000, &error));
    if (wherry_event_seq(event)) check(wherry_event_ack(me, wherry_event_seq(event), &error));
    if (wherry_event_kind(event) == kind && wherry_event_integer(event, field) >= value)
      return event;
    wherry_event_free(event);
  }
}

static void say(wherry_profile me, uint64_t conversation, const char* text) {
  uint64_t message;
  check(wherry_send(me, &message, conversation, NULL, WHERRY_CONTENT_TEXT, (const uint8_t*)text,
                    strlen(text), &error));
  printf("me:   %s\n", text);
}

/* Waits for a message, prints it, and gives its conversation. */
static uint64_t hear(wherry_profile me) {
  wherry_event* event = wait_for(me, WHERRY_EVENT_MESSAGE, WHERRY_FIELD_MESSAGE, 1);
  uint64_t conversation = (uint64_t)wherry_event_integer(event, WHERRY_FIELD_CONVERSATION);
  printf("them: %s\n", (const char*)wherry_event_bytes(event, NULL, WHERRY_FIELD_BODY));
  wherry_event_free(event);
  return conversation;
}

int main(int argc, char** argv) {
  if (argc < 3) return fprintf(stderr, "use: %s DIR RELAY [CARD]\n", argv[0]), 1;

  const wherry_transport_plugin* plugins[] = {wherry_transport_centralized()};
  wherry_profile_options options = WHERRY_PROFILE_OPTIONS_INIT;
  options.plugins = plugins;
  options.plugin_count = 1;

  note("making a profile");
  const char* passphrase = "ask the user for it";
  wherry_profile me;
  uint64_t relay;
  check(wherry_profile_create(&me, argv[1], (const uint8_t*)passphrase, strlen(passphrase),
                              WHERRY_KEY_PASSPHRASE, &options, &error));
  check(wherry_transport_add(me, &relay, "centralized",
                             &(wherry_option){.name = "relay", .value = argv[2]}, 1, &error));
  note("connecting to the relay");
  check(wherry_transport_start(me, relay, &error));
  wherry_event_free(
      wait_for(me, WHERRY_EVENT_TRANSPORT, WHERRY_FIELD_STATE, WHERRY_TRANSPORT_STATE_ONLINE));

  if (argc == 3) {
    char card[WHERRY_CARD_TEXT_SIZE];
    check(wherry_card_make(me, card, sizeof card, relay, 0, &error));
    printf("card: %s\n", card);
    fflush(stdout);
    note("waiting a minute for somebody who holds this card");
    wherry_event* request =
        wait_for(me, WHERRY_EVENT_CONTACT, WHERRY_FIELD_STATE, WHERRY_CONTACT_STATE_REQUEST);
    check(wherry_contact_accept(me, (uint64_t)wherry_event_integer(request, WHERRY_FIELD_CONTACT),
                                "a friend", &error));
    wherry_event_free(request);
    say(me, hear(me), "hello to you");
    wherry_event_free(
        wait_for(me, WHERRY_EVENT_EVIDENCE, WHERRY_FIELD_EVIDENCE, WHERRY_EVIDENCE_STORED));
  } else {
    uint64_t friend, conversation;
    check(wherry_contact_add(me, &friend, argv[3], "a friend", &error));
    check(wherry_conversation_with(me, &conversation, friend, &error));
    say(me, conversation, "hello");
    note("waiting a minute for the answer");
    hear(me);
  }
  return wherry_close(me);
}
