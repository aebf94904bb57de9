/*
 * wherry/wherry.h: the application interface of Wherry, and its manual.
 *
 * Wherry is a messaging SDK: one identity, one message model and one end-to-end encryption over
 * several kinds of network. An app opens a profile, exchanges contact cards with other people,
 * sends messages, and pulls events.
 *
 * Rules
 *  - Status: every function that can fail returns a wherry_status as int32_t; WHERRY_OK is 0.
 *    Details go to an optional wherry_error of the caller's (NULL: not wanted). There is no global
 *    last error. A failed call has no effect and leaves its outputs untouched, unless it says
 *    otherwise. Functions that look into a page or an event return what they find; 0 or NULL: none.
 *  - Arguments: handle, outputs, inputs, each length after its pointer, error.
 *  - Handle: only wherry_profile. A closed, foreign or invented one gives WHERRY_E_HANDLE, never a
 *    crash. Contacts, conversations, messages and transports are 64-bit ids that persist with the
 *    profile; 0 is none of them.
 *  - Threads: any function may be called from any thread at any time, unless it says otherwise.
 *  - Ownership: what the library allocates has its own `_free`; pointers out of an object live
 *    until that call. Inputs are borrowed until the call returns.
 *  - Open structs begin with `size`; those that a caller makes have a WHERRY_..._INIT, which sets
 *    it. Structs grow only at the end, and one from an older or a newer header works: a member that
 *    the caller's header has not is as _INIT would set it, one that the library has not is ignored.
 *  - Texts are UTF-8 and end with NUL; other bytes come with a length, or a macro names it. Lengths
 *    are in bytes, times in milliseconds since 1970-01-01 UTC, time-outs in milliseconds (negative:
 *    without limit).
 *  - What the Returns lines do not repeat: a function that returns a wherry_status may also return
 *    WHERRY_E_MEMORY and WHERRY_E_INTERNAL (a bug of the library); one that takes a profile
 *    WHERRY_E_HANDLE (not open), WHERRY_E_FORKED (opened before a fork) and WHERRY_E_CLOSED (being
 *    closed); one with an error WHERRY_E_SIZE. Where WHERRY_E_DISK is listed, WHERRY_E_CORRUPT,
 *    WHERRY_E_READ_ONLY and WHERRY_E_LOCKED may come in its place: the environment changed under an
 *    open profile.
 *  - The library installs no signal handlers and starts no process.
 *
 * The lines Returns, Out, In, Ownership and Threads are read by cmake/describe.py; bindings come
 * from them.
 */
#ifndef WHERRY_H
#define WHERRY_H

#include <stddef.h>
#include <stdint.h>

#include "wherry_schema.h"

#if defined(_WIN32)
#define WHERRY_API __declspec(dllimport)
#elif defined(__GNUC__)
#define WHERRY_API __attribute__((visibility("default")))
#else
#define WHERRY_API
#endif

