/* Profiles made and opened: what is there, what is not, keys, directories. */
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "check.h"
#include "support.h"

static int32_t open_at(wherry_profile* profile, const char* path, const char* phrase) {
  return wherry_profile_open(profile, path, (const uint8_t*)phrase, strlen(phrase),
                             WHERRY_KEY_PASSPHRASE, NULL, details());
}

static int32_t create_at(wherry_profile* profile, const char* path) {
  return wherry_profile_create(profile, path, test_key, sizeof test_key, WHERRY_KEY_RAW, NULL,
                               details());
}

static void a_passphrase_opens_what_it_made(void) {
  const char* path = scratch("phrase");
  wherry_profile profile = {42};
  uint8_t made[WHERRY_IDENTITY_SIZE], opened[WHERRY_IDENTITY_SIZE];
  struct stat about;
  CHECK_OK(wherry_profile_create(&profile, path, (const uint8_t*)"correct horse", 13,
                                 WHERRY_KEY_PASSPHRASE, NULL, details()));
  CHECK_OK(wherry_identity(profile, made, details()));
  CHECK_OK(wherry_close(profile));
  CHECK_INT(stat(path, &about), 0);
  CHECK_INT(about.st_mode & 07777, 0700);

  profile.id = 42;
  CHECK_FAILS(WHERRY_E_KEY, open_at(&profile, path, "correct horsf"));
  CHECK_FAILS(WHERRY_E_KEY, open_at(&profile, path, "correct hors"));
  CHECK_FAILS(WHERRY_E_KEY, open_at(&profile, path, "correct horse "));
  CHECK_FAILS(WHERRY_E_KEY, wherry_profile_open(&profile, path, test_key, sizeof test_key,
                                                WHERRY_KEY_RAW, NULL, details()));
  CHECK_INT(profile.id, 42);
  CHECK_OK(open_at(&profile, path, "correct horse"));
  CHECK_OK(wherry_identity(profile, opened, details()));
  CHECK(memcmp(made, opened, sizeof made) == 0);
  CHECK_OK(wherry_close(profile));
}

static void passphrases_have_1_to_1024_bytes(void) {
  uint8_t phrase[1024];
  memset(phrase, 0xee, sizeof phrase); /* any bytes, not only text */
  static const size_t sizes[] = {1, 1024};
  static const char* const names[] = {"shortest", "longest"};
  for (size_t i = 0; i < 2; ++i) {
    wherry_profile profile = {0};
    CHECK_OK(wherry_profile_create(&profile, scratch(names[i]), phrase, sizes[i],
                                   WHERRY_KEY_PASSPHRASE, NULL, details()));
    CHECK_OK(wherry_close(profile));
    CHECK_OK(wherry_profile_open(&profile, scratch(names[i]), phrase, sizes[i],
                                 WHERRY_KEY_PASSPHRASE, NULL, details()));
    CHECK_OK(wherry_close(profile));
  }
}

static void a_raw_key_opens_what_it_made(void) {
  uint8_t wrong[WHERRY_KEY_SIZE];
  wherry_profile profile = {42};
  memcpy(wrong, test_key, sizeof wrong);
  wrong[31] ^= 1;
  CHECK_OK(wherry_close(create("raw")));
  CHECK_FAILS(WHERRY_E_KEY, wherry_profile_open(&profile, scratch("raw"), wrong, sizeof wrong,
                                                WHERRY_KEY_RAW, NULL, details()));
  CHECK_FAILS(WHERRY_E_KEY, wherry_profile_open(&profile, scratch("raw"), test_key, sizeof test_key,
                                                WHERRY_KEY_PASSPHRASE, NULL, details()));
  CHECK_INT(profile.id, 42);
  CHECK_OK(wherry_close(reopen("raw")));
}

