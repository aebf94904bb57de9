/* Checks that count and print; what a call may and must write into a wherry_error. */
#include "check.h"

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const int32_t kUnused = -12345;
static const char kUntouched[] = "untouched";

static atomic_int failures;
static _Thread_local wherry_error last;
static _Thread_local int last_given; /* details() was called and not yet looked at */

static int failed(const char* file, int line, const char* expression) {
  atomic_fetch_add(&failures, 1);
  fprintf(stderr, "%s:%d: %s\n", file, line, expression);
  return 0;
}

int check_true(int held, const char* expression, const char* file, int line) {
  return held ? 1 : failed(file, line, expression);
}

int check_int(long long actual, long long expected, const char* expression, const char* file,
              int line) {
  if (actual == expected) return 1;
  failed(file, line, expression);
  fprintf(stderr, "  is %lld, not %lld\n", actual, expected);
  return 0;
}

int check_text(const char* actual, const char* expected, const char* expression, const char* file,
               int line) {
  if (actual != NULL && strcmp(actual, expected) == 0) return 1;
  failed(file, line, expression);
  fprintf(stderr, "  is \"%s\", not \"%s\"\n", actual == NULL ? "(NULL)" : actual, expected);
  return 0;
}

wherry_error* details(void) {
  memset(&last, 0x5a, sizeof last);
  last.size = sizeof last;
  last.status = kUnused;
  last.reason = kUnused;
  strcpy(last.text, kUntouched);
  last_given = 1;
  return &last;
}

static int is_untouched(void) {
  return last.size == sizeof last && last.status == kUnused && last.reason == kUnused &&
         strcmp(last.text, kUntouched) == 0;
}

int check_ok(int32_t status, const char* expression, const char* file, int line) {
  const int given = last_given;
  last_given = 0;
  if (status == WHERRY_OK) {
    if (!given || is_untouched()) return 1;
    failed(file, line, expression);
    fprintf(stderr, "  succeeded and yet wrote into its wherry_error: %s\n", last.text);
    return 0;
  }
  failed(file, line, expression);
  fprintf(stderr, "  failed with %d: %s\n", (int)status,
          given ? last.text : wherry_status_text(status));
  return 0;
}

/* A status, and one line of text that is not empty. */
static int is_filled(int32_t expected) {
  const char* end = memchr(last.text, 0, sizeof last.text);
  return last.size == sizeof last && last.status == expected && last.reason != kUnused &&
         end != NULL && end != last.text && strcmp(last.text, kUntouched) != 0 &&
         strpbrk(last.text, "\r\n") == NULL;
}

int check_fails(int32_t status, int32_t expected, const char* expression, const char* file,
                int line) {
  const int given = last_given;
  last_given = 0;
  if (status != expected) {
    failed(file, line, expression);
    fprintf(stderr, "  returned %d (%s), not %d (%s)\n", (int)status,
            status != WHERRY_OK && given ? last.text : wherry_status_text(status), (int)expected,
            wherry_status_text(expected));
    return 0;
  }
  if (!given || is_filled(expected)) return 1;
  failed(file, line, expression);
  fprintf(stderr, "  its wherry_error is not filled: status %d, reason %d, \"%.255s\"\n",
          (int)last.status, (int)last.reason, last.text);
  return 0;
}

void check_must(int held) {
  if (!held) exit(1);
}

int check_result(void) {
  const int count = atomic_load(&failures);
  if (count != 0) fprintf(stderr, "%d checks failed\n", count);
  return count == 0 ? 0 : 1;
}