#ifdef __cplusplus
extern "C" {
#endif

/* ---- Sizes ---------------------------------------------------------------------------------- */

/* An identity's public key, in bytes (Ed25519). */
#define WHERRY_IDENTITY_SIZE 32
/* A message's id, and a caller's ref, in bytes. */
#define WHERRY_ID_SIZE 16
/* A raw key of a profile, in bytes. */
#define WHERRY_KEY_SIZE 32
/* Room for a contact card's text, in bytes with its NUL. */
#define WHERRY_CARD_TEXT_SIZE 361
/* The largest body of a message, in bytes. */
#define WHERRY_BODY_SIZE_MAX 32768
/* The longest name of a contact, in bytes without its NUL. */
#define WHERRY_NAME_SIZE_MAX 255
/* Room for the text of an error, in bytes with its NUL. */
#define WHERRY_ERROR_TEXT_SIZE 256

/* ---- Status --------------------------------------------------------------------------------- */

/*
 * What a call says. 100 to 199: the caller's bug. 200 to 299: input from another person. 300 to
 * 399: the environment. 400 and above: nothing is wrong, but not now.
 */
typedef enum wherry_status {
  WHERRY_OK = 0,

  /* A pointer is NULL, a length or number out of range, an enumeration's value unknown. */
  WHERRY_E_ARGUMENT = 100,
  /* The profile is not open: closed, foreign or invented. */
  WHERRY_E_HANDLE = 101,
  /* The `size` member of a struct is less than in any version, or above 4096: it was not set. */
  WHERRY_E_SIZE = 102,
  /* A text is not valid UTF-8. */
  WHERRY_E_UTF8 = 103,
  /* The process forked after the profile was opened. */
  WHERRY_E_FORKED = 104,
  /* The profile was closed while the call waited. */
  WHERRY_E_CLOSED = 105,
  /* No contact, conversation, message or transport has this id or name. */
  WHERRY_E_NOT_FOUND = 106,
  /* It exists already. */
  WHERRY_E_EXISTS = 107,
  /* The call does not fit the object's state. */
  WHERRY_E_STATE = 108,
  /* The body or text is too large. */
  WHERRY_E_TOO_LARGE = 109,
  /* A setting is unknown, missing or malformed. */
  WHERRY_E_SETTING = 110,
  /* The same ref was used for another message. */
  WHERRY_E_REF = 111,
  /* It would reveal more than the profile permits. */
  WHERRY_E_PERMITS = 112,

  /* This is not a contact card, or it is cut off or mistyped. */
  WHERRY_E_CARD_MALFORMED = 200,
  /* The card's signature does not fit. */
  WHERRY_E_CARD_FORGED = 201,
  /* The card has expired: ask for a new one. */
  WHERRY_E_CARD_EXPIRED = 202,
  /* The card is this profile's own. */
  WHERRY_E_CARD_OWN = 203,
  /* The card was made by a newer version. */
  WHERRY_E_CARD_VERSION = 204,

  /* The disk is full or failed; nothing was changed. */
  WHERRY_E_DISK = 300,
  /* The profile is open in another process, or in this one. */
  WHERRY_E_LOCKED = 301,
  /* The passphrase or key is wrong. */
  WHERRY_E_KEY = 302,
  /* The profile's files are damaged. */
  WHERRY_E_CORRUPT = 303,
  /* The profile was written by a newer version. */
  WHERRY_E_NEWER = 304,
  /* The profile's directory can not be written to. */
  WHERRY_E_READ_ONLY = 305,
  /* There is no profile at this path. */
  WHERRY_E_NO_PROFILE = 306,
  /* Out of memory, threads or descriptors. */
  WHERRY_E_MEMORY = 307,
  /* A bug of the library: please report it. */
  WHERRY_E_INTERNAL = 308,

  /* A queue is full: call again later. */
  WHERRY_E_AGAIN = 400,
  /* Nothing came within the time. */
  WHERRY_E_TIMEOUT = 401
} wherry_status;

/* Details of a failure, in memory of the caller. */
typedef struct wherry_error {
  size_t size;                       /* sizeof(wherry_error) */
  int32_t status;                    /* wherry_status */
  int32_t reason;                    /* wherry_reason, or WHERRY_REASON_NONE */
  char text[WHERRY_ERROR_TEXT_SIZE]; /* one line of English that says what to do */
} wherry_error;
#define WHERRY_ERROR_INIT {sizeof(wherry_error), 0, 0, {0}}

/*
 * The library's version, "MAJOR.MINOR.PATCH".
 *
 * Returns: a text in static storage.
 */
WHERRY_API const char* wherry_version(void);

/*
 * A default English text for a status.
 *
 * Returns: a text in static storage; "unknown status" for a value it does not know.
 * In: status, a wherry_status.
 */
WHERRY_API const char* wherry_status_text(int32_t status);

/*
 * A default English text for a reason.
 *
 * Returns: a text in static storage; "unknown reason" for a value it does not know.
 * In: reason, a wherry_reason.
 */
WHERRY_API const char* wherry_reason_text(int32_t reason);

/* ---- Profile -------------------------------------------------------------------------------- */

/* An open profile. Copy it freely; it owns nothing by itself. */
typedef struct wherry_profile {
  uint64_t id;
} wherry_profile;

/* A transport's plug-in table; see wherry/transport.h. */
typedef struct wherry_transport_plugin wherry_transport_plugin;

/*
 * Receives log lines: context as given; level, a wherry_log_level (0 error, 1 warning, 2 info,
 * 3 debug); text, one line, borrowed. Called from any thread, one call at a time for each profile.
 * It must not call the library and must not block.
 */
typedef void (*wherry_log_fn)(void* context, int32_t level, const char* text);

/* How a profile's key is given. */
typedef enum wherry_key_kind {
  /* A passphrase of 1 to 1024 bytes; stretched by Argon2id, about 0.1 s. */
  WHERRY_KEY_PASSPHRASE = 1,
  /* WHERRY_KEY_SIZE random bytes that the app keeps safe, such as in a key chain. */
  WHERRY_KEY_RAW = 2
} wherry_key_kind;

/* When a commit counts as durable. */
typedef enum wherry_durability {
  /* After the disk said so (the default): survives loss of power. */
  WHERRY_DURABILITY_FULL = 0,
  /* After the system has it: survives a crash of the app, not loss of power. */
  WHERRY_DURABILITY_NORMAL = 1
} wherry_durability;

typedef struct wherry_profile_options {
  size_t size;                                   /* sizeof(wherry_profile_options) */
  const wherry_transport_plugin* const* plugins; /* the transports this app links; static storage */
  size_t plugin_count;
  int32_t durability; /* wherry_durability */
  int32_t log_level;  /* lines above this level are not made */
  wherry_log_fn log;  /* NULL: no log */
  void* log_context;
} wherry_profile_options;
#define WHERRY_PROFILE_OPTIONS_INIT {sizeof(wherry_profile_options), NULL, 0, 0, 2, NULL, NULL}

/*
 * Makes a new profile, with a new identity, in a directory, and opens it.
 *
 * Returns: WHERRY_OK, E_ARGUMENT, E_SIZE (the options, or a plug-in's table), E_UTF8, E_EXISTS
 *   (there is a profile here), E_LOCKED, E_READ_ONLY, E_DISK, E_MEMORY.
 * Out: profile.
 * In: path, a directory, made with mode 0700 if it is not there; key, key_size in bytes, key_kind
 *   (wherry_key_kind); options, NULL for the defaults.
 * Ownership: close it with wherry_close.
 */
WHERRY_API int32_t wherry_profile_create(wherry_profile* profile, const char* path,
                                         const uint8_t* key, size_t key_size, int32_t key_kind,
                                         const wherry_profile_options* options,
                                         wherry_error* error);

/*
 * Opens a profile. Transports that were started when it was closed are started again.
 *
 * Returns: WHERRY_OK, E_ARGUMENT, E_SIZE, E_UTF8, E_NO_PROFILE, E_LOCKED, E_KEY, E_CORRUPT,
 *   E_NEWER, E_READ_ONLY, E_DISK, E_MEMORY.
 * Out: profile.
 * In: path, key, key_size, key_kind, options: as for wherry_profile_create.
 * Ownership: close it with wherry_close.
 */
WHERRY_API int32_t wherry_profile_open(wherry_profile* profile, const char* path,
                                       const uint8_t* key, size_t key_size, int32_t key_kind,
                                       const wherry_profile_options* options, wherry_error* error);

/*
 * Closes a profile: commits what was accepted, stops its transports and joins its threads, within
 * 5 seconds, unless the disk or a plug-in hangs in a call. Calls that wait in other threads return
 * WHERRY_E_CLOSED. Events and pages stay valid.
 *
 * Returns: WHERRY_OK, E_HANDLE, E_FORKED.
 * In: profile.
 */
WHERRY_API int32_t wherry_close(wherry_profile profile);

/*
 * This profile's identity.
 *
 * Returns: WHERRY_OK, E_ARGUMENT.
 * Out: identity, WHERRY_IDENTITY_SIZE bytes: the public key that contacts know and verify.
 */
WHERRY_API int32_t wherry_identity(wherry_profile profile, uint8_t* identity, wherry_error* error);

/* ---- Transports ----------------------------------------------------------------------------- */

/* A setting of a transport, as the user gave it. */
typedef struct wherry_option {
  const char* name;
  const char* value;
} wherry_option;

/* A transport of a profile. Pointers live as long as the page. */
typedef struct wherry_transport_info {
  size_t size;
  uint64_t transport;
  const char* name; /* the plug-in's */
  int32_t started;  /* 1 if it is to be running, 0 if not */
  int32_t state;    /* wherry_transport_state */
  int32_t percent;  /* 0..100 while starting */
  int32_t reason;   /* wherry_reason, when degraded or failed */
} wherry_transport_info;

/*
 * Configures a transport in this profile. It is not started.
 *
 * Returns: WHERRY_OK, E_ARGUMENT, E_UTF8, E_NOT_FOUND (no such plug-in among the options),
 *   E_EXISTS (this plug-in is configured already), E_SETTING (also what only the plug-in can tell,
 *   as an address of its own form), E_DISK.
 * Out: transport.
 * In: name, the plug-in's; settings, setting_count of them, names and values as
 *   wherry_transport_describe lists them.
 */
WHERRY_API int32_t wherry_transport_add(wherry_profile profile, uint64_t* transport,
                                        const char* name, const wherry_option* settings,
                                        size_t setting_count, wherry_error* error);

/*
 * Changes settings of a transport: those named; the others stay. If it is running, it is stopped
 * and started with the new ones; if they reveal more than the profile permits, it stays FAILED with
 * the reason PERMITS.
 *
 * Returns: WHERRY_OK, E_ARGUMENT, E_UTF8, E_NOT_FOUND, E_SETTING, E_DISK.
 * In: transport, settings, setting_count.
 */
WHERRY_API int32_t wherry_transport_set(wherry_profile profile, uint64_t transport,
                                        const wherry_option* settings, size_t setting_count,
                                        wherry_error* error);

/*
 * Starts a transport, now and whenever the profile is opened. Its states come as events.
 *
 * Returns: WHERRY_OK, E_NOT_FOUND, E_SETTING, E_PERMITS (being online there reveals more than the
 *   profile permits; it stays as it was), E_DISK.
 * In: transport.
 */
WHERRY_API int32_t wherry_transport_start(wherry_profile profile, uint64_t transport,
                                          wherry_error* error);

/*
 * Stops a transport, until it is started.
 *
 * Returns: WHERRY_OK, E_NOT_FOUND, E_DISK.
 * In: transport.
 */
WHERRY_API int32_t wherry_transport_stop(wherry_profile profile, uint64_t transport,
                                         wherry_error* error);

/*
 * Tells all transports what changed around the app, which only the system knows. After a change of
 * networks connections are made anew at once: without this call a dead one is noticed within a
 * minute or two. The other changes are passed on; the transports of this version do not use them.
 *
 * Returns: WHERRY_OK, E_ARGUMENT (no change, or an unknown one), E_DISK.
 * In: changes, bits of wherry_change.
 */
WHERRY_API int32_t wherry_update(wherry_profile profile, uint32_t changes, wherry_error* error);

/* A page of results: immutable, of one kind of item. */
typedef struct wherry_page wherry_page;

/*
 * The transports of this profile, with their states.
 *
 * Returns: WHERRY_OK, E_ARGUMENT, E_DISK.
 * Out: page, of wherry_transport_info.
 * Ownership: wherry_page_free.
 */
WHERRY_API int32_t wherry_transport_list(wherry_profile profile, wherry_page** page,
                                         wherry_error* error);

/*
 * What a plug-in is, can do and reveals, and its settings, as a JSON object: name, version, help,
 * architecture, abilities, latency, envelope_size_max, reveals, settings (each with name, type,
 * default, help).
 *
 * Returns: WHERRY_OK, E_ARGUMENT, E_UTF8, E_NOT_FOUND.
 * Out: page, without items; its wherry_page_json is the description.
 * In: name, the plug-in's.
 * Ownership: wherry_page_free.
 */
WHERRY_API int32_t wherry_transport_describe(wherry_profile profile, wherry_page** page,
                                             const char* name, wherry_error* error);

/* ---- Contact cards -------------------------------------------------------------------------- */

/* What a contact card says. Pointers live as long as the page. */
typedef struct wherry_card_info {
  size_t size;
  uint8_t identity[WHERRY_IDENTITY_SIZE]; /* whose card it is */
  const char* transport;                  /* the name of the network it leads to */
  const char* endpoint;                   /* where on that network */
  int64_t expires_ms;
  int32_t expired; /* 1 if it has expired by this machine's clock */
} wherry_card_info;

/*
 * Makes a contact card: a text of at most 360 characters that lets whoever holds it write to this
 * profile until it expires. Give it to people over a channel that shows it comes from you. Waits up
 * to 10 s until the transport has taken the keys that belong to it.
 *
 * Returns: WHERRY_OK, E_ARGUMENT, E_NOT_FOUND (no such transport), E_STATE (the transport did not
 *   take it in time: start it and wait until it is online), E_TOO_LARGE (capacity), E_DISK.
 * Out: text, NUL-terminated, capacity in bytes: WHERRY_CARD_TEXT_SIZE is enough.
 * In: transport; valid_s, for how many seconds (0: 30 days; at most 365 days).
 */
WHERRY_API int32_t wherry_card_make(wherry_profile profile, char* text, size_t capacity,
                                    uint64_t transport, uint32_t valid_s, wherry_error* error);

/*
 * Reads a contact card and checks its signature. An expired one is read too.
 *
 * Returns: WHERRY_OK, E_ARGUMENT, E_UTF8, E_CARD_MALFORMED, E_CARD_FORGED, E_CARD_VERSION.
 * Out: page, of one wherry_card_info.
 * In: text, the card; spaces and line breaks around and within it are ignored.
 * Ownership: wherry_page_free.
 */
WHERRY_API int32_t wherry_card_parse(wherry_page** page, const char* text, wherry_error* error);

/* ---- Contacts ------------------------------------------------------------------------------- */

/* A person. Pointers live as long as the page. */
typedef struct wherry_contact {
  size_t size;
  uint64_t contact;
  int32_t state; /* wherry_contact_state */
  uint8_t identity[WHERRY_IDENTITY_SIZE];
  const char* name;      /* as this profile calls them; may be empty */
  uint64_t conversation; /* the direct conversation with them */
  int64_t added_ms;
} wherry_contact;

/*
 * Adds the person whose card this is, and the direct conversation with them. A new card of a
 * contact who has not answered yet replaces the old one and the messages go that way; with one who
 * has, it is kept for the next handshake. Someone whose request waits is accepted by it. Messages
 * can be sent at once; they wait until the person's keys have been fetched.
 *
 * Returns: WHERRY_OK, E_ARGUMENT, E_UTF8, E_CARD_MALFORMED, E_CARD_FORGED, E_CARD_EXPIRED,
 *   E_CARD_OWN, E_CARD_VERSION, E_TOO_LARGE (name), E_DISK.
 * Out: contact.
 * In: card, its text; name, how to call them, NULL to leave it as it is.
 */
WHERRY_API int32_t wherry_contact_add(wherry_profile profile, uint64_t* contact, const char* card,
                                      const char* name, wherry_error* error);

/*
 * Accepts a person who wrote by holding this profile's card. Until then nothing is sent to them,
 * not even that their message has come.
 *
 * Returns: WHERRY_OK, E_NOT_FOUND, E_UTF8, E_TOO_LARGE (name), E_DISK.
 * In: contact; name, how to call them, NULL to leave it as it is.
 */
WHERRY_API int32_t wherry_contact_accept(wherry_profile profile, uint64_t contact, const char* name,
                                         wherry_error* error);

/*
 * Contacts in the order in which they were added.
 *
 * Returns: WHERRY_OK, E_ARGUMENT, E_DISK, E_CORRUPT.
 * Out: page, of wherry_contact.
 * In: after, a contact's id, 0 for the first page; limit, 1 to 1000.
 * Ownership: wherry_page_free.
 */
WHERRY_API int32_t wherry_contact_list(wherry_profile profile, wherry_page** page, uint64_t after,
                                       uint32_t limit, wherry_error* error);

/* ---- Conversations -------------------------------------------------------------------------- */

/* A conversation. */
typedef struct wherry_conversation {
  size_t size;
  uint64_t conversation;
  uint64_t contact;       /* whom it is with */
  uint64_t last_message;  /* 0: none yet */
  uint64_t waiting_count; /* messages of this profile not yet sent */
  int32_t waiting;        /* wherry_reason why they wait; NONE if none does */
} wherry_conversation;

/*
 * Conversations in the order in which they were made.
 *
 * Returns: WHERRY_OK, E_ARGUMENT, E_DISK, E_CORRUPT.
 * Out: page, of wherry_conversation.
 * In: after, a conversation's id, 0 for the first page; limit, 1 to 1000.
 * Ownership: wherry_page_free.
 */
WHERRY_API int32_t wherry_conversation_list(wherry_profile profile, wherry_page** page,
                                            uint64_t after, uint32_t limit, wherry_error* error);

/*
 * The direct conversation with a contact.
 *
 * Returns: WHERRY_OK, E_ARGUMENT, E_NOT_FOUND, E_DISK, E_CORRUPT.
 * Out: conversation.
 * In: contact.
 */
WHERRY_API int32_t wherry_conversation_with(wherry_profile profile, uint64_t* conversation,
                                            uint64_t contact, wherry_error* error);

/* ---- Permits -------------------------------------------------------------------------------- */

/*
 * Permits are what may be revealed: a set of (observer, fact) pairs, as wherry_reveals. A profile
 * has permits, which cap those of every conversation and govern what happens outside of one:
 * connecting, listening, look-ups. A conversation has its own, and the other person theirs, which
 * are told to this side. Nothing is sent over a path that reveals more than all three permit:
 * messages wait then, with the reason PERMITS. A new profile or conversation permits everything.
 */

/*
 * A set of permits that has a name. Sets may be combined: what two of them permit is the bitwise
 * AND of their facts.
 *
 * Returns: WHERRY_OK, E_ARGUMENT (there is no such set).
 * Out: permits.
 * In: preset, a wherry_permits.
 */
WHERRY_API int32_t wherry_permits_preset(wherry_reveals* permits, int32_t preset,
                                         wherry_error* error);

/*
 * What the profile permits.
 *
 * Returns: WHERRY_OK, E_ARGUMENT, E_DISK.
 * Out: permits.
 */
WHERRY_API int32_t wherry_profile_permits(wherry_profile profile, wherry_reveals* permits,
                                          wherry_error* error);

/*
 * Changes what the profile permits, as wherry_conversation_set_permits does for each conversation:
 * transports that reveal more by being online stop when the last conversation has left them, and
 * start again when they are permitted again. What was revealed before stays revealed.
 *
 * Returns: WHERRY_OK, E_ARGUMENT, E_DISK.
 * In: permits; tightening, a wherry_tightening.
 */
WHERRY_API int32_t wherry_profile_set_permits(wherry_profile profile, const wherry_reveals* permits,
                                              int32_t tightening, wherry_error* error);

/* Who permits what in a conversation. */
typedef struct wherry_permits_info {
  size_t size;
  wherry_reveals profile;  /* the profile's */
  wherry_reveals mine;     /* this person's for the conversation */
  wherry_reveals theirs;   /* the other person's, in this one's words: "my" is this person's */
  wherry_reveals all;      /* what all three permit */
  wherry_reveals revealed; /* what was revealed so far, by what was sent and by listening */
  int32_t leaving;         /* 1 while one that is not permitted is still listened to; see
                              wherry_conversation_set_permits */
} wherry_permits_info;

/*
 * Who permits what in a conversation, and what it has revealed.
 *
 * Returns: WHERRY_OK, E_ARGUMENT, E_NOT_FOUND, E_DISK.
 * Out: page, of one wherry_permits_info.
 * In: conversation.
 * Ownership: wherry_page_free.
 */
WHERRY_API int32_t wherry_conversation_permits(wherry_profile profile, wherry_page** page,
                                               uint64_t conversation, wherry_error* error);

/*
 * Changes what this person permits in a conversation, and tells the other side, over a path that is
 * permitted from now on. What is no longer permitted acts at once on all that is sent.
 *
 * If no permitted path to them has worked, but this person can listen on a network that is
 * permitted (on auto that is every transport that is), then with WHERRY_TIGHTENING_ANNOUNCE one
 * envelope more goes the old way, with nothing but where to find this person now. It is sent again
 * if it is lost. Until it has left, and ten seconds more, the old network is listened to: `leaving`
 * of wherry_conversation_permits is 1. That has no end while the old network never takes the
 * envelope; the same call with WHERRY_TIGHTENING_NOW ends it. Without such a network, or with
 * WHERRY_TIGHTENING_NOW, everything that is not permitted is left before this returns: nobody is
 * told, and messages wait on both sides until a path is permitted. What permits more takes no such
 * time. Envelopes that wait at a relay that is no longer permitted are not fetched: the other side
 * sends them again another way. A transport that has to forget an inbox is stopped and started: all
 * conversations on it pause.
 *
 * Returns: WHERRY_OK, E_ARGUMENT, E_NOT_FOUND, E_DISK.
 * In: conversation, permits; tightening, a wherry_tightening.
 */
WHERRY_API int32_t wherry_conversation_set_permits(wherry_profile profile, uint64_t conversation,
                                                   const wherry_reveals* permits,
                                                   int32_t tightening, wherry_error* error);

/* One way to the other person. Pointers live as long as the page. */
typedef struct wherry_path {
  size_t size;
  uint64_t transport;   /* 0: this profile has no transport of this name */
  const char* name;     /* the transport's */
  const char* endpoint; /* where the other person receives on it */
  int32_t used;         /* 1 if what is sent now goes this way */
  int32_t allowed;      /* 1 if it reveals nothing that is not permitted; 0 if that is not known */
  int32_t reason;       /* wherry_reason why it can not be used now; NONE if it can */
  wherry_reveals reveals; /* while the transport does not run: what being online there does */
  wherry_reveals against_profile; /* the part that the profile does not permit */
  wherry_reveals against_mine;    /* that this person does not permit in the conversation */
  wherry_reveals against_theirs;  /* that the other person does not permit */
  int64_t succeeded_ms; /* when something last went or came this way since the profile was opened,
                           as milliseconds since 1970 by this machine's clock; 0: nothing yet */
} wherry_path;

/*
 * The ways to the other person, as they announced them, best first for them, and after these one
 * that is used still though it is not announced any more; each with what stands against it: who
 * would have to permit what to let it go.
 *
 * Returns: WHERRY_OK, E_ARGUMENT, E_NOT_FOUND, E_DISK.
 * Out: page, of wherry_path.
 * In: conversation.
 * Ownership: wherry_page_free.
 */
WHERRY_API int32_t wherry_conversation_explain(wherry_profile profile, wherry_page** page,
                                               uint64_t conversation, wherry_error* error);

/*
 * Chooses the networks of a conversation, now or at any time while it runs: nothing is lost,
 * doubled or reordered by the change, and until the new network has proven to work the
 * conversation goes on by the old one. Where this person receives is changed by it, and the other
 * side is told; it also says by which of the other side's networks this person sends, as far as
 * the other side is there. A person whose route is auto follows where the other one goes. Events
 * SENDING_ROUTE and RECEIVING_ROUTE tell of progress.
 *
 * A network that shows this device's address to nobody but those who carry its packets, after one
 * that shows it to others and is left, is used only after a random quiet time of 30 to 300 seconds,
 * in which nothing is sent: times would link the two. A route that names both leaves none: when
 * one fails the other is used at once.
 *
 * Returns: WHERRY_OK, E_ARGUMENT, E_UTF8, E_NOT_FOUND (the conversation, or a transport that is not
 *   configured), E_DISK.
 * In: conversation; route, names of transports with commas between, best first, such as
 *   "p2p,centralized", at most 8; or "auto".
 */
WHERRY_API int32_t wherry_conversation_set_route(wherry_profile profile, uint64_t conversation,
                                                 const char* route, wherry_error* error);

/* Where both directions of a conversation stand. Pointers live as long as the page. */
typedef struct wherry_route_info {
  size_t size;
  const char* route;        /* as it was set; "auto" */
  const char* sending;      /* name of the transport by which is sent; empty: nothing was yet */
  const char* receiving;    /* those that the other side was told, with commas between */
  int32_t sending_state;    /* wherry_route_state */
  int32_t sending_reason;   /* wherry_reason why it does not come further; NONE */
  int32_t receiving_state;  /* wherry_route_state */
  int32_t receiving_reason; /* wherry_reason; NONE */
} wherry_route_info;

/*
 * By which networks a conversation is sent and received.
 *
 * Returns: WHERRY_OK, E_ARGUMENT, E_NOT_FOUND, E_DISK.
 * Out: page, of one wherry_route_info.
 * In: conversation.
 * Ownership: wherry_page_free.
 */
WHERRY_API int32_t wherry_conversation_route(wherry_profile profile, wherry_page** page,
                                             uint64_t conversation, wherry_error* error);

/* ---- Messages ------------------------------------------------------------------------------- */

/* A message. Pointers live as long as the page. */
typedef struct wherry_message {
  size_t size;
  uint64_t message; /* this profile's id of it */
  uint64_t conversation;
  uint8_t message_id[WHERRY_ID_SIZE]; /* the same on both sides */
  uint64_t author;                    /* a contact; 0: this profile */
  int32_t content;                    /* wherry_content */
  int32_t evidence;                   /* wherry_evidence, for messages of this profile */
  int32_t reason;                     /* wherry_reason: why it waits, failed, or is not shown */
  int64_t sent_ms;                    /* by its author's clock */
  int64_t received_ms;                /* by this machine's clock */
  const uint8_t* body;                /* followed by a NUL that is not counted */
  size_t body_size;                   /* bytes */
  uint64_t transport;                 /* by which it came; 0: it is this profile's */
} wherry_message;

/*
 * Sends a message: when it returns, the message is durable and will be delivered when a network
 * allows, also after a crash. Blocks for one commit.
 *
 * Returns: WHERRY_OK, E_ARGUMENT, E_UTF8 (content TEXT), E_TOO_LARGE, E_NOT_FOUND, E_REF (the ref
 *   stands for another message), E_STATE (a request that was not accepted), E_DISK.
 * Out: message, its id; for a repeated ref the first one's.
 * In: conversation; ref, WHERRY_ID_SIZE bytes chosen by the caller, or NULL: a repeated call with
 *   the same ref in the same conversation gives the same message, so that nothing is doubled by an
 *   app that was killed before it could note what it had sent; content, a wherry_content; body,
 *   body_size in bytes, 0 to WHERRY_BODY_SIZE_MAX.
 */
WHERRY_API int32_t wherry_send(wherry_profile profile, uint64_t* message, uint64_t conversation,
                               const uint8_t* ref, int32_t content, const uint8_t* body,
                               size_t body_size, wherry_error* error);

/*
 * Hands a message over without waiting for the commit: for many in a row. It is durable when a
 * later wherry_sync returns WHERRY_OK. Order is kept: once one has failed, those after it fail too
 * until wherry_sync has told so. Then submit all of them again, with their refs.
 *
 * Returns: WHERRY_OK, E_ARGUMENT, E_UTF8, E_TOO_LARGE, E_AGAIN (too many are under way: sync, or
 *   wait a little).
 * In: conversation, ref (not NULL), content, body, body_size: as for wherry_send.
 */
WHERRY_API int32_t wherry_submit(wherry_profile profile, uint64_t conversation, const uint8_t* ref,
                                 int32_t content, const uint8_t* body, size_t body_size,
                                 wherry_error* error);

/*
 * Waits until everything that was submitted before is durable or has failed.
 *
 * Returns: WHERRY_OK (all of it is durable), E_TIMEOUT, or the status of the first that failed
 *   since the last sync: E_NOT_FOUND, E_REF, E_STATE, E_DISK. Submit those again by their refs:
 *   what is durable already is not doubled.
 * In: timeout_ms.
 */
WHERRY_API int32_t wherry_sync(wherry_profile profile, int32_t timeout_ms, wherry_error* error);

/* From where to where a history is read. */
typedef enum wherry_direction {
  WHERRY_DIRECTION_OLDER = 0,
  WHERRY_DIRECTION_NEWER = 1
} wherry_direction;

/*
 * The history of a conversation, in its order, which is the same on both sides at rest.
 *
 * Returns: WHERRY_OK, E_ARGUMENT, E_NOT_FOUND, E_DISK, E_CORRUPT.
 * Out: page, of wherry_message, the oldest first; shorter than limit only at the end.
 * In: conversation; from, a message's id, itself not included; 0: the newest end for OLDER, the
 *   oldest end for NEWER; direction, a wherry_direction; limit, 1 to 1000.
 * Ownership: wherry_page_free.
 */
WHERRY_API int32_t wherry_history(wherry_profile profile, wherry_page** page, uint64_t conversation,
                                  uint64_t from, int32_t direction, uint32_t limit,
                                  wherry_error* error);

/*
 * One message.
 *
 * Returns: WHERRY_OK, E_ARGUMENT, E_NOT_FOUND, E_DISK, E_CORRUPT.
 * Out: page, of one wherry_message.
 * In: message.
 * Ownership: wherry_page_free.
 */
WHERRY_API int32_t wherry_message_get(wherry_profile profile, wherry_page** page, uint64_t message,
                                      wherry_error* error);

/* ---- Pages ---------------------------------------------------------------------------------- */

/*
 * How many items a page has.
 *
 * Returns: the number; 0 for NULL.
 * In: page.
 */
WHERRY_API size_t wherry_page_count(const wherry_page* page);

/*
 * Items of a page, by their kind.
 *
 * Returns: the item, or NULL when the index is out of range or the page is of another kind.
 * In: page; index, from 0.
 * Ownership: lives until wherry_page_free.
 */
WHERRY_API const wherry_message* wherry_page_message(const wherry_page* page, size_t index);
WHERRY_API const wherry_contact* wherry_page_contact(const wherry_page* page, size_t index);
WHERRY_API const wherry_conversation* wherry_page_conversation(const wherry_page* page,
                                                               size_t index);
WHERRY_API const wherry_transport_info* wherry_page_transport(const wherry_page* page,
                                                              size_t index);
WHERRY_API const wherry_card_info* wherry_page_card(const wherry_page* page, size_t index);
WHERRY_API const wherry_permits_info* wherry_page_permits(const wherry_page* page, size_t index);
WHERRY_API const wherry_path* wherry_page_path(const wherry_page* page, size_t index);
WHERRY_API const wherry_route_info* wherry_page_route(const wherry_page* page, size_t index);

/*
 * A page as JSON: an array of objects whose members are those of the structs; 64-bit numbers as
 * decimal strings, bytes as base64.
 *
 * Returns: a text, or NULL for NULL or when memory is short.
 * In: page.
 * Ownership: lives until wherry_page_free.
 */
WHERRY_API const char* wherry_page_json(const wherry_page* page);

/*
 * Frees a page. NULL is allowed.
 *
 * In: page.
 */
WHERRY_API void wherry_page_free(wherry_page* page);

/* ---- Events --------------------------------------------------------------------------------- */

/* Something that happened: immutable. Types and fields stand in wherry_schema.h. */
typedef struct wherry_event wherry_event;

/*
 * The next event. Durable events come in the order of their `seq`, each until the app has
 * acknowledged it: after a crash, all that were not are repeated with the seq they had. Events of
 * seq 0 (states and the like) are not durable, and the latest replaces older ones.
 *
 * Returns: WHERRY_OK, E_ARGUMENT, E_TIMEOUT, E_CLOSED, E_DISK, E_CORRUPT.
 * Out: event.
 * In: timeout_ms, 0: do not wait.
 * Ownership: wherry_event_free.
 * Threads: each event is given to one caller only.
 */
WHERRY_API int32_t wherry_next_event(wherry_profile profile, wherry_event** event,
                                     int32_t timeout_ms, wherry_error* error);

/*
 * Says that the app has dealt with every durable event up to this one; they are not repeated and
 * may be forgotten. Does not wait for the commit: after a crash the last ones may be repeated.
 *
 * Returns: WHERRY_OK, E_ARGUMENT (there is no such event).
 * In: seq.
 */
WHERRY_API int32_t wherry_event_ack(wherry_profile profile, uint64_t seq, wherry_error* error);

/*
 * A descriptor for poll, epoll, select or any event loop, readable while wherry_next_event would
 * not wait. Only wait on it: do not read, write or close it.
 *
 * Returns: WHERRY_OK, E_ARGUMENT.
 * Out: handle, a file descriptor.
 * Ownership: the profile's; invalid after wherry_close.
 */
WHERRY_API int32_t wherry_wait_handle(wherry_profile profile, int32_t* handle, wherry_error* error);

/*
 * An event's type.
 *
 * Returns: a wherry_event_type; 0 for NULL.
 * In: event.
 */
WHERRY_API int32_t wherry_event_kind(const wherry_event* event);

/*
 * An event's number in the durable feed.
 *
 * Returns: its seq, rising from 1; 0 if it is not durable, or for NULL.
 * In: event.
 */
WHERRY_API uint64_t wherry_event_seq(const wherry_event* event);

/*
 * A field of type integer.
 *
 * Returns: its value; 0 if the event has no such integer.
 * In: event; field, a wherry_field.
 */
WHERRY_API int64_t wherry_event_integer(const wherry_event* event, int32_t field);

/*
 * A field of type bytes or text. Bodies and texts also end with NUL, which is not counted.
 *
 * Returns: a pointer, or NULL if the event has no such field.
 * Out: length, in bytes, 0 if there is no such field; may be NULL.
 * In: event; field, a wherry_field.
 * Ownership: lives until wherry_event_free.
 */
WHERRY_API const uint8_t* wherry_event_bytes(const wherry_event* event, size_t* length,
                                             int32_t field);

/*
 * An event as a JSON object: seq, type, and its fields in lower case; 64-bit numbers as decimal
 * strings, bytes as base64, bodies of content TEXT as `text`.
 *
 * Returns: a text, or NULL for NULL or when memory is short.
 * In: event.
 * Ownership: lives until wherry_event_free.
 */
WHERRY_API const char* wherry_event_json(const wherry_event* event);

/*
 * Frees an event. NULL is allowed.
 *
 * In: event.
 */
WHERRY_API void wherry_event_free(wherry_event* event);

#ifdef __cplusplus
}
#endif
#endif /* WHERRY_H */
