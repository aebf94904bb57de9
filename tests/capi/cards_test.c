/* Contact cards: made, read, mistyped, forged, expired, one's own. The program brings its own wall
 * clock, since a card lives for longer than a test. */
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "check.h"
#include "json.h"
#include "support.h"

enum { BRIEF_S = 60, DAY_S = 86400 };

static atomic_int clock_ahead_s;

/* Visible, so that the library finds this one before the system's. */
__attribute__((visibility("default"))) int clock_gettime(clockid_t which, struct timespec* now) {
  const int status = (int)syscall(SYS_clock_gettime, which, now);
  if (status == 0 && which == CLOCK_REALTIME) now->tv_sec += atomic_load(&clock_ahead_s);
  return status;
}

static int64_t wall_ms(void) {
  struct timespec now;
  clock_gettime(CLOCK_REALTIME, &now);
  return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static wherry_profile alice, bob;
static uint64_t transport;
static char card[WHERRY_CARD_TEXT_SIZE];

static void none_without_an_endpoint(void) {
  char text[WHERRY_CARD_TEXT_SIZE] = "as it was";
  const wherry_option setting = {"hub", hub_name("cards")};
  CHECK_OK(wherry_transport_add(alice, &transport, "loopback", &setting, 1, details()));
  CHECK_FAILS(WHERRY_E_STATE, wherry_card_make(alice, text, sizeof text, transport, 0, details()));
  CHECK_OK(wherry_transport_start(alice, transport, details()));
  await_state(alice, transport, WHERRY_TRANSPORT_STATE_ONLINE);
  CHECK_FAILS(WHERRY_E_NOT_FOUND,
              wherry_card_make(alice, text, sizeof text, transport + 1, 0, details()));
  CHECK_TEXT(text, "as it was");
  CHECK_OK(wherry_card_make(alice, card, sizeof card, transport, 0, details()));
  CHECK(strlen(card) <= WHERRY_CARD_TEXT_SIZE - 1);
  CHECK(strncmp(card, "wherry:", 7) == 0);
}

static void says_whose_it_is(void) {
  wherry_page* page = NULL;
  uint8_t identity[WHERRY_IDENTITY_SIZE];
  CHECK_OK(wherry_identity(alice, identity, details()));
  MUST(wherry_card_parse(&page, card, details()));
  CHECK_INT(wherry_page_count(page), 1);
  const wherry_card_info* info = wherry_page_card(page, 0);
  CHECK_INT(info->size, sizeof *info);
  CHECK(memcmp(info->identity, identity, sizeof identity) == 0);
  CHECK_TEXT(info->transport, "loopback");
  CHECK(strstr(info->endpoint, hub_name("cards")) != NULL);
  CHECK_INT(info->expired, 0);
  const int64_t left_s = (info->expires_ms - wall_ms()) / 1000;
  CHECK(left_s > 30 * DAY_S - 60 && left_s <= 30 * DAY_S);
  CHECK(is_json(wherry_page_json(page)));
  CHECK(has_member(wherry_page_json(page), "transport", "\"loopback\""));
  CHECK(has_member(wherry_page_json(page), "expired", "0"));
  CHECK(wherry_page_card(page, 1) == NULL);
  CHECK(wherry_page_contact(page, 0) == NULL);
  wherry_page_free(page);
}

static void white_space_does_not_matter(void) {
  char spaced[3 * WHERRY_CARD_TEXT_SIZE + 16] = " \r\n\t";
  size_t end = strlen(spaced);
  for (size_t i = 0; card[i] != 0; ++i) {
    spaced[end++] = card[i];
    if (i % 3 == 0) spaced[end++] = " \t\n\r"[i % 4];
  }
  spaced[end] = '\n';
  wherry_page* page = NULL;
  CHECK_OK(wherry_card_parse(&page, spaced, details()));
  wherry_page_free(page);
}

static void every_character_counts(void) {
  static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
  char text[WHERRY_CARD_TEXT_SIZE];
  const size_t size = strlen(card);
  int forged = 0, versions = 0;
  for (size_t at = 0; at < size; ++at) {
    const char* is = strchr(letters, card[at]);
    const char others[] = {letters[(is == NULL ? 1 : is - letters + 1) % 64],
                           letters[(is == NULL ? 2 : is - letters + 32) % 64], '!', '=', '\x7f'};
    for (size_t i = 0; i < sizeof others; ++i) {
      wherry_page* page = NULL;
      memcpy(text, card, size + 1);
      text[at] = others[i];
      const int32_t status = wherry_card_parse(&page, text, details());
      CHECK(status == WHERRY_E_CARD_MALFORMED || status == WHERRY_E_CARD_FORGED ||
            status == WHERRY_E_CARD_VERSION);
      CHECK(page == NULL);
      forged += status == WHERRY_E_CARD_FORGED;
      versions += status == WHERRY_E_CARD_VERSION;
      /* The version is one byte, of which each of two characters has a part. */
      if (status == WHERRY_E_CARD_VERSION) CHECK(at == 9 || at == 10);
    }
  }
  CHECK(forged > (int)size);
  CHECK(versions > 0);
  for (size_t cut = 0; cut < size; ++cut) {
    wherry_page* page = NULL;
    memcpy(text, card, size + 1);
    text[cut] = 0;
    const int32_t status = wherry_card_parse(&page, text, details());
    CHECK(status == WHERRY_E_CARD_MALFORMED || status == WHERRY_E_CARD_FORGED);
    CHECK(page == NULL);
  }
}

static void a_newer_version_is_named(void) {
  char text[WHERRY_CARD_TEXT_SIZE];
  wherry_page* page = NULL;
  uint64_t contact = 42;
  memcpy(text, card, sizeof text);
  CHECK(strncmp(text, "wherry:pgEB", 11) == 0); /* a map of six, whose first is 1: version 1 */
  text[10] = 'C';
  CHECK_FAILS(WHERRY_E_CARD_VERSION, wherry_card_parse(&page, text, details()));
  CHECK_FAILS(WHERRY_E_CARD_VERSION, wherry_contact_add(bob, &contact, text, NULL, details()));
  CHECK(page == NULL);
  CHECK_INT(contact, 42);
}

static void what_is_no_card(void) {
  static const char* const texts[] = {
      "",        " ",         "wherry:",         "wherry",        "hello",
      "WHERRY:", "wherry:AA", "wherry:\xc3\xa9", "wherry:wherry:"};
  static char longest[100000];
  wherry_page* page = NULL;
  uint64_t contact = 42;
  for (size_t i = 0; i < sizeof texts / sizeof *texts; ++i) {
    CHECK_FAILS(WHERRY_E_CARD_MALFORMED, wherry_card_parse(&page, texts[i], details()));
    CHECK_FAILS(WHERRY_E_CARD_MALFORMED,
                wherry_contact_add(bob, &contact, texts[i], NULL, details()));
  }
  memset(longest, 'A', sizeof longest - 1);
  memcpy(longest, "wherry:", 7);
  static const size_t sizes[] = {361, 4096, 4097, sizeof longest - 1};
  for (size_t i = 0; i < 4; ++i) {
    longest[sizes[i]] = 0;
    CHECK_FAILS(WHERRY_E_CARD_MALFORMED, wherry_card_parse(&page, longest, details()));
    CHECK_FAILS(WHERRY_E_CARD_MALFORMED,
                wherry_contact_add(bob, &contact, longest, NULL, details()));
    longest[sizes[i]] = 'A';
  }
  CHECK(page == NULL);
  CHECK_INT(contact, 42);
}

/* Validly signed by a stranger, who chose when it expires, in seconds. */
#define STRANGERS_CARD                                                                        \
  "wherry:pgEBAlggA6EHv_POEL4dcN0Y50vAmWfk1jCbpQ1fHdyGZBJVMbgDWCAAAAAAAAAAAAAAAAAAAAAAAAAAAA" \
  "AAAAAAAAAAAAAAAARobG9vcGJhY2sFYWUGG"

/* The last second whose milliseconds are an int64_t; the one after it; and the last int64_t. */
static void the_time_of_expiry_is_bounded(void) {
  static const char* const beyond[] = {
      STRANGERS_CARD
      "wAgxJul41P464bfRQh10LydkXYoIBIK-Coy6OeVf9GdIOHBrvyXWPeP7z6ekTNF8x6N6Nw-GQjn"
      "l5wW1R3AXkk6iY85VdAoAQ",
      STRANGERS_CARD
      "3__________7MrpBhfFKrq-B_i7_uQI4x8WBksOUovVTm4mg5Z33RHPPSqZhdPtW6WfHuYRkxKE"
      "xp6V1UHUFhhBozje_7ZrDg"};
  static const char last[] = STRANGERS_CARD
      "wAgxJul41P3KdEAMQ9N3bGhQh-zsvD0bSGsv-U_Qn8rBtJD24xC2xu18mN2r0-8-pqu9pezjem1"
      "tJGHwfOhg_7r8HF4YjRWBQ";
  wherry_page* page = NULL;
  uint64_t contact = 42;
  for (size_t i = 0; i < sizeof beyond / sizeof *beyond; ++i) {
    CHECK_FAILS(WHERRY_E_CARD_MALFORMED, wherry_card_parse(&page, beyond[i], details()));
    CHECK_FAILS(WHERRY_E_CARD_MALFORMED,
                wherry_contact_add(bob, &contact, beyond[i], NULL, details()));
  }
  CHECK(page == NULL);
  CHECK_INT(contact, 42);
  MUST(wherry_card_parse(&page, last, details()));
  CHECK_INT(wherry_page_card(page, 0)->expires_ms, INT64_MAX / 1000 * 1000);
  CHECK_INT(wherry_page_card(page, 0)->expired, 0);
  wherry_page_free(page);
}

static void not_ones_own(void) {
  uint64_t contact = 42;
  wherry_page* page = NULL;
  CHECK_FAILS(WHERRY_E_CARD_OWN, wherry_contact_add(alice, &contact, card, "me", details()));
  CHECK_INT(contact, 42);
  CHECK_OK(wherry_contact_list(alice, &page, 0, 10, details()));
  CHECK_INT(wherry_page_count(page), 0);
  wherry_page_free(page);
}

static void adding_twice_is_one_contact(void) {
  char second[WHERRY_CARD_TEXT_SIZE];
  uint64_t first = 0, again = 0;
  wherry_page* page = NULL;
  CHECK_OK(wherry_contact_add(bob, &first, card, "Alice", details()));
  CHECK_OK(wherry_contact_add(bob, &again, card, NULL, details()));
  CHECK_INT(again, first);
  CHECK_OK(wherry_card_make(alice, second, sizeof second, transport, 365 * DAY_S, details()));
  CHECK(strcmp(second, card) != 0);
  CHECK_OK(wherry_contact_add(bob, &again, second, NULL, details()));
  CHECK_INT(again, first);
  CHECK_OK(wherry_contact_list(bob, &page, 0, 10, details()));
  CHECK_INT(wherry_page_count(page), 1);
  CHECK_TEXT(wherry_page_contact(page, 0)->name, "Alice"); /* NULL left it as it was */
  CHECK_INT(wherry_page_contact(page, 0)->state, WHERRY_CONTACT_STATE_ADDED);
  wherry_page_free(page);
}

static void expired_ones_are_read_but_not_added(void) {
  char brief[WHERRY_CARD_TEXT_SIZE];
  wherry_page* page = NULL;
  uint64_t contact = 42;
  CHECK_OK(wherry_card_make(alice, brief, sizeof brief, transport, BRIEF_S, details()));
  atomic_store(&clock_ahead_s, BRIEF_S / 2);
  CHECK_OK(wherry_contact_add(bob, &contact, brief, NULL, details()));
  atomic_store(&clock_ahead_s, BRIEF_S + 5);
  contact = 42;
  CHECK_FAILS(WHERRY_E_CARD_EXPIRED, wherry_contact_add(bob, &contact, brief, NULL, details()));
  CHECK_INT(contact, 42);
  CHECK_OK(wherry_card_parse(&page, brief, details()));
  CHECK_INT(wherry_page_card(page, 0)->expired, 1);
  wherry_page_free(page);
  CHECK_OK(wherry_card_parse(&page, card, details()));
  CHECK_INT(wherry_page_card(page, 0)->expired, 0);
  wherry_page_free(page);
  atomic_store(&clock_ahead_s, 0);
}

int main(void) {
  alice = create("alice");
  bob = create("bob");
  none_without_an_endpoint();
  says_whose_it_is();
  white_space_does_not_matter();
  every_character_counts();
  a_newer_version_is_named();
  what_is_no_card();
  the_time_of_expiry_is_bounded();
  not_ones_own();
  adding_twice_is_one_contact();
  expired_ones_are_read_but_not_added();
  CHECK_OK(wherry_close(alice));
  CHECK_OK(wherry_close(bob));
  return check_result();
}
