/* A program that links failing_new.cpp can make the library run out of memory. */
#ifndef WHERRY_TESTS_CAPI_FAILING_NEW_H
#define WHERRY_TESTS_CAPI_FAILING_NEW_H

#ifdef __cplusplus
extern "C" {
#endif

/* From now on this thread's operator new succeeds `count` times, and then fails each time.
 * Negative: it does not fail any more. */
void fail_new_after(int count);

#ifdef __cplusplus
}
#endif
#endif /* WHERRY_TESTS_CAPI_FAILING_NEW_H */
