/* The log hook: levels, one line at a time, nothing that says who talks to whom. */
#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include "check.h"
#include "support.h"
#include "wherry/transport.h"

enum { LINES_MAX = 256 };

struct log {
  pthread_mutex_t mutex; /* two profiles may call at once */
  int count;
  int32_t levels[LINES_MAX];
  char lines[LINES_MAX][512];
};

static void keep(void* context, int32_t level, const char* text) {
  struct log* log = context;
  pthread_mutex_lock(&log->mutex);
  if (log->count < LINES_MAX) {
    log->levels[log->count] = level;
    snprintf(log->lines[log->count], sizeof log->lines[0], "%s", text);
    ++log->count;
  }
  pthread_mutex_unlock(&log->mutex);
}

/* What the loopback plug-in says, as a warning, of a hub that cannot be. */
static const char complaint[] = "'hub' must be";

/* Provokes that line, in a profile of its own. */
static void provoke(struct log* log, const char* name, int32_t level) {
  wherry_profile profile = {0};
  wherry_profile_options options = test_options();
  options.log = keep;
  options.log_context = log;
  options.log_level = level;
  MUST(wherry_profile_create(&profile, scratch(name), test_key, sizeof test_key, WHERRY_KEY_RAW,
                             &options, details()));
  const wherry_option bad = {"hub", "Not A Hub"}, good = {"hub", hub_name("log")};
  uint64_t transport = 0;
  CHECK_FAILS(WHERRY_E_SETTING,
              wherry_transport_add(profile, &transport, "loopback", &bad, 1, details()));
  CHECK_OK(wherry_transport_add(profile, &transport, "loopback", &good, 1, details()));
  CHECK_OK(wherry_transport_start(profile, transport, details()));
  await_state(profile, transport, WHERRY_TRANSPORT_STATE_ONLINE);
  CHECK_OK(wherry_close(profile));
}

static int count_complaints(const struct log* log) {
  int count = 0;
  for (int i = 0; i < log->count; ++i) {
    if (strstr(log->lines[i], complaint) == NULL) continue;
    CHECK_INT(log->levels[i], WHERRY_LOG_WARNING);
    ++count;
  }
  return count;
}

static void lines_are_single_and_within_the_level(void) {
  static struct log logs[4] = {{.mutex = PTHREAD_MUTEX_INITIALIZER},
                               {.mutex = PTHREAD_MUTEX_INITIALIZER},
                               {.mutex = PTHREAD_MUTEX_INITIALIZER},
                               {.mutex = PTHREAD_MUTEX_INITIALIZER}};
  static const char* const names[] = {"errors", "warnings", "infos", "debugs"};
  for (int32_t level = WHERRY_LOG_ERROR; level <= WHERRY_LOG_DEBUG; ++level) {
    struct log* log = &logs[level];
    provoke(log, names[level], level);
    for (int i = 0; i < log->count; ++i) {
      CHECK(log->levels[i] >= WHERRY_LOG_ERROR && log->levels[i] <= level);
      CHECK(log->lines[i][0] != 0 && strpbrk(log->lines[i], "\r\n") == NULL);
    }
    CHECK_INT(count_complaints(log), level >= WHERRY_LOG_WARNING ? 1 : 0);
  }
}

/* In hex of either case, or base64: no line above debug has this. */
static void check_absent(const struct log* log, const char* secret) {
  for (int i = 0; i < log->count; ++i) {
    if (log->levels[i] < 3) CHECK(strcasestr(log->lines[i], secret) == NULL);
  }
}

static void check_absent_bytes(const struct log* log, const uint8_t* bytes) {
  char hex[9];
  snprintf(hex, sizeof hex, "%02x%02x%02x%02x", bytes[0], bytes[1], bytes[2], bytes[3]);
  check_absent(log, hex);
}

static void nobody_is_named(void) {
  static struct log log = {.mutex = PTHREAD_MUTEX_INITIALIZER};
  wherry_profile people[2];
  uint64_t transports[2] = {0}, contact = 0, conversation = 0;
  char card[WHERRY_CARD_TEXT_SIZE], address[512];
  wherry_page* page = NULL;
  wherry_profile_options options = test_options();
  options.log = keep;
  options.log_context = &log;
  options.log_level = 3;
  for (int i = 0; i < 2; ++i) {
    MUST(wherry_profile_create(&people[i], scratch(i == 0 ? "one" : "two"), test_key,
                               sizeof test_key, WHERRY_KEY_RAW, &options, details()));
    transports[i] = go_online(people[i], hub_name("names"));
  }
  MUST(wherry_card_make(people[1], card, sizeof card, transports[1], 0, details()));
  CHECK_FAILS(WHERRY_E_CARD_OWN, wherry_contact_add(people[1], &contact, card, "", details()));
  MUST(wherry_contact_add(people[0], &contact, card, "Rumpelstilzchen", details()));
  MUST(wherry_conversation_with(people[0], &conversation, contact, details()));
  send_text(people[0], conversation, "a very private word");
  await_integer(people[1], WHERRY_EVENT_CONTACT, WHERRY_FIELD_STATE, WHERRY_CONTACT_STATE_REQUEST,
                WHERRY_FIELD_CONTACT);
  MUST(wherry_contact_accept(people[1], 1, NULL, details()));
  await_integer(people[0], WHERRY_EVENT_EVIDENCE, WHERRY_FIELD_EVIDENCE, WHERRY_EVIDENCE_DELIVERED,
                WHERRY_FIELD_MESSAGE);
  MUST(wherry_card_parse(&page, card, details()));
  /* Of the endpoint the part that is one person's: what follows the hub. */
  const char* slash = strchr(wherry_page_card(page, 0)->endpoint, '/');
  check_must(CHECK(slash != NULL));
  snprintf(address, sizeof address, "%.22s", slash + 1);
  for (int i = 0; i < 2; ++i) {
    uint8_t identity[WHERRY_IDENTITY_SIZE];
    CHECK_OK(wherry_identity(people[i], identity, details()));
    CHECK_OK(wherry_close(people[i]));
    check_absent_bytes(&log, identity);
  }
  check_absent(&log, address);
  check_absent(&log, card + 20);
  check_absent(&log, "Rumpelstilzchen");
  check_absent(&log, "private word");
  wherry_page_free(page);
}

int main(void) {
  lines_are_single_and_within_the_level();
  nobody_is_named();
  return check_result();
}
