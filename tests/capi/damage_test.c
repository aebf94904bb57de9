/* Damaged files: every byte of the header, and the database cut, overwritten or gone. None of it
 * crashes, opens as if nothing were, or makes things worse. */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "check.h"
#include "support.h"

enum { HEADER_SIZE = 128, VERSION_AT = 8, VERSION_END = 10, MESSAGES = 200 };

static uint64_t conversation;

static const char* header_path(void) {
  return scratch("damaged/profile");
}
static const char* store_path(void) {
  return scratch("damaged/store.db");
}

static int32_t try_to_open(wherry_profile* profile) {
  const wherry_profile_options options = test_options();
  return wherry_profile_open(profile, scratch("damaged"), test_key, sizeof test_key, WHERRY_KEY_RAW,
                             &options, details());
}

static void write_at(const char* path, off_t at, const void* bytes, size_t size) {
  const int file = open(path, O_WRONLY);
  check_must(CHECK(file >= 0));
  CHECK_INT(pwrite(file, bytes, size, at), size);
  close(file);
}

static void refuses(int32_t status) {
  wherry_profile profile = {42};
  CHECK_FAILS(status, try_to_open(&profile));
  CHECK_INT(profile.id, 42);
}

static void every_byte_of_the_header_counts(void) {
  uint8_t header[HEADER_SIZE];
  const int file = open(header_path(), O_RDONLY);
  check_must(CHECK_INT(read(file, header, sizeof header), HEADER_SIZE));
  close(file);
  for (size_t at = 0; at < HEADER_SIZE; ++at) {
    const uint8_t changed = header[at] ^ 0x40;
    write_at(header_path(), (off_t)at, &changed, 1);
    refuses(at >= VERSION_AT && at < VERSION_END ? WHERRY_E_NEWER : WHERRY_E_CORRUPT);
    write_at(header_path(), (off_t)at, &header[at], 1);
  }
  static const off_t sizes[] = {0, 1, 64, HEADER_SIZE - 1, HEADER_SIZE + 1};
  for (size_t i = 0; i < sizeof sizes / sizeof *sizes; ++i) {
    CHECK_INT(truncate(header_path(), sizes[i]), 0);
    refuses(WHERRY_E_CORRUPT);
    CHECK_INT(truncate(header_path(), HEADER_SIZE), 0);
    write_at(header_path(), 0, header, sizeof header);
  }
  wherry_profile profile = {0};
  CHECK_OK(try_to_open(&profile));
  CHECK_OK(wherry_close(profile));
}

/* Fills the profile's history; returns the size of the database afterwards. */
static off_t fill(void) {
  static uint8_t body[4096];
  char card[WHERRY_CARD_TEXT_SIZE];
  uint64_t contact = 0;
  const wherry_profile profile = reopen("damaged"), other = create("other");
  const uint64_t transport = go_online(other, hub_name("damage"));
  MUST(wherry_card_make(other, card, sizeof card, transport, 0, details()));
  MUST(wherry_contact_add(profile, &contact, card, NULL, details()));
  MUST(wherry_conversation_with(profile, &conversation, contact, details()));
  for (uint32_t i = 0; i < MESSAGES; ++i) {
    memset(body, (int)i, sizeof body);
    CHECK_OK(wherry_submit(profile, conversation, ref_of(i), WHERRY_CONTENT_DATA, body, sizeof body,
                           details()));
  }
  CHECK_OK(wherry_sync(profile, -1, details()));
  CHECK_OK(wherry_close(profile));
  CHECK_OK(wherry_close(other));
  struct stat about;
  CHECK_INT(stat(store_path(), &about), 0);
  return about.st_size;
}

static void copy_file(const char* from, const char* to) {
  static uint8_t block[65536];
  const int in = open(from, O_RDONLY), out = open(to, O_WRONLY | O_CREAT | O_TRUNC, 0600);
  check_must(CHECK(in >= 0 && out >= 0));
  for (ssize_t size; (size = read(in, block, sizeof block)) > 0;) {
    CHECK_INT(write(out, block, (size_t)size), size);
  }
  close(in);
  close(out);
}

/* What was damaged far from what opening reads shows when it is read: never as wrong contents. */
static int opens_and_reads(void) {
  wherry_profile profile = {42};
  wherry_page* page = NULL;
  const int32_t opened = try_to_open(&profile);
  if (opened != WHERRY_OK) {
    CHECK_FAILS(WHERRY_E_CORRUPT, opened);
    CHECK_INT(profile.id, 42);
    return 0;
  }
  const int32_t read =
      wherry_history(profile, &page, conversation, 0, WHERRY_DIRECTION_NEWER, 1000, details());
  if (read != WHERRY_OK) {
    CHECK_FAILS(WHERRY_E_CORRUPT, read);
    CHECK(page == NULL);
  } else {
    CHECK_INT(wherry_page_count(page), MESSAGES);
    for (size_t i = 0; i < wherry_page_count(page); ++i) {
      CHECK_INT(wherry_page_message(page, i)->body[4095], (uint8_t)i);
    }
    wherry_page_free(page);
  }
  CHECK_OK(wherry_close(profile));
  return read == WHERRY_OK;
}

/* As it was, without the log that a damaged one may have left. */
static void restore(void) {
  unlink(scratch("damaged/store.db-wal"));
  unlink(scratch("damaged/store.db-shm"));
  copy_file(scratch("whole"), store_path());
}

static void the_database_cut_short(off_t size) {
  const off_t sizes[] = {0, 1, 100, 4096, 4097, size / 2, size - 4096, size - 2048, size - 1};
  for (size_t i = 0; i < sizeof sizes / sizeof *sizes; ++i) {
    restore();
    CHECK_INT(truncate(store_path(), sizes[i]), 0);
    CHECK(!opens_and_reads());
  }
}

static void the_database_overwritten(off_t size) {
  const uint8_t junk[64] = {0xff, 0xee, 0xdd};
  int noticed = 0;
  for (off_t page = 0; page * 4096 < size; page += 1 + page / 8) {
    restore();
    write_at(store_path(), page * 4096 + 2000, junk, sizeof junk);
    noticed += !opens_and_reads();
  }
  CHECK(noticed > 0);
  restore();
  write_at(store_path(), 0, junk, sizeof junk);
  CHECK(!opens_and_reads());
}

static void the_database_gone(void) {
  CHECK_INT(unlink(store_path()), 0);
  refuses(WHERRY_E_CORRUPT);
  /* It was not made anew, which would hide the loss. */
  CHECK(access(store_path(), F_OK) != 0);
  restore();
  CHECK(opens_and_reads());
}

int main(void) {
  CHECK_OK(wherry_close(create("damaged")));
  every_byte_of_the_header_counts();
  const off_t size = fill();
  copy_file(store_path(), scratch("whole"));
  CHECK(opens_and_reads());
  the_database_cut_short(size);
  the_database_overwritten(size);
  the_database_gone();
  return check_result();
}
