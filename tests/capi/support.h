/*
 * What the tests of the C interface share: a scratch directory, profiles on the loopback transport,
 * and waiting for events. Everything here is done through wherry.h; what must not fail ends the
 * program.
 */
#ifndef WHERRY_TESTS_CAPI_SUPPORT_H
#define WHERRY_TESTS_CAPI_SUPPORT_H

#include "wherry/wherry.h"

enum { PATH_ROOM = 512, WAIT_MS = 20000 };

/* A raw key: opening is fast with it. */
extern const uint8_t test_key[WHERRY_KEY_SIZE];

/* A path in this program's own directory, which is made when first asked for and removed at the
 * end. Several calls may be in use at once: each path has its place in a ring of 16. */
const char* scratch(const char* name);
void remove_tree(const char* path);

int64_t now_ms(void); /* steady */
void pause_ms(int64_t duration_ms);

/* The loopback transport, and commits that do not wait for the disk. */
wherry_profile_options test_options(void);

wherry_profile create(const char* name);
wherry_profile reopen(const char* name);

/* The name of a hub that no other program and no other `part` of this one uses. */
const char* hub_name(const char* part);
/* Adds the loopback transport, starts it and waits until it is online. Returns its id. */
uint64_t go_online(wherry_profile profile, const char* hub);
/* Waits until the transport is in this state. */
void await_state(wherry_profile profile, uint64_t transport, int32_t state);

/* Pulls events until one of this type has this value; frees what comes before. The caller frees the
 * result. With field 0 any event of the type will do. */
wherry_event* await_event(wherry_profile profile, int32_t type, int32_t field, int64_t value);
/* The same, freed; returns the integer `wanted` of it. */
int64_t await_integer(wherry_profile profile, int32_t type, int32_t field, int64_t value,
                      int32_t wanted);
/* Pulls and acknowledges everything that comes until nothing has come for `quiet_ms`. */
void drain(wherry_profile profile, int32_t quiet_ms);

/* Two people who know each other, online on one hub. */
struct pair {
  wherry_profile alice, bob;
  uint64_t to_bob; /* Alice's conversation */
  uint64_t to_alice;
  uint64_t alice_transport, bob_transport;
};
/* Makes the profiles "alice<suffix>" and "bob<suffix>". */
struct pair meet(const char* suffix);

uint64_t send_text(wherry_profile profile, uint64_t conversation, const char* text);
/* A ref that says a number. */
const uint8_t* ref_of(uint32_t number);

#endif /* WHERRY_TESTS_CAPI_SUPPORT_H */
