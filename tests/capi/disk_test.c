/* A full disk: sending fails and says so, events tell it, nothing that was promised is lost, and
 * all works again when there is room. Needs a small file system of its own, and so CAP_SYS_ADMIN.
 */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "check.h"
#include "support.h"

enum { MESSAGES_MAX = 4000, BODY_SIZE = 8192 };

static wherry_profile profile;
static uint64_t conversation;
static uint32_t promised, refused;
static uint8_t body[BODY_SIZE];

/* Mounts it in a namespace of this process, with which it goes. NULL, or why not. */
static const char* mount_small_disk(const char* at) {
  if (mkdir(at, 0700) != 0) return "mkdir";
  if (unshare(CLONE_NEWNS) != 0) return "unshare";
  if (mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0) return "mount --make-private";
  if (mount("none", at, "tmpfs", 0, "size=8m") != 0) return "mount tmpfs";
  return NULL;
}

/* Takes what room there is. */
static void fill_disk(void) {
  static uint8_t block[4096];
  const int file = open(scratch("disk/ballast"), O_WRONLY | O_CREAT | O_APPEND, 0600);
  check_must(CHECK(file >= 0));
  while (write(file, block, sizeof block) > 0) continue;
  CHECK_INT(errno, ENOSPC);
  close(file);
}

static int32_t send_number(uint32_t number) {
  uint64_t message = 0;
  memset(body, 'x', sizeof body);
  memcpy(body, &number, sizeof number);
  return wherry_send(profile, &message, conversation, ref_of(number), WHERRY_CONTENT_DATA, body,
                     sizeof body, details());
}

static void make_profile(void) {
  char card[WHERRY_CARD_TEXT_SIZE];
  uint64_t contact = 0;
  const wherry_profile other = create("other");
  const uint64_t transport = go_online(other, hub_name("disk"));
  MUST(wherry_card_make(other, card, sizeof card, transport, 0, details()));
  CHECK_OK(wherry_close(other));
  profile = create("disk/profile");
  MUST(wherry_contact_add(profile, &contact, card, "Other", details()));
  MUST(wherry_conversation_with(profile, &conversation, contact, details()));
}

static void sending_fails_when_it_is_full(void) {
  for (promised = 0; promised < 10; ++promised) CHECK_OK(send_number(promised));
  fill_disk();
  int32_t status = WHERRY_OK;
  for (; promised < MESSAGES_MAX; ++promised) {
    status = send_number(promised);
    if (status != WHERRY_OK) break;
  }
  CHECK_FAILS(WHERRY_E_DISK, status);
  refused = promised;
  CHECK_FAILS(WHERRY_E_DISK, send_number(refused)); /* at once, too */
  CHECK_INT(await_integer(profile, WHERRY_EVENT_STORAGE, 0, 0, WHERRY_FIELD_REASON),
            WHERRY_REASON_DISK);
  CHECK_OK(wherry_submit(profile, conversation, ref_of(MESSAGES_MAX), WHERRY_CONTENT_TEXT,
                         (const uint8_t*)"no room", 7, details()));
  CHECK_FAILS(WHERRY_E_DISK, wherry_sync(profile, WAIT_MS, details()));
}

/* Reading needs no room. */
static void check_history(uint32_t count) {
  uint64_t from = 0;
  uint32_t seen = 0;
  for (size_t found = 100; found == 100;) {
    wherry_page* page = NULL;
    MUST(
        wherry_history(profile, &page, conversation, from, WHERRY_DIRECTION_NEWER, 100, details()));
    found = wherry_page_count(page);
    for (size_t i = 0; i < found; ++i, ++seen) {
      const wherry_message* message = wherry_page_message(page, i);
      uint32_t number = 0;
      memcpy(&number, message->body, sizeof number);
      CHECK_INT(number, seen);
      CHECK_INT(message->body_size, BODY_SIZE);
      from = message->message;
    }
    wherry_page_free(page);
  }
  CHECK_INT(seen, count);
}

static void it_works_again_when_there_is_room(void) {
  CHECK_INT(unlink(scratch("disk/ballast")), 0);
  const int64_t deadline = now_ms() + WAIT_MS;
  int32_t status = WHERRY_E_DISK;
  while (status == WHERRY_E_DISK && now_ms() < deadline) {
    status = send_number(refused);
    if (status == WHERRY_E_DISK) pause_ms(50);
  }
  CHECK_OK(status);
  CHECK_INT(await_integer(profile, WHERRY_EVENT_STORAGE, 0, 0, WHERRY_FIELD_REASON),
            WHERRY_REASON_NONE);
  for (uint32_t number = refused + 1; number < refused + 10; ++number)
    CHECK_OK(send_number(number));
}

/* Neither closing nor opening is stopped by a full disk for longer than it should be. */
static void closing_while_it_is_full(uint32_t count) {
  fill_disk();
  int64_t from = now_ms();
  CHECK_OK(wherry_close(profile));
  CHECK(now_ms() - from < 5500);
  CHECK_INT(unlink(scratch("disk/ballast")), 0);
  profile = reopen("disk/profile");
  check_history(count);
  CHECK_OK(send_number(count));
  CHECK_OK(wherry_close(profile));
}

static void none_can_be_made_there(void) {
  wherry_profile none = {42};
  fill_disk();
  CHECK_FAILS(WHERRY_E_DISK,
              wherry_profile_create(&none, scratch("disk/second"), test_key, sizeof test_key,
                                    WHERRY_KEY_RAW, NULL, details()));
  CHECK_INT(none.id, 42);
  CHECK_INT(unlink(scratch("disk/ballast")), 0);
  CHECK_OK(wherry_close(create("disk/second"))); /* what was begun is no obstacle */
}

int main(void) {
  const char* failed = mount_small_disk(scratch("disk"));
  if (failed != NULL) {
    fprintf(stderr, "SKIPPED: a full disk is NOT TESTED on this machine: %s: %s\n", failed,
            strerror(errno));
    return CHECK_SKIPPED;
  }
  make_profile();
  sending_fails_when_it_is_full();
  check_history(promised);
  it_works_again_when_there_is_room();
  check_history(refused + 10);
  closing_while_it_is_full(refused + 10);
  none_can_be_made_there();
  CHECK_INT(umount2(scratch("disk"), MNT_DETACH), 0);
  return check_result();
}
