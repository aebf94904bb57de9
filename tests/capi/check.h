/*
 * Checks for the tests of the C interface. A check that fails prints where, what and the values,
 * and makes the program fail; the program goes on, so that one run shows all that is wrong.
 *
 *   CHECK(condition)             CHECK_INT(actual, expected)       CHECK_TEXT(actual, expected)
 *   CHECK_OK(call)               the call returns WHERRY_OK
 *   CHECK_FAILS(status, call)    the call fails so, and says so in details(), if it got that
 *   MUST(call)                   CHECK_OK whose failure ends the program: the rest needs it
 *
 * details() is a fresh wherry_error to hand to a call; each thread has its own.
 */
#ifndef WHERRY_TESTS_CAPI_CHECK_H
#define WHERRY_TESTS_CAPI_CHECK_H

#include "wherry/wherry.h"

#define CHECK(condition) check_true((condition) != 0, #condition, __FILE__, __LINE__)
#define CHECK_INT(actual, expected) \
  check_int((long long)(actual), (long long)(expected), #actual, __FILE__, __LINE__)
#define CHECK_TEXT(actual, expected) check_text((actual), (expected), #actual, __FILE__, __LINE__)
#define CHECK_OK(call) check_ok((call), #call, __FILE__, __LINE__)
#define CHECK_FAILS(status, call) check_fails((call), (status), #call, __FILE__, __LINE__)
#define MUST(call) check_must(check_ok((call), #call, __FILE__, __LINE__))

/* What a program returns that could not test anything on this machine. */
#define CHECK_SKIPPED 77

/* Each returns whether the check held. */
int check_true(int held, const char* expression, const char* file, int line);
int check_int(long long actual, long long expected, const char* expression, const char* file,
              int line);
int check_text(const char* actual, const char* expected, const char* expression, const char* file,
               int line);
int check_ok(int32_t status, const char* expression, const char* file, int line);
int check_fails(int32_t status, int32_t expected, const char* expression, const char* file,
                int line);
void check_must(int held);

wherry_error* details(void);

/* For the end of main: 0 if every check held, else 1. */
int check_result(void);

#endif /* WHERRY_TESTS_CAPI_CHECK_H */
