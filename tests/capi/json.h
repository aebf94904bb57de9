/* Whether a text is one JSON value on one line (RFC 8259), which members it has: all that the tests
 * need. */
#ifndef WHERRY_TESTS_CAPI_JSON_H
#define WHERRY_TESTS_CAPI_JSON_H

/* NULL is not JSON. */
int is_json(const char* text);
/* Whether `text` has the member `name` with a value that begins with `value`, anywhere. */
int has_member(const char* text, const char* name, const char* value);

#endif /* WHERRY_TESTS_CAPI_JSON_H */
