/* Transports: added, set, started, stopped, listed, described. */
#include <string.h>

#include "check.h"
#include "json.h"
#include "support.h"

static wherry_profile profile;
static uint64_t transport;

static void check_listed(int32_t started, int32_t state) {
  wherry_page* page = NULL;
  MUST(wherry_transport_list(profile, &page, details()));
  CHECK_INT(wherry_page_count(page), 1);
  const wherry_transport_info* info = wherry_page_transport(page, 0);
  CHECK_INT(info->size, sizeof *info);
  CHECK_INT(info->transport, transport);
  CHECK_TEXT(info->name, "loopback");
  CHECK_INT(info->started, started);
  CHECK_INT(info->state, state);
  CHECK(is_json(wherry_page_json(page)));
  CHECK(has_member(wherry_page_json(page), "name", "\"loopback\""));
  CHECK(wherry_page_transport(page, 1) == NULL);
  wherry_page_free(page);
}

static void describes_itself(void) {
  wherry_page* page = NULL;
  CHECK_FAILS(WHERRY_E_NOT_FOUND,
              wherry_transport_describe(profile, &page, "carrier-pigeon", details()));
  CHECK(page == NULL);
  MUST(wherry_transport_describe(profile, &page, "loopback", details()));
  CHECK_INT(wherry_page_count(page), 0);
  CHECK(wherry_page_transport(page, 0) == NULL);
  const char* json = wherry_page_json(page);
  CHECK(is_json(json));
  CHECK(json != NULL && json[0] == '{');
  static const char* const members[] = {
      "name",    "version",  "help", "architecture", "abilities", "latency", "envelope_size_max",
      "reveals", "settings", "type", "default"};
  for (size_t i = 0; i < sizeof members / sizeof *members; ++i) {
    CHECK(has_member(json, members[i], ""));
  }
  wherry_page_free(page);
}

static void settings_are_checked(void) {
  static char huge[5000];
  memset(huge, 'h', sizeof huge - 1);
  const wherry_option unknown = {"colour", "blue"}, no_name = {NULL, "x"}, no_value = {"hub", NULL};
  const wherry_option bad_name = {"h\xff", "x"}, bad_value = {"hub", "\xc3"};
  const wherry_option long_name = {huge, "x"}, long_value = {"hub", huge};
  const wherry_option twice[] = {{"hub", "a"}, {"hub", "b"}};
  wherry_page* page = NULL;
  uint64_t id = 42;
  struct {
    const wherry_option* settings;
    size_t count;
    int32_t status;
  } const cases[] = {
      {NULL, 1, WHERRY_E_ARGUMENT},      {&unknown, 1, WHERRY_E_SETTING},
      {&no_name, 1, WHERRY_E_ARGUMENT},  {&no_value, 1, WHERRY_E_ARGUMENT},
      {&bad_name, 1, WHERRY_E_UTF8},     {&bad_value, 1, WHERRY_E_UTF8},
      {&long_name, 1, WHERRY_E_SETTING}, {&long_value, 1, WHERRY_E_SETTING},
      {twice, 2, WHERRY_E_SETTING},
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; ++i) {
    CHECK_FAILS(cases[i].status, wherry_transport_add(profile, &id, "loopback", cases[i].settings,
                                                      cases[i].count, details()));
  }
  CHECK_FAILS(WHERRY_E_NOT_FOUND,
              wherry_transport_add(profile, &id, "carrier-pigeon", NULL, 0, details()));
  CHECK_INT(id, 42);
  MUST(wherry_transport_list(profile, &page, details()));
  CHECK_INT(wherry_page_count(page), 0);
  CHECK_TEXT(wherry_page_json(page), "[]");
  wherry_page_free(page);

  /* Without a setting, its default. */
  CHECK_OK(wherry_transport_add(profile, &transport, "loopback", NULL, 0, details()));
  CHECK_FAILS(WHERRY_E_EXISTS, wherry_transport_add(profile, &id, "loopback", NULL, 0, details()));
  CHECK_INT(id, 42);
  check_listed(0, WHERRY_TRANSPORT_STATE_OFF);
  for (size_t i = 0; i < sizeof cases / sizeof *cases; ++i) {
    CHECK_FAILS(cases[i].status, wherry_transport_set(profile, transport, cases[i].settings,
                                                      cases[i].count, details()));
  }
  CHECK_OK(wherry_transport_set(profile, transport, NULL, 0, details()));
}

static void starts_and_stops_by_events(void) {
  CHECK_OK(wherry_transport_start(profile, transport, details()));
  wherry_event* event = await_event(profile, WHERRY_EVENT_TRANSPORT, WHERRY_FIELD_STATE,
                                    WHERRY_TRANSPORT_STATE_ONLINE);
  CHECK_INT(wherry_event_seq(event), 0);
  CHECK_INT(wherry_event_integer(event, WHERRY_FIELD_TRANSPORT), transport);
  CHECK_INT(wherry_event_integer(event, WHERRY_FIELD_REASON), WHERRY_REASON_NONE);
  CHECK(is_json(wherry_event_json(event)));
  wherry_event_free(event);
  check_listed(1, WHERRY_TRANSPORT_STATE_ONLINE);
  CHECK_OK(wherry_transport_start(profile, transport, details())); /* again, to no effect */
  check_listed(1, WHERRY_TRANSPORT_STATE_ONLINE);

  CHECK_OK(wherry_transport_stop(profile, transport, details()));
  await_integer(profile, WHERRY_EVENT_TRANSPORT, WHERRY_FIELD_STATE, WHERRY_TRANSPORT_STATE_OFF,
                WHERRY_FIELD_TRANSPORT);
  check_listed(0, WHERRY_TRANSPORT_STATE_OFF);
  CHECK_OK(wherry_transport_stop(profile, transport, details()));
}

