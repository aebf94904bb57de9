/* A recogniser of JSON by recursive descent: each function returns where its rule ends, or NULL. */
#include "json.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

static const char* value(const char* at, int depth);

static const char* string(const char* at) {
  if (*at++ != '"') return NULL;
  for (; *at != '"'; ++at) {
    if ((unsigned char)*at < 0x20) return NULL; /* a control character, or the end */
    if (*at != '\\') continue;
    ++at;
    if (*at == 'u') {
      for (int i = 0; i < 4; ++i) {
        if (!isxdigit((unsigned char)*++at)) return NULL;
      }
    } else if (*at == 0 || strchr("\"\\/bfnrt", *at) == NULL) {
      return NULL;
    }
  }
  return at + 1;
}

static const char* digits(const char* at) {
  if (!isdigit((unsigned char)*at)) return NULL;
  while (isdigit((unsigned char)*at)) ++at;
  return at;
}

static const char* number(const char* at) {
  if (*at == '-') ++at;
  if (*at == '0' && isdigit((unsigned char)at[1])) return NULL;
  at = digits(at);
  if (at != NULL && *at == '.') at = digits(at + 1);
  if (at != NULL && (*at == 'e' || *at == 'E')) {
    ++at;
    if (*at == '+' || *at == '-') ++at;
    at = digits(at);
  }
  return at;
}

/* Elements of an array, or members of an object. */
static const char* list(const char* at, char end, int depth) {
  if (*++at == end) return at + 1;
  for (;;) {
    if (end == '}') {
      at = string(at);
      if (at == NULL || *at++ != ':') return NULL;
    }
    at = value(at, depth);
    if (at == NULL) return NULL;
    if (*at == end) return at + 1;
    if (*at++ != ',') return NULL;
  }
}

static const char* value(const char* at, int depth) {
  static const char* const words[] = {"true", "false", "null"};
  if (depth == 0) return NULL;
  if (*at == '{') return list(at, '}', depth - 1);
  if (*at == '[') return list(at, ']', depth - 1);
  if (*at == '"') return string(at);
  for (size_t i = 0; i < sizeof words / sizeof *words; ++i) {
    if (strncmp(at, words[i], strlen(words[i])) == 0) return at + strlen(words[i]);
  }
  return number(at);
}

int is_json(const char* text) {
  const char* end = text == NULL ? NULL : value(text, 16);
  return end != NULL && *end == 0;
}

int has_member(const char* text, const char* name, const char* start) {
  char wanted[256];
  snprintf(wanted, sizeof wanted, "\"%s\":%s", name, start);
  return text != NULL && strstr(text, wanted) != NULL;
}
