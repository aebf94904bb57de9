/* What needs no profile: version, default texts, functions on NULL. */
#include <stdio.h>
#include <string.h>

#include "check.h"

static void version_is_three_numbers(void) {
  int major = -1, minor = -1, patch = -1;
  char end = 0;
  CHECK_INT(sscanf(wherry_version(), "%d.%d.%d%c", &major, &minor, &patch, &end), 3);
}

static void every_status_has_a_text_of_its_own(void) {
  static const int32_t all[] = {WHERRY_OK,
                                WHERRY_E_ARGUMENT,
                                WHERRY_E_HANDLE,
                                WHERRY_E_SIZE,
                                WHERRY_E_UTF8,
                                WHERRY_E_FORKED,
                                WHERRY_E_CLOSED,
                                WHERRY_E_NOT_FOUND,
                                WHERRY_E_EXISTS,
                                WHERRY_E_STATE,
                                WHERRY_E_TOO_LARGE,
                                WHERRY_E_SETTING,
                                WHERRY_E_REF,
                                WHERRY_E_PERMITS,
                                WHERRY_E_CARD_MALFORMED,
                                WHERRY_E_CARD_FORGED,
                                WHERRY_E_CARD_EXPIRED,
                                WHERRY_E_CARD_OWN,
                                WHERRY_E_CARD_VERSION,
                                WHERRY_E_DISK,
                                WHERRY_E_LOCKED,
                                WHERRY_E_KEY,
                                WHERRY_E_CORRUPT,
                                WHERRY_E_NEWER,
                                WHERRY_E_READ_ONLY,
                                WHERRY_E_NO_PROFILE,
                                WHERRY_E_MEMORY,
                                WHERRY_E_INTERNAL,
                                WHERRY_E_AGAIN,
                                WHERRY_E_TIMEOUT};
  const size_t count = sizeof all / sizeof *all;
  for (size_t i = 0; i < count; ++i) {
    CHECK(strlen(wherry_status_text(all[i])) > 0);
    CHECK(strlen(wherry_status_text(all[i])) < WHERRY_ERROR_TEXT_SIZE);
    for (size_t other = 0; other < i; ++other) {
      CHECK(strcmp(wherry_status_text(all[i]), wherry_status_text(all[other])) != 0);
    }
  }
  static const int32_t unknown[] = {-1, 1, 99, 113, 205, 309, 402, INT32_MIN, INT32_MAX};
  for (size_t i = 0; i < sizeof unknown / sizeof *unknown; ++i) {
    CHECK_TEXT(wherry_status_text(unknown[i]), "unknown status");
  }
}

static void every_reason_has_a_text_of_its_own(void) {
  for (int32_t reason = 0; reason <= WHERRY_REASON_RESOURCE; ++reason) {
    CHECK(strlen(wherry_reason_text(reason)) > 0);
    CHECK(strcmp(wherry_reason_text(reason), "unknown reason") != 0);
    for (int32_t other = 0; other < reason; ++other) {
      CHECK(strcmp(wherry_reason_text(reason), wherry_reason_text(other)) != 0);
    }
  }
  static const int32_t unknown[] = {-1, 10000, INT32_MIN, INT32_MAX};
  for (size_t i = 0; i < sizeof unknown / sizeof *unknown; ++i) {
    CHECK_TEXT(wherry_reason_text(unknown[i]), "unknown reason");
  }
}

static void null_is_an_empty_page(void) {
  CHECK_INT(wherry_page_count(NULL), 0);
  CHECK(wherry_page_message(NULL, 0) == NULL);
  CHECK(wherry_page_contact(NULL, 0) == NULL);
  CHECK(wherry_page_conversation(NULL, 0) == NULL);
  CHECK(wherry_page_transport(NULL, 0) == NULL);
  CHECK(wherry_page_card(NULL, 0) == NULL);
  CHECK(wherry_page_json(NULL) == NULL);
  wherry_page_free(NULL);
}

static void null_is_an_event_of_nothing(void) {
  size_t length = 77;
  CHECK_INT(wherry_event_kind(NULL), 0);
  CHECK_INT(wherry_event_seq(NULL), 0);
  CHECK_INT(wherry_event_integer(NULL, WHERRY_FIELD_MESSAGE), 0);
  CHECK(wherry_event_bytes(NULL, NULL, WHERRY_FIELD_BODY) == NULL);
  CHECK(wherry_event_bytes(NULL, &length, WHERRY_FIELD_BODY) == NULL);
  CHECK(wherry_event_json(NULL) == NULL);
  wherry_event_free(NULL);
}

int main(void) {
  version_is_three_numbers();
  every_status_has_a_text_of_its_own();
  every_reason_has_a_text_of_its_own();
  null_is_an_empty_page();
  null_is_an_event_of_nothing();
  return check_result();
}