static void is_told_of_changes(void) {
  CHECK_FAILS(WHERRY_E_ARGUMENT, wherry_update(profile, 0, details()));
  CHECK_FAILS(WHERRY_E_ARGUMENT, wherry_update(profile, 1u << 31, details()));
  CHECK_FAILS(WHERRY_E_ARGUMENT,
              wherry_update(profile, WHERRY_CHANGE_NETWORK | (1u << 30), details()));
  CHECK_OK(wherry_update(profile, WHERRY_CHANGE_NETWORK, details()));
  CHECK_OK(wherry_update(profile, WHERRY_CHANGE_BACKGROUND | WHERRY_CHANGE_LOW_POWER, details()));
}

/* Faster than it can follow: the last word counts. */
static void the_last_word_counts(void) {
  for (int i = 0; i < 100; ++i) {
    CHECK_OK(wherry_transport_start(profile, transport, details()));
    CHECK_OK(wherry_transport_stop(profile, transport, details()));
  }
  check_listed(0, WHERRY_TRANSPORT_STATE_OFF);
  CHECK_OK(wherry_transport_start(profile, transport, details()));
  await_state(profile, transport, WHERRY_TRANSPORT_STATE_ONLINE);
  check_listed(1, WHERRY_TRANSPORT_STATE_ONLINE);
}

static const char* endpoint_now(char card[WHERRY_CARD_TEXT_SIZE], wherry_page** page) {
  MUST(wherry_card_make(profile, card, WHERRY_CARD_TEXT_SIZE, transport, 0, details()));
  MUST(wherry_card_parse(page, card, details()));
  return wherry_page_card(*page, 0)->endpoint;
}

static void a_new_setting_takes_effect_while_it_runs(void) {
  char card[WHERRY_CARD_TEXT_SIZE];
  wherry_page* page = NULL;
  const wherry_option first = {"hub", "first-hub"}, second = {"hub", "second-hub"};
  const wherry_option wrong = {"hub", "Not A Hub"};
  CHECK_OK(wherry_transport_set(profile, transport, &first, 1, details()));
  await_state(profile, transport, WHERRY_TRANSPORT_STATE_ONLINE);
  CHECK(strstr(endpoint_now(card, &page), "first-hub") != NULL);
  wherry_page_free(page);
  for (int i = 0; i < 20; ++i) {
    CHECK_OK(wherry_transport_set(profile, transport, i % 2 == 0 ? &first : &second, 1, details()));
  }
  await_state(profile, transport, WHERRY_TRANSPORT_STATE_ONLINE);
  CHECK(strstr(endpoint_now(card, &page), "second-hub") != NULL);
  wherry_page_free(page);

  /* One that the plug-in refuses changes nothing. */
  CHECK_FAILS(WHERRY_E_SETTING, wherry_transport_set(profile, transport, &wrong, 1, details()));
  await_state(profile, transport, WHERRY_TRANSPORT_STATE_ONLINE);
  CHECK(strstr(endpoint_now(card, &page), "second-hub") != NULL);
  wherry_page_free(page);
}

static void what_was_started_starts_with_the_profile(void) {
  CHECK_OK(wherry_close(profile));
  profile = reopen("alice");
  await_state(profile, transport, WHERRY_TRANSPORT_STATE_ONLINE);
  check_listed(1, WHERRY_TRANSPORT_STATE_ONLINE);
  CHECK_OK(wherry_transport_stop(profile, transport, details()));
  CHECK_OK(wherry_close(profile));
  profile = reopen("alice");
  check_listed(0, WHERRY_TRANSPORT_STATE_OFF);
  CHECK_OK(wherry_transport_start(profile, transport, details()));
  CHECK_OK(wherry_close(profile)); /* while it is still starting */

  /* An app that does not link it any more keeps its settings. */
  MUST(wherry_profile_open(&profile, scratch("alice"), test_key, sizeof test_key, WHERRY_KEY_RAW,
                           NULL, details()));
  check_listed(1, WHERRY_TRANSPORT_STATE_OFF);
  CHECK_FAILS(WHERRY_E_NOT_FOUND, wherry_transport_start(profile, transport, details()));
  CHECK_OK(wherry_close(profile));
}

int main(void) {
  profile = create("alice");
  describes_itself();
  settings_are_checked();
  is_told_of_changes();
  starts_and_stops_by_events();
  is_told_of_changes();
  the_last_word_counts();
  a_new_setting_takes_effect_while_it_runs();
  what_was_started_starts_with_the_profile();
  return check_result();
}
