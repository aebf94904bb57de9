/* After a fork without exec the child's profiles are refused; the parent's go on undisturbed. */
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "check.h"
#include "support.h"

static void the_child_is_refused(wherry_profile profile) {
  const int32_t status = WHERRY_E_FORKED;
  uint8_t identity[WHERRY_IDENTITY_SIZE] = {7};
  uint64_t id = 42;
  wherry_page* page = NULL;
  wherry_event* event = NULL;
  int32_t handle = -7;
  CHECK_FAILS(status, wherry_identity(profile, identity, details()));
  CHECK_FAILS(status, wherry_transport_list(profile, &page, details()));
  CHECK_FAILS(status, wherry_contact_list(profile, &page, 0, 10, details()));
  CHECK_FAILS(status, wherry_send(profile, &id, 1, NULL, WHERRY_CONTENT_TEXT, (const uint8_t*)"a",
                                  1, details()));
  CHECK_FAILS(status, wherry_sync(profile, -1, details()));
  CHECK_FAILS(status, wherry_next_event(profile, &event, -1, details()));
  CHECK_FAILS(status, wherry_wait_handle(profile, &handle, details()));
  CHECK_FAILS(status, wherry_close(profile));
  CHECK_INT(identity[0], 7);
  CHECK_INT(id, 42);
  CHECK_INT(handle, -7);
  CHECK(page == NULL && event == NULL);
}

static void while_the_parent_goes_on(void) {
  struct pair two = meet("-fork");
  const pid_t child = fork();
  if (child == 0) {
    the_child_is_refused(two.alice);
#ifndef __SANITIZE_THREAD__ /* which lets such a child start no threads */
    /* A profile of its own is fine. */
    CHECK_OK(wherry_close(create("child")));
#endif
    _exit(check_result());
  }
  int status = -1;
  CHECK_INT(waitpid(child, &status, 0), child);
  CHECK_INT(status, 0);
  send_text(two.alice, two.to_bob, "still here");
  await_integer(two.alice, WHERRY_EVENT_EVIDENCE, WHERRY_FIELD_EVIDENCE, WHERRY_EVIDENCE_DELIVERED,
                WHERRY_FIELD_MESSAGE);
  CHECK_OK(wherry_close(two.alice));
  CHECK_OK(wherry_close(two.bob));
}

/* A child that lives on does not keep the parent's profile locked. */
static void a_child_holds_no_lock(void) {
  const wherry_profile profile = create("outlived");
  const pid_t child = fork();
  if (child == 0) {
    for (;;) pause();
  }
  CHECK_OK(wherry_close(profile));
  wherry_profile again = {0};
  const int32_t status = wherry_profile_open(&again, scratch("outlived"), test_key, sizeof test_key,
                                             WHERRY_KEY_RAW, NULL, details());
  if (CHECK_OK(status)) CHECK_OK(wherry_close(again));
  CHECK_INT(kill(child, SIGKILL), 0);
  CHECK_INT(waitpid(child, NULL, 0), child);
}

int main(void) {
  while_the_parent_goes_on();
  a_child_holds_no_lock();
  return check_result();
}
