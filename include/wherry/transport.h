/*
 * wherry/transport.h: the interface between Wherry and a transport plug-in.
 *
 * A transport moves envelopes: opaque, padded, random-looking byte strings, from a host (the SDK)
 * to an endpoint (a text address), and from its own inboxes to the host. It is best effort: it may
 * lose, double and reorder. It must not invent, and must not change bytes: the host detects both.
 * Everything else (encryption, order, acknowledgement, retry, expiry) is the host's.
 *
 * A plug-in is trusted code: it runs in the app's process and sees addresses and timing. It never
 * sees a plain text, a contact's name or an identity key.
 *
 * Rules
 *  - Tables and descriptions are size-versioned: `size` is the first member, and members are only
 *    ever added at the end. A reader treats a member beyond the other side's `size` as absent, and
 *    ignores those that it does not know. A size less than in any version, or above 4096, is
 *    refused.
 *  - The host calls one instance serially, never two calls at once, but not always from the same
 *    thread. A plug-in never calls back into the app.
 *  - The plug-in may call the host table from any thread, at any time between `create` and the
 *    return of `destroy`, also from within a host call. Host functions only enqueue; they never
 *    block on the plug-in, and never call it from within.
 *  - Bytes and texts are borrowed until the call returns, in both directions. Texts are UTF-8 and
 *    end with NUL. Lengths are in bytes.
 *  - Plug-in functions return quickly (no waiting for a network or a disk) and answer later by a
 *    host function. No exception may cross.
 *  - Functions returning int32_t give a wherry_transport_status. Any but OK says that nothing was
 *    done and that no answer follows. The Returns lines say which may come and what the host does
 *    then; it does the same for any other but OK.
 *  - The first argument of each function, the instance or the host's end of it, is not listed.
 *  - "Not called by this version" stands by what the SDK of this version does not use yet.
 *  - What a transport has not got, it says in its description; the host never calls that function,
 *    and its pointer may be NULL.
 *
 * transports/README.md teaches how to write one; transports/loopback is the smallest.
 */
#ifndef WHERRY_TRANSPORT_H
#define WHERRY_TRANSPORT_H

#include <stddef.h>
#include <stdint.h>

#include "wherry_schema.h"

