/*
 * Apps built with another version's header: open structs that are shorter than this version's, and
 * longer ones. The memory ends with the struct, so that AddressSanitizer sees who goes beyond it.
 */
#include <stdlib.h>
#include <string.h>

#include "check.h"
#include "support.h"

/* The structs of version 0.1. They never change: they are what apps were built with. */
struct error_of_0_1 {
  size_t size;
  int32_t status;
  int32_t reason;
  char text[256];
};
struct options_of_0_1 {
  size_t size;
  const wherry_transport_plugin* const* plugins;
  size_t plugin_count;
  int32_t durability;
  int32_t log_level;
  wherry_log_fn log;
  void* log_context;
};

/* What no version will reach. */
enum { SIZE_BEYOND = 4097, TAIL = 64 };

static wherry_profile profile;

/* An error of this many bytes, all of them set; the caller frees it. */
static wherry_error* error_of(size_t size, size_t said) {
  wherry_error* error = malloc(size);
  memset(error, 0x33, size);
  memcpy(error, &said, sizeof said);
  return error;
}

static int32_t fail_into(wherry_error* error) {
  return wherry_identity(profile, NULL, error);
}

static void an_older_error_is_filled(void) {
  wherry_error* error = error_of(sizeof(struct error_of_0_1), sizeof(struct error_of_0_1));
  CHECK_INT(fail_into(error), WHERRY_E_ARGUMENT);
  const struct error_of_0_1* old = (const struct error_of_0_1*)error;
  CHECK_INT(old->size, sizeof *old);
  CHECK_INT(old->status, WHERRY_E_ARGUMENT);
  CHECK_INT(old->reason, WHERRY_REASON_NONE);
  CHECK_TEXT(old->text, "identity is NULL");
  free(error);
}

static void the_tail_of_a_newer_error_is_left_alone(void) {
  const size_t size = sizeof(wherry_error) + TAIL;
  wherry_error* error = error_of(size, size);
  CHECK_INT(fail_into(error), WHERRY_E_ARGUMENT);
  CHECK_INT(error->size, size);
  CHECK_INT(error->status, WHERRY_E_ARGUMENT);
  CHECK_TEXT(error->text, "identity is NULL");
  for (size_t i = sizeof(wherry_error); i < size; ++i) {
    CHECK_INT(((const unsigned char*)error)[i], 0x33);
  }
  free(error);
}

/* It is not written to, and the call is not carried out. */
static void an_error_of_no_version_is_refused(void) {
  static const size_t sizes[] = {0, 1, sizeof(struct error_of_0_1) - 1, SIZE_BEYOND, SIZE_MAX};
  for (size_t i = 0; i < sizeof sizes / sizeof *sizes; ++i) {
    wherry_error* error = error_of(sizeof *error, sizes[i]);
    wherry_error* before = error_of(sizeof *error, sizes[i]);
    uint8_t identity[WHERRY_IDENTITY_SIZE] = {0}, nothing[WHERRY_IDENTITY_SIZE] = {0};
    CHECK_INT(wherry_identity(profile, identity, error), WHERRY_E_SIZE);
    CHECK_INT(wherry_card_parse(NULL, NULL, error), WHERRY_E_SIZE);
    CHECK(memcmp(identity, nothing, sizeof identity) == 0);
    CHECK(memcmp(error, before, sizeof *error) == 0);
    free(error);
    free(before);
  }
}

static int32_t create_with(const void* options, const char* name) {
  wherry_profile made = {42};
  const int32_t status =
      wherry_profile_create(&made, scratch(name), test_key, sizeof test_key, WHERRY_KEY_RAW,
                            (const wherry_profile_options*)options, NULL);
  if (status != WHERRY_OK) {
    CHECK_INT(made.id, 42);
    return status;
  }
  /* The plug-ins came with it. */
  uint64_t transport = 0;
  CHECK_OK(wherry_transport_add(made, &transport, "loopback", NULL, 0, details()));
  CHECK_OK(wherry_close(made));
  return status;
}

static void older_options_work(void) {
  const wherry_profile_options now = test_options();
  struct options_of_0_1* old = malloc(sizeof *old);
  *old = (struct options_of_0_1){.size = sizeof *old,
                                 .plugins = now.plugins,
                                 .plugin_count = now.plugin_count,
                                 .durability = WHERRY_DURABILITY_NORMAL,
                                 .log_level = 2};
  CHECK_INT(create_with(old, "older"), WHERRY_OK);
  old->durability = 2; /* what it has is looked at */
  CHECK_INT(create_with(old, "older-wrong"), WHERRY_E_ARGUMENT);
  free(old);
}

static void the_tail_of_newer_options_is_ignored(void) {
  struct {
    wherry_profile_options known;
    unsigned char unknown[TAIL];
  } newer;
  memset(&newer, 0x33, sizeof newer);
  newer.known = test_options();
  newer.known.size = sizeof newer;
  CHECK_INT(create_with(&newer, "newer"), WHERRY_OK);
}

static void options_of_no_version_are_refused(void) {
  static const size_t sizes[] = {0, 1, sizeof(struct options_of_0_1) - 1, SIZE_BEYOND, SIZE_MAX};
  for (size_t i = 0; i < sizeof sizes / sizeof *sizes; ++i) {
    wherry_profile_options options = test_options();
    options.size = sizes[i];
    CHECK_INT(create_with(&options, "none"), WHERRY_E_SIZE);
  }
}

int main(void) {
  profile = create("sizes");
  an_older_error_is_filled();
  the_tail_of_a_newer_error_is_left_alone();
  an_error_of_no_version_is_refused();
  older_options_work();
  the_tail_of_newer_options_is_ignored();
  options_of_no_version_are_refused();
  CHECK_OK(wherry_close(profile));
  return check_result();
}
