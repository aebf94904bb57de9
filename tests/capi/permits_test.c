/* Permits by the C interface: presets, a profile's, a conversation's, what stands against a path.
 */
#include <string.h>

#include "check.h"
#include "json.h"
#include "support.h"

static struct pair people;

static wherry_reveals open_set(void) {
  wherry_reveals set;
  memset(&set, 0xff, sizeof set);
  return set;
}

/* Loopback's hub stands where a relay would. */
static wherry_reveals no_hub(void) {
  wherry_reveals set = open_set();
  set.facts[WHERRY_OBSERVER_HOME_OPERATOR] &= ~(uint32_t)WHERRY_FACT_WHO_TALKS;
  return set;
}

static void presets_have_numbers(void) {
  wherry_reveals set;
  const wherry_reveals all = open_set();
  CHECK_OK(wherry_permits_preset(&set, WHERRY_PERMITS_OPEN, details()));
  CHECK(memcmp(&set, &all, sizeof set) == 0);
  CHECK_OK(wherry_permits_preset(&set, WHERRY_PERMITS_ANONYMOUS, details()));
  CHECK_INT(set.facts[WHERRY_OBSERVER_HOME_OPERATOR] & WHERRY_FACT_MY_IP, 0);
  CHECK_FAILS(WHERRY_E_ARGUMENT, wherry_permits_preset(&set, 0, details()));
  CHECK_FAILS(WHERRY_E_ARGUMENT, wherry_permits_preset(&set, 99, details()));
  CHECK_FAILS(WHERRY_E_ARGUMENT, wherry_permits_preset(NULL, WHERRY_PERMITS_OPEN, details()));
}

static void a_new_profile_permits_everything(void) {
  wherry_reveals set;
  const wherry_reveals all = open_set();
  CHECK_OK(wherry_profile_permits(people.alice, &set, details()));
  CHECK(memcmp(&set, &all, sizeof set) == 0);
}

static wherry_page* info_of(uint64_t conversation) {
  wherry_page* page = NULL;
  MUST(wherry_conversation_permits(people.alice, &page, conversation, details()));
  CHECK_INT(wherry_page_count(page), 1);
  return page;
}

static void what_was_used_was_revealed(void) {
  wherry_page* page = info_of(people.to_bob);
  const wherry_permits_info* info = wherry_page_permits(page, 0);
  CHECK_INT(info->size, sizeof *info);
  CHECK(info->revealed.facts[WHERRY_OBSERVER_HOME_OPERATOR] & WHERRY_FACT_WHO_TALKS);
  CHECK_INT(info->revealed.facts[WHERRY_OBSERVER_NETWORK], 0);
  CHECK(is_json(wherry_page_json(page)));
  CHECK(wherry_page_path(page, 0) == NULL);
  CHECK(wherry_page_permits(page, 1) == NULL);
  wherry_page_free(page);
}

/* Once the card's endpoint, by which they met, is used no more, and the other has carried
 * something. */
static wherry_page* settled_explanation(void) {
  wherry_page* page = NULL;
  for (int i = 0; i < 1000; ++i) {
    MUST(wherry_conversation_explain(people.alice, &page, people.to_bob, details()));
    if (wherry_page_count(page) == 1 && wherry_page_path(page, 0)->succeeded_ms > 0) return page;
    wherry_page_free(page);
    pause_ms(10);
  }
  MUST(wherry_conversation_explain(people.alice, &page, people.to_bob, details()));
  CHECK_INT(wherry_page_count(page), 1);
  return page;
}

static void an_open_path_is_explained(void) {
  wherry_page* page = settled_explanation();
  const wherry_path* path = wherry_page_path(page, 0);
  CHECK_INT(path->size, sizeof *path);
  CHECK_INT(path->transport, people.alice_transport);
  CHECK_TEXT(path->name, "loopback");
  CHECK(path->endpoint[0] != 0);
  CHECK_INT(path->used, 1);
  CHECK_INT(path->allowed, 1);
  CHECK_INT(path->reason, WHERRY_REASON_NONE);
  CHECK(path->reveals.facts[WHERRY_OBSERVER_HOME_OPERATOR] & WHERRY_FACT_WHO_TALKS);
  CHECK(has_member(wherry_page_json(page), "name", "\"loopback\""));
  wherry_page_free(page);
}