#ifdef __cplusplus
extern "C" {
#endif

/* The version of this interface; a plug-in puts it in `abi`. Changes only when a table breaks. */
#define WHERRY_TRANSPORT_ABI 1u

/* Length of every secret and locator that crosses this interface, in bytes. */
#define WHERRY_TRANSPORT_SECRET_SIZE 32u

/* Longest endpoint text in bytes, without its NUL. */
#define WHERRY_ENDPOINT_SIZE_MAX 200u

/* Largest envelope in bytes that any transport may be asked to carry (44 KiB). */
#define WHERRY_ENVELOPE_SIZE_MAX 45056u

/* Largest bundle in bytes for put_bundle. */
#define WHERRY_BUNDLE_SIZE_MAX 4096u

/* What a plug-in's function says at once. Everything that takes time is said by a host function. */
typedef enum wherry_transport_status {
  WHERRY_TRANSPORT_OK = 0,
  WHERRY_TRANSPORT_E_ARGUMENT = 1, /* the host's bug: an unknown id, a call out of order */
  WHERRY_TRANSPORT_E_SETTING = 2,  /* a setting is missing or malformed: say which by `log` */
  WHERRY_TRANSPORT_E_ENDPOINT = 3, /* this endpoint text is not one of ours, or not permitted */
  WHERRY_TRANSPORT_E_RESOURCE = 4, /* memory, threads, descriptors */
  WHERRY_TRANSPORT_E_FULL = 5      /* a queue is full; try again after on_writable */
} wherry_transport_status;

/* A borrowed byte string. `data` may be NULL only when `size` is 0. */
typedef struct wherry_bytes {
  const uint8_t* data;
  size_t size; /* bytes */
} wherry_bytes;

/* One setting of an instance, as the user gave it. */
typedef struct wherry_setting {
  const char* name;
  const char* value;
} wherry_setting;

/* The type of a setting's text. */
typedef enum wherry_setting_type {
  WHERRY_SETTING_TEXT = 0,
  WHERRY_SETTING_INTEGER = 1, /* decimal */
  WHERRY_SETTING_BOOLEAN = 2, /* "true" or "false" */
  WHERRY_SETTING_ADDRESS = 3  /* host:port, [ipv6]:port or unix:/path */
} wherry_setting_type;

/* A setting that a transport knows. Static storage. */
typedef struct wherry_setting_description {
  const char* name;
  int32_t type;              /* wherry_setting_type */
  const char* default_value; /* NULL: the setting must be given */
  const char* help;          /* one line */
} wherry_setting_description;

/* What a transport can do: bits of wherry_transport_description.abilities. */
enum {
  WHERRY_ABILITY_OFFLINE = 1 << 0,      /* envelopes wait for a receiver who is away */
  WHERRY_ABILITY_PROXY = 1 << 1,        /* can dial through SOCKS5 */
  WHERRY_ABILITY_BUNDLES = 1 << 2,      /* put_bundle, get_bundle */
  WHERRY_ABILITY_NAMES = 1 << 3,        /* look_up; not called by this version */
  WHERRY_ABILITY_RECALL = 1 << 4,       /* recall; not called by this version */
  WHERRY_ABILITY_DIAGNOSE = 1 << 5,     /* diagnose; not called by this version */
  WHERRY_ABILITY_CHEAP_INBOXES = 1 << 6 /* one inbox a contact costs next to nothing */
};

/* How long one envelope takes when all is well. */
typedef enum wherry_latency_class {
  WHERRY_LATENCY_MILLISECONDS = 0,
  WHERRY_LATENCY_SECONDS = 1,
  WHERRY_LATENCY_MINUTES = 2
} wherry_latency_class;

/* What a transport is. Static storage; the same answer at every call. */
typedef struct wherry_transport_description {
  size_t size;                  /* sizeof(wherry_transport_description) */
  const char* name;             /* [a-z][a-z0-9-]{0,31}, unique among plug-ins: "centralized" */
  const char* version;          /* of the plug-in */
  const char* help;             /* one line for a list */
  int32_t architecture;         /* wherry_architecture */
  uint32_t abilities;           /* WHERRY_ABILITY_* */
  int32_t latency;              /* wherry_latency_class */
  uint32_t envelope_size_max;   /* bytes; at least 4096, at most WHERRY_ENVELOPE_SIZE_MAX */
  wherry_reveals reveals_worst; /* superset of every answer of add_peer and of listening */
  const wherry_setting_description* settings;
  size_t setting_count;
} wherry_transport_description;

/* For whom an inbox is. */
typedef enum wherry_audience {
  WHERRY_AUDIENCE_ANYBODY = 0, /* whoever has a card: its endpoint may be public, and is short */
  WHERRY_AUDIENCE_CONTACT = 1  /* one contact, who is told the endpoint inside a conversation */
} wherry_audience;

/* An envelope to send. */
typedef struct wherry_outgoing {
  uint64_t peer;      /* the host's id, from add_peer */
  uint64_t isolation; /* envelopes with different tokens must not share a circuit or connection
                         where the transport isolates; 0: no demand */
  uint64_t send_id;   /* the host's id of this attempt, repeated by on_sent */
  wherry_bytes envelope;
} wherry_outgoing;

/* An envelope that came. */
typedef struct wherry_incoming {
  uint64_t receipt; /* the plug-in's id, repeated by ack; unique in an instance since `start` */
  wherry_bytes envelope;
} wherry_incoming;

/* An envelope that the host has durably taken over, or refused for good. */
typedef struct wherry_receipt {
  uint64_t inbox;   /* the host's id, from open_inbox */
  uint64_t receipt; /* from wherry_incoming */
} wherry_receipt;

/* What became of an attempt. A transport never claims more than it knows. */
typedef enum wherry_send_outcome {
  WHERRY_OUTCOME_HANDED = 0,          /* left this device; nothing more is known */
  WHERRY_OUTCOME_STORED = 1,          /* a relay or the receiver has it durably, by its own word */
  WHERRY_OUTCOME_FAILED_RETRY = 2,    /* not sent, or not known; the host tries again, paced */
  WHERRY_OUTCOME_FAILED_PERMANENT = 3 /* this endpoint will never take it: gone, refused */
} wherry_send_outcome;

typedef struct wherry_sent {
  uint64_t send_id;
  int32_t outcome; /* wherry_send_outcome */
  int32_t reason;  /* wherry_reason: why it failed; WHERRY_REASON_NONE otherwise */
} wherry_sent;

/* Levels for `log`. "error" means our bug or a broken machine. No user data above debug. */
typedef enum wherry_log_level {
  WHERRY_LOG_ERROR = 0,
  WHERRY_LOG_WARNING = 1,
  WHERRY_LOG_INFO = 2,
  WHERRY_LOG_DEBUG = 3
} wherry_log_level;

typedef struct wherry_transport wherry_transport;           /* the plug-in's instance */
typedef struct wherry_transport_host wherry_transport_host; /* the host's end of it */

/*
 * What the host offers to an instance. Every function may be called from any thread and returns
 * without waiting for the network or the app.
 */
typedef struct wherry_transport_host_api {
  size_t size; /* sizeof(wherry_transport_host_api) of the host */

  /* The instance's state. Say every change once; the host paces what it tells the app.
   * In: state, a wherry_transport_state; percent, 0..100 while STARTING, else ignored; reason, a
   *   wherry_reason for DEGRADED and FAILED; phase, a short text, or NULL. */
  void (*on_state)(wherry_transport_host* host, int32_t state, int32_t percent, int32_t reason,
                   const char* phase);

  /* The answer to open_inbox, and again whenever the endpoint changes. An inbox that the transport
   * lost (a relay with an empty store) is made again by the plug-in and announced again, even if
   * the endpoint is the same.
   * In: inbox, the host's id; endpoint, at most WHERRY_ENDPOINT_SIZE_MAX bytes of printable ASCII
   *   without spaces, or NULL when it failed: the host asks again, paced; reason, a wherry_reason
   *   when it failed. */
  void (*on_inbox)(wherry_transport_host* host, uint64_t inbox, const char* endpoint,
                   int32_t reason);

  /* The state of the link to a peer. UNREACHABLE asks the host to call connect_peer again when its
   * pacing allows. With the reason BOTH_ENDS, which may be said of a peer nobody asked for yet, it
   * does so also if it has nothing to send: whoever is there reaches this end only while it tries,
   * and from then on the plug-in does that by itself. UNREACHABLE with NEARBY, which may be said of
   * such a peer too, and not while a link is there or tried, changes no state: if the host has
   * something to send to a peer that is UNREACHABLE already, it calls connect_peer at once. RESET
   * says that what was reported stored there may be lost: the host sends all that is
   * unacknowledged again.
   * In: peer, the host's id; state, a wherry_peer_state; reason, a wherry_reason. */
  void (*on_peer)(wherry_transport_host* host, uint64_t peer, int32_t state, int32_t reason);

  /* Room again after `send` accepted fewer than it was given.
   * In: peer, or 0 for all. */
  void (*on_writable)(wherry_transport_host* host, uint64_t peer);

  /* Envelopes for an inbox. Each one taken is later named by `ack`, once it is durable; one that is
   * not named before a stop or crash must come again if the transport stores.
   * Returns: how many the host has taken, from the first on; the plug-in keeps the rest and offers
   *   them again after resume_receive.
   * In: inbox, the host's id; envelopes, count of them. */
  size_t (*on_receive)(wherry_transport_host* host, uint64_t inbox,
                       const wherry_incoming* envelopes, size_t count);

  /* What became of attempts. An attempt may be reported HANDED and later STORED or failed.
   * In: sent, count of them. */
  void (*on_sent)(wherry_transport_host* host, const wherry_sent* sent, size_t count);

  /* The answer to put_bundle and get_bundle.
   * In: request, the host's id; bundle, the bytes found (data NULL for put_bundle, or when it
   *   failed); reason, NONE, or why it failed (NOT_FOUND): the host asks again, paced. */
  void (*on_bundle)(wherry_transport_host* host, uint64_t request, wherry_bytes bundle,
                    int32_t reason);

  /* The answer to look_up, which is not called by this version.
   * In: request, the host's id; card, the contact card's text, or NULL when it failed; reason,
   *   NONE, or why it failed. */
  void (*on_look_up)(wherry_transport_host* host, uint64_t request, const char* card,
                     int32_t reason);

  /* The answer to `stop`: no thread of the instance calls the host any more after this, but for
   * calls inside later plug-in functions. */
  void (*on_stopped)(wherry_transport_host* host);

  /* Reads small durable state of this instance (a relay's store id, a client key).
   * Returns: the value's size in bytes, also where that is more than capacity; -1 if there is none.
   * Out: out, the value, of which at most capacity bytes are written.
   * In: key, a text. */
  int64_t (*state_get)(wherry_transport_host* host, const char* key, uint8_t* out, size_t capacity);

  /* Writes it: durable before any later output of the instance is acted on.
   * Returns: OK; E_ARGUMENT when the key is empty or longer than 64 bytes, the value is larger than
   *   4096 bytes, or there are 64 keys already: nothing has changed.
   * In: key, a text; value, of size 0 to delete the key. */
  int32_t (*state_set)(wherry_transport_host* host, const char* key, wherry_bytes value);

  /* Writes one line to the app's log. Keys, addresses and endpoints only at DEBUG.
   * In: level, a wherry_log_level; text, one line. */
  void (*log)(wherry_transport_host* host, int32_t level, const char* text);
} wherry_transport_host_api;

/*
 * What a plug-in offers. Static storage; registered by the app when it opens a profile (see
 * wherry_profile_options in wherry.h). A plug-in in a shared library gives it by the symbol
 * `wherry_transport_plugin_entry`; wherry.h of this version does not load one, an app may.
 */
typedef struct wherry_transport_plugin {
  size_t size;  /* sizeof(wherry_transport_plugin) of the plug-in */
  uint32_t abi; /* WHERRY_TRANSPORT_ABI */

  /* What this transport is. Callable without an instance.
   * Returns: the description, the same at every call; never NULL. */
  const wherry_transport_description* (*describe)(void);

  /* Makes an instance. Opens no connection and starts no thread that uses the network.
   * Returns: OK; E_SETTING when a setting does not fit although its type does: the app is told so;
   *   E_RESOURCE: the app is told that memory is short. A transport that is to be running is tried
   *   again, paced. After any but OK nothing is destroyed.
   * Out: transport, the instance, not NULL.
   * In: api, the host's table, which lives until destroy returns; host, its first argument;
   *   settings, setting_count of them: all that the description names, checked against their types,
   *   defaults filled in. */
  int32_t (*create)(wherry_transport** transport, const wherry_transport_host_api* api,
                    wherry_transport_host* host, const wherry_setting* settings,
                    size_t setting_count);

  /* Goes online: on_state follows. After a stop it may be started again.
   * Returns: OK; E_ARGUMENT when it is started already; E_RESOURCE. The host takes the instance as
   *   stopped then, destroys it, and makes and starts another, paced. */
  int32_t (*start)(wherry_transport* transport);

  /* Closes every connection; on_stopped follows within 2 seconds. Inboxes and peers stay known. */
  void (*stop)(wherry_transport* transport);

  /* Frees the instance. Called after on_stopped, or before start. Joins its threads. */
  void (*destroy)(wherry_transport* transport);

  /* Something around the process changed: the app said so. After WHERRY_CHANGE_NETWORK nothing is
   * believed of connections that were made before: what can not be known to work is made anew, and
   * on_inbox tells of endpoints that changed.
   * In: flags, WHERRY_CHANGE_*; a bit that is not known changes nothing. */
  void (*update)(wherry_transport* transport, uint32_t flags);

  /* Receives at an inbox from now on; on_inbox follows. Idempotent. May be called before start.
   * Returns: OK; E_ARGUMENT for the inbox 0, or one that is open by another secret; E_FULL,
   *   E_RESOURCE. The host asks again, paced.
   * In: inbox, the host's id, not 0; secret, WHERRY_TRANSPORT_SECRET_SIZE bytes, from which the
   *   plug-in derives all keys and addresses of this inbox (BLAKE2b with own contexts): the same
   *   secret always gives the same endpoint; audience, a wherry_audience, the same for a secret
   *   each time. */
  int32_t (*open_inbox)(wherry_transport* transport, uint64_t inbox, const uint8_t* secret,
                        int32_t audience);

  /* Gives an inbox up for good: what waits there is deleted where the transport stores.
   * Returns: OK; E_ARGUMENT for an unknown inbox; E_RESOURCE. The host does not ask again.
   * In: inbox, the host's id. */
  int32_t (*close_inbox)(wherry_transport* transport, uint64_t inbox);

  /* Makes an endpoint known, without sending a packet.
   * Returns: OK; E_ENDPOINT; E_ARGUMENT for the peer 0, or one that is there; E_RESOURCE. The host
   *   sends nothing to this endpoint until it has started the transport anew.
   * Out: reveals, what this path shows to whom, frozen until remove_peer. More than reveals_worst
   *   of the description is as if the endpoint were refused.
   * In: peer, the host's id, not 0; endpoint, foreign text: checked strictly; rendezvous,
   *   WHERRY_TRANSPORT_SECRET_SIZE bytes shared with that peer for finding each other, or NULL. */
  int32_t (*add_peer)(wherry_transport* transport, uint64_t peer, const char* endpoint,
                      const uint8_t* rendezvous, wherry_reveals* reveals);

  /* Forgets a peer and drops what is queued for it, without on_sent.
   * Returns: OK; E_ARGUMENT for an unknown peer. The host has forgotten it either way.
   * In: peer, the host's id. */
  int32_t (*remove_peer)(wherry_transport* transport, uint64_t peer);

  /* Connects to a peer, if it is not connected. The host paces these calls; a plug-in never
   * reconnects to a peer or a server by itself. on_peer follows, for peer 0 on_state.
   * Returns: OK; E_ARGUMENT for an unknown peer, or before start; E_FULL, E_RESOURCE. The host asks
   *   for peer 0 again, paced; to any other it goes on sending.
   * In: peer, the host's id; 0: the transport's own server, after on_state said DEGRADED. */
  int32_t (*connect_peer)(wherry_transport* transport, uint64_t peer);

  /* Sends. Each one accepted is followed by on_sent, but for remove_peer and stop.
   * Returns: OK, also when not all were accepted; E_ARGUMENT for an unknown peer, an envelope that
   *   is empty or larger than envelope_size_max, or before start: none was; E_FULL, E_RESOURCE when
   *   none could be. After E_ARGUMENT the host offers each one alone, and what is refused alone has
   *   failed; else it goes by accepted.
   * Out: accepted, how many were taken, from the first on; if fewer than count, on_writable
   *   follows. The host keeps the rest and offers it again then, or with the next envelopes.
   * In: envelopes, count of them. */
  int32_t (*send)(wherry_transport* transport, const wherry_outgoing* envelopes, size_t count,
                  size_t* accepted);

  /* These envelopes are durably the host's: the transport may forget them.
   * Returns: OK, also for a receipt that was named before; E_ARGUMENT for an unknown inbox;
   *   E_RESOURCE. The host does not name them again; what so comes once more, it recognises.
   * In: receipts, count of them. */
  int32_t (*ack)(wherry_transport* transport, const wherry_receipt* receipts, size_t count);

  /* The host has room again after on_receive took fewer than it was offered. */
  void (*resume_receive)(wherry_transport* transport);

  /* Publishes a bundle under a locator (both look random), replacing what was there. on_bundle
   * follows.
   * Returns: OK; E_ARGUMENT for a bundle of more than WHERRY_BUNDLE_SIZE_MAX bytes, or before
   *   start; E_FULL, E_RESOURCE. The host asks again, paced.
   * In: request, the host's id, for on_bundle; locator, 32 bytes; owner, 32 bytes, the secret that
   *   proves the right to replace it; bundle; time_to_live_s, in seconds. */
  int32_t (*put_bundle)(wherry_transport* transport, uint64_t request, const uint8_t* locator,
                        const uint8_t* owner, wherry_bytes bundle, uint32_t time_to_live_s);

  /* Fetches a bundle. on_bundle follows.
   * Returns: OK; E_ENDPOINT; E_ARGUMENT before start; E_FULL, E_RESOURCE. The host asks again,
   *   paced.
   * In: request, the host's id, for on_bundle; endpoint, the card's, foreign text, which names the
   *   place; locator, 32 bytes. */
  int32_t (*get_bundle)(wherry_transport* transport, uint64_t request, const char* endpoint,
                        const uint8_t* locator);

  /* Finds a contact card by a name. on_look_up follows. Not called by this version.
   * Returns: OK; E_ARGUMENT before start; E_FULL, E_RESOURCE.
   * In: request, the host's id, for on_look_up; name, foreign text. */
  int32_t (*look_up)(wherry_transport* transport, uint64_t request, const char* name);

  /* Deletes an envelope that was reported stored, if it was not yet fetched. Best effort. Not
   * called by this version.
   * Returns: OK, also when it is too late; E_ARGUMENT for an unknown peer; E_FULL, E_RESOURCE.
   * In: peer, the host's id; send_id, of the attempt. */
  int32_t (*recall)(wherry_transport* transport, uint64_t peer, uint64_t send_id);

  /* Writes findings with remedies as lines of text to the host's log at level INFO. Not called by
   * this version. */
  void (*diagnose)(wherry_transport* transport);

  /* What being online with these settings reveals, before anything is sent: connecting, logging in,
   * listening, beacons. Callable without an instance, from any thread and from several at once, as
   * `describe` is; sends no packet. May be NULL, or in a table that ends before it: reveals_worst
   * then.
   * Returns: OK; E_SETTING as for create: reveals_worst then.
   * Out: reveals. More than reveals_worst of the description counts as everything.
   * In: settings, setting_count of them, as for create. */
  int32_t (*listening)(const wherry_setting* settings, size_t setting_count,
                       wherry_reveals* reveals);
} wherry_transport_plugin;

/* The symbol that a plug-in in a shared library exports; the library must never be unloaded. */
typedef const wherry_transport_plugin* (*wherry_transport_plugin_entry_fn)(void);

#ifdef __cplusplus
}
#endif
#endif /* WHERRY_TRANSPORT_H */
