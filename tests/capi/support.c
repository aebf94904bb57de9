/* Scratch directories, profiles, waiting. */
#include "support.h"

#include <ctype.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "check.h"
#include "transports/loopback/loopback.h"

const uint8_t test_key[WHERRY_KEY_SIZE] = {1, 2, 3, 5, 7, 11, 13, 17};

static char root[PATH_ROOM];
static pid_t owner;

static int remove_entry(const char* path, const struct stat* about, int type, struct FTW* where) {
  (void)about, (void)type, (void)where;
  return remove(path);
}

void remove_tree(const char* path) {
  nftw(path, remove_entry, 16, FTW_DEPTH | FTW_PHYS);
}

/* A child that forked off leaves the directory to its parent. */
static void remove_root(void) {
  if (getpid() == owner) remove_tree(root);
}

const char* scratch(const char* name) {
  static _Thread_local char paths[16][PATH_ROOM + 64];
  static _Thread_local unsigned next;
  if (root[0] == 0) {
    const char* parent = getenv("TMPDIR");
    snprintf(root, sizeof root, "%s/wherry-capi-XXXXXX", parent == NULL ? "/tmp" : parent);
    check_must(CHECK(mkdtemp(root) != NULL));
    owner = getpid();
    atexit(remove_root);
  }
  char* path = paths[next++ % 16];
  snprintf(path, sizeof paths[0], "%s/%s", root, name);
  return path;
}

int64_t now_ms(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

void pause_ms(int64_t duration_ms) {
  const struct timespec pause = {duration_ms / 1000, duration_ms % 1000 * 1000000};
  nanosleep(&pause, NULL);
}

wherry_profile_options test_options(void) {
  static const wherry_transport_plugin* plugins[1];
  plugins[0] = wherry_transport_loopback();
  wherry_profile_options options = WHERRY_PROFILE_OPTIONS_INIT;
  options.plugins = plugins;
  options.plugin_count = 1;
  options.durability = WHERRY_DURABILITY_NORMAL;
  return options;
}

wherry_profile create(const char* name) {
  const wherry_profile_options options = test_options();
  wherry_profile profile = {0};
  MUST(wherry_profile_create(&profile, scratch(name), test_key, sizeof test_key, WHERRY_KEY_RAW,
                             &options, details()));
  return profile;
}

wherry_profile reopen(const char* name) {
  const wherry_profile_options options = test_options();
  wherry_profile profile = {0};
  MUST(wherry_profile_open(&profile, scratch(name), test_key, sizeof test_key, WHERRY_KEY_RAW,
                           &options, details()));
  return profile;
}

const char* hub_name(const char* part) {
  static _Thread_local char name[33];
  snprintf(name, sizeof name, "hub-%ld-%s", (long)getpid(), part);
  for (char* at = name; *at != 0; ++at) *at = (char)tolower((unsigned char)*at);
  return name;
}

uint64_t go_online(wherry_profile profile, const char* hub) {
  const wherry_option setting = {"hub", hub};
  uint64_t transport = 0;
  MUST(wherry_transport_add(profile, &transport, "loopback", &setting, 1, details()));
  MUST(wherry_transport_start(profile, transport, details()));
  await_state(profile, transport, WHERRY_TRANSPORT_STATE_ONLINE);
  return transport;
}

void await_state(wherry_profile profile, uint64_t transport, int32_t state) {
  const int64_t deadline = now_ms() + WAIT_MS;
  for (;;) {
    wherry_page* page = NULL;
    MUST(wherry_transport_list(profile, &page, details()));
    int32_t is = -1;
    for (size_t i = 0; i < wherry_page_count(page); ++i) {
      const wherry_transport_info* info = wherry_page_transport(page, i);
      if (info->transport == transport) is = info->state;
    }
    wherry_page_free(page);
    if (is == state) return;
    if (now_ms() >= deadline) check_must(CHECK_INT(is, state));
    pause_ms(2);
  }
}

wherry_event* await_event(wherry_profile profile, int32_t type, int32_t field, int64_t value) {
  const int64_t deadline = now_ms() + WAIT_MS;
  for (;;) {
    wherry_event* event = NULL;
    const int64_t left = deadline - now_ms();
    MUST(wherry_next_event(profile, &event, left > 0 ? (int32_t)left : 0, details()));
    if (wherry_event_kind(event) == type &&
        (field == 0 || wherry_event_integer(event, field) == value)) {
      return event;
    }
    wherry_event_free(event);
  }
}

int64_t await_integer(wherry_profile profile, int32_t type, int32_t field, int64_t value,
                      int32_t wanted) {
  wherry_event* event = await_event(profile, type, field, value);
  const int64_t found = wherry_event_integer(event, wanted);
  wherry_event_free(event);
  return found;
}

void drain(wherry_profile profile, int32_t quiet_ms) {
  wherry_event* event = NULL;
  while (wherry_next_event(profile, &event, quiet_ms, NULL) == WHERRY_OK) {
    const uint64_t seq = wherry_event_seq(event);
    if (seq != 0) CHECK_OK(wherry_event_ack(profile, seq, details()));
    wherry_event_free(event);
  }
}

struct pair meet(const char* suffix) {
  char alice_name[64], bob_name[64], card[WHERRY_CARD_TEXT_SIZE];
  snprintf(alice_name, sizeof alice_name, "alice%s", suffix);
  snprintf(bob_name, sizeof bob_name, "bob%s", suffix);
  struct pair two = {.alice = create(alice_name), .bob = create(bob_name)};
  two.alice_transport = go_online(two.alice, hub_name(suffix));
  two.bob_transport = go_online(two.bob, hub_name(suffix));

  uint64_t contact = 0;
  MUST(wherry_card_make(two.bob, card, sizeof card, two.bob_transport, 0, details()));
  MUST(wherry_contact_add(two.alice, &contact, card, "Bob", details()));
  MUST(wherry_conversation_with(two.alice, &two.to_bob, contact, details()));
  send_text(two.alice, two.to_bob, "hello, may I?");

  contact = (uint64_t)await_integer(two.bob, WHERRY_EVENT_CONTACT, WHERRY_FIELD_STATE,
                                    WHERRY_CONTACT_STATE_REQUEST, WHERRY_FIELD_CONTACT);
  MUST(wherry_contact_accept(two.bob, contact, "Alice", details()));
  MUST(wherry_conversation_with(two.bob, &two.to_alice, contact, details()));
  await_integer(two.alice, WHERRY_EVENT_EVIDENCE, WHERRY_FIELD_EVIDENCE, WHERRY_EVIDENCE_DELIVERED,
                WHERRY_FIELD_MESSAGE);
  return two;
}

uint64_t send_text(wherry_profile profile, uint64_t conversation, const char* text) {
  uint64_t message = 0;
  MUST(wherry_send(profile, &message, conversation, NULL, WHERRY_CONTENT_TEXT, (const uint8_t*)text,
                   strlen(text), details()));
  CHECK(message != 0);
  return message;
}

const uint8_t* ref_of(uint32_t number) {
  static _Thread_local uint8_t ref[WHERRY_ID_SIZE];
  memset(ref, 0, sizeof ref);
  memcpy(ref, &number, sizeof number);
  return ref;
}