static void a_message_waits_for_a_permitted_path(void) {
  const wherry_reveals set = no_hub();
  const wherry_reveals all = open_set();
  CHECK_OK(wherry_conversation_set_permits(people.alice, people.to_bob, &set,
                                           WHERRY_TIGHTENING_ANNOUNCE, details()));
  const uint64_t message = send_text(people.alice, people.to_bob, "secret");
  CHECK_INT(await_integer(people.alice, WHERRY_EVENT_WAITING, WHERRY_FIELD_REASON,
                          WHERRY_REASON_PERMITS, WHERRY_FIELD_COUNT),
            1);

  wherry_page* page = NULL;
  MUST(wherry_conversation_explain(people.alice, &page, people.to_bob, details()));
  const wherry_path* path = wherry_page_path(page, 0);
  CHECK_INT(path->used, 0);
  CHECK_INT(path->allowed, 0);
  CHECK_INT(path->reason, WHERRY_REASON_PERMITS);
  CHECK_INT(path->against_mine.facts[WHERRY_OBSERVER_HOME_OPERATOR], WHERRY_FACT_WHO_TALKS);
  CHECK_INT(path->against_profile.facts[WHERRY_OBSERVER_HOME_OPERATOR], 0);
  CHECK_INT(path->against_theirs.facts[WHERRY_OBSERVER_HOME_OPERATOR], 0);
  CHECK(path->succeeded_ms > 0); /* what they said before */
  wherry_page_free(page);
  page = info_of(people.to_bob);
  CHECK(memcmp(&wherry_page_permits(page, 0)->mine, &set, sizeof set) == 0);
  CHECK(memcmp(&wherry_page_permits(page, 0)->all, &set, sizeof set) == 0);
  wherry_page_free(page);

  CHECK_OK(wherry_conversation_set_permits(people.alice, people.to_bob, &all,
                                           WHERRY_TIGHTENING_ANNOUNCE, details()));
  CHECK_INT(await_integer(people.alice, WHERRY_EVENT_EVIDENCE, WHERRY_FIELD_EVIDENCE,
                          WHERRY_EVIDENCE_DELIVERED, WHERRY_FIELD_MESSAGE),
            message);
}

static void a_profiles_permits_take_it_offline(void) {
  const wherry_reveals set = no_hub();
  const wherry_reveals all = open_set();
  CHECK_OK(wherry_profile_set_permits(people.alice, &set, WHERRY_TIGHTENING_ANNOUNCE, details()));
  await_state(people.alice, people.alice_transport, WHERRY_TRANSPORT_STATE_FAILED);
  wherry_error why = WHERRY_ERROR_INIT;
  CHECK_INT(wherry_transport_start(people.alice, people.alice_transport, &why), WHERRY_E_PERMITS);
  CHECK_INT(why.reason, WHERRY_REASON_PERMITS);
  wherry_reveals kept;
  CHECK_OK(wherry_profile_permits(people.alice, &kept, details()));
  CHECK(memcmp(&kept, &set, sizeof set) == 0);
  CHECK_OK(wherry_profile_set_permits(people.alice, &all, WHERRY_TIGHTENING_ANNOUNCE, details()));
  await_state(people.alice, people.alice_transport, WHERRY_TRANSPORT_STATE_ONLINE);
}

static void arguments_are_checked(void) {
  const wherry_reveals all = open_set();
  wherry_page* page = NULL;
  CHECK_FAILS(WHERRY_E_ARGUMENT, wherry_profile_permits(people.alice, NULL, details()));
  CHECK_FAILS(WHERRY_E_ARGUMENT, wherry_profile_set_permits(people.alice, NULL,
                                                            WHERRY_TIGHTENING_ANNOUNCE, details()));
  CHECK_FAILS(WHERRY_E_ARGUMENT, wherry_profile_set_permits(people.alice, &all, 2, details()));
  CHECK_FAILS(WHERRY_E_ARGUMENT,
              wherry_conversation_set_permits(people.alice, people.to_bob, &all, -1, details()));
  CHECK_OK(wherry_conversation_set_permits(people.alice, people.to_bob, &all, WHERRY_TIGHTENING_NOW,
                                           details()));
  CHECK_OK(wherry_conversation_permits(people.alice, &page, people.to_bob, details()));
  CHECK(wherry_page_permits(page, 0)->leaving == 0);
  wherry_page_free(page);
  page = NULL;
  CHECK_FAILS(WHERRY_E_ARGUMENT,
              wherry_conversation_permits(people.alice, NULL, people.to_bob, details()));
  CHECK_FAILS(WHERRY_E_ARGUMENT,
              wherry_conversation_explain(people.alice, NULL, people.to_bob, details()));
  CHECK_FAILS(WHERRY_E_ARGUMENT,
              wherry_conversation_set_permits(people.alice, people.to_bob, NULL,
                                              WHERRY_TIGHTENING_ANNOUNCE, details()));
  CHECK_FAILS(WHERRY_E_NOT_FOUND, wherry_conversation_permits(people.alice, &page, 99, details()));
  CHECK_FAILS(WHERRY_E_NOT_FOUND, wherry_conversation_explain(people.alice, &page, 99, details()));
  CHECK_FAILS(WHERRY_E_NOT_FOUND,
              wherry_conversation_set_permits(people.alice, 99, &all, WHERRY_TIGHTENING_ANNOUNCE,
                                              details()));
  CHECK(page == NULL);
}

int main(void) {
  people = meet("");
  presets_have_numbers();
  a_new_profile_permits_everything();
  what_was_used_was_revealed();
  an_open_path_is_explained();
  a_message_waits_for_a_permitted_path();
  a_profiles_permits_take_it_offline();
  arguments_are_checked();
  CHECK_OK(wherry_close(people.alice));
  CHECK_OK(wherry_close(people.bob));
  return check_result();
}