static void what_is_there_is_not_made_again(void) {
  wherry_profile profile = {42};
  uint8_t before[WHERRY_IDENTITY_SIZE], after[WHERRY_IDENTITY_SIZE];
  const wherry_profile first = create("there");
  CHECK_OK(wherry_identity(first, before, details()));
  CHECK_FAILS(WHERRY_E_LOCKED, create_at(&profile, scratch("there")));
  CHECK_OK(wherry_close(first));
  CHECK_FAILS(WHERRY_E_EXISTS, create_at(&profile, scratch("there")));
  CHECK_INT(profile.id, 42);
  const wherry_profile again = reopen("there");
  CHECK_OK(wherry_identity(again, after, details()));
  CHECK(memcmp(before, after, sizeof before) == 0);
  CHECK_OK(wherry_close(again));
}

static void what_is_not_there_is_not_opened(void) {
  wherry_profile profile = {42};
  CHECK_FAILS(WHERRY_E_NO_PROFILE, open_at(&profile, scratch("nowhere"), "p"));
  CHECK_FAILS(WHERRY_E_NO_PROFILE, open_at(&profile, scratch("nowhere/deeper"), "p"));
  CHECK(access(scratch("nowhere"), F_OK) != 0); /* nothing was made by asking */

  CHECK_INT(mkdir(scratch("empty"), 0700), 0);
  CHECK_FAILS(WHERRY_E_NO_PROFILE, open_at(&profile, scratch("empty"), "p"));
  CHECK_FAILS(WHERRY_E_NO_PROFILE, open_at(&profile, scratch("raw/profile"), "p"));
  CHECK_INT(profile.id, 42);
  /* An empty directory is as good as none to make one in. */
  CHECK_OK(create_at(&profile, scratch("empty")));
  CHECK_OK(wherry_close(profile));
}

static void where_none_can_be_made(void) {
  wherry_profile profile = {42};
  CHECK_FAILS(WHERRY_E_READ_ONLY, create_at(&profile, scratch("raw/profile")));
  CHECK_FAILS(WHERRY_E_READ_ONLY, create_at(&profile, scratch("no/parent")));
  CHECK_FAILS(WHERRY_E_READ_ONLY, create_at(&profile, "/proc/wherry"));
  CHECK_INT(profile.id, 42);
}

/* Nobody else: root may write everywhere. */
static void in_a_directory_without_write_permission(void) {
  enum { kNobody = 65534 };
  wherry_profile profile = {42};
  CHECK_INT(mkdir(scratch("shut"), 0755), 0);
  CHECK_OK(wherry_close(create("readable")));
  CHECK_INT(chmod(scratch("readable"), 0555), 0);
  CHECK_INT(chmod(scratch("readable/profile"), 0444), 0);
  CHECK_INT(chmod(scratch("."), 0755), 0);
  if (getuid() != 0) CHECK_INT(chmod(scratch("shut"), 0555), 0);
  const pid_t child = fork();
  if (child == 0) {
    if (getuid() == 0) CHECK_INT(setuid(kNobody), 0);
    CHECK_FAILS(WHERRY_E_READ_ONLY, create_at(&profile, scratch("shut/in")));
    CHECK_FAILS(WHERRY_E_READ_ONLY, create_at(&profile, scratch("shut")));
    CHECK_FAILS(WHERRY_E_READ_ONLY,
                wherry_profile_open(&profile, scratch("readable"), test_key, sizeof test_key,
                                    WHERRY_KEY_RAW, NULL, details()));
    CHECK_INT(profile.id, 42);
    _exit(check_result());
  }
  int status = -1;
  CHECK_INT(waitpid(child, &status, 0), child);
  CHECK_INT(status, 0);
  CHECK_INT(chmod(scratch("readable"), 0755), 0);
  CHECK_INT(chmod(scratch("shut"), 0755), 0);
}

int main(void) {
  a_passphrase_opens_what_it_made();
  passphrases_have_1_to_1024_bytes();
  a_raw_key_opens_what_it_made();
  what_is_there_is_not_made_again();
  what_is_not_there_is_not_opened();
  where_none_can_be_made();
  in_a_directory_without_write_permission();
  return check_result();
}
