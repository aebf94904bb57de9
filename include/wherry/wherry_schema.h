/*
 * wherry/wherry_schema.h: the enumerations, event types and fields of Wherry's ABI.
 * Made from sdk/capi/schema.toml by cmake/describe.py; do not edit.
 *
 * Enumerations travel as int32_t. Values are only ever added: treat one you do not know as "other".
 */
#ifndef WHERRY_SCHEMA_H
#define WHERRY_SCHEMA_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* How a network is built. */
typedef enum wherry_architecture {
  /* None of the four below; everything it does not declare is revealed. */
  WHERRY_ARCHITECTURE_OTHER = 0,
  /* One relay that everybody uses. */
  WHERRY_ARCHITECTURE_CENTRALIZED = 1,
  /* Relays that carry for each other. */
  WHERRY_ARCHITECTURE_FEDERATED = 2,
  /* Direct links. */
  WHERRY_ARCHITECTURE_PEER_TO_PEER = 3,
  /* Onion routing. */
  WHERRY_ARCHITECTURE_ONION = 4
} wherry_architecture;

/* Who may learn something: the index into wherry_reveals.facts. */
typedef enum wherry_observer {
  /* The person at the other end. */
  WHERRY_OBSERVER_OTHER_PERSON = 0,
  /* Whoever runs the relay that I log in to. */
  WHERRY_OBSERVER_HOME_OPERATOR = 1,
  /* Whoever runs a relay of the other person. */
  WHERRY_OBSERVER_FAR_OPERATOR = 2,
  /* Directory and discovery nodes: DHT, onion directories, name servers. */
  WHERRY_OBSERVER_DIRECTORY = 3,
  /* Machines on the same link or LAN. */
  WHERRY_OBSERVER_LOCAL_NETWORK = 4,
  /* The network near me: the access provider and what is behind it. */
  WHERRY_OBSERVER_NETWORK = 5,
  /* A proxy or entry node. */
  WHERRY_OBSERVER_PROXY = 6,
  /* A push service. */
  WHERRY_OBSERVER_PUSH = 7
} wherry_observer;

/*
 * What may be learnt: bits of an element of wherry_reveals.facts. An unknown bit counts as
 * revealed.
 */
typedef enum wherry_fact {
  /* That I use Wherry. */
  WHERRY_FACT_USE = 1,
  /* My network address. */
  WHERRY_FACT_MY_IP = 2,
  /* The other person's network address. */
  WHERRY_FACT_OTHER_IP = 4,
  /* An identifier of mine that stays the same over time. */
  WHERRY_FACT_STABLE_ID = 8,
  /* Who talks to whom. */
  WHERRY_FACT_WHO_TALKS = 16,
  /* That these inboxes belong together. */
  WHERRY_FACT_INBOXES_TOGETHER = 32,
  /* That these endpoints on several networks are mine. */
  WHERRY_FACT_NETWORKS_TOGETHER = 64,
  /* When I send and receive. */
  WHERRY_FACT_TIMING = 128,
  /* How much I send and receive, in padded sizes. */
  WHERRY_FACT_SIZE = 256,
  /* When I am online. */
  WHERRY_FACT_PRESENCE = 512
} wherry_fact;

/* Sets of permits that have a name: see wherry_permits_preset. */
typedef enum wherry_permits {
  /* Everything may be revealed, also what this version does not know. */
  WHERRY_PERMITS_OPEN = 1,
  /* The other person does not learn my network address. */
  WHERRY_PERMITS_NO_PEER_IP = 2,
  /* Nobody who runs a server learns it: relays, directories, push services. */
  WHERRY_PERMITS_NO_OPERATOR_IP = 3,
  /*
   * Nobody learns who I am or who talks to whom, but for the other person; nor an address, but for
   * the networks and the entry node that I connect through.
   */
  WHERRY_PERMITS_ANONYMOUS = 4
} wherry_permits;

/* What changed around the app: bits for wherry_update. */
typedef enum wherry_change {
  /* Addresses or the default route: another Wi-Fi, a cable, a VPN, the end of a suspension. */
  WHERRY_CHANGE_NETWORK = 1,
  /* The app went to the background. */
  WHERRY_CHANGE_BACKGROUND = 2,
  /* The app came to the foreground. */
  WHERRY_CHANGE_FOREGROUND = 4,
  /* The device saves power. */
  WHERRY_CHANGE_LOW_POWER = 8
} wherry_change;

/* The state of a transport. */
typedef enum wherry_transport_state {
  /* Not started, or stopped. */
  WHERRY_TRANSPORT_STATE_OFF = 0,
  /* Going online; a percentage and a phase come with it. */
  WHERRY_TRANSPORT_STATE_STARTING = 1,
  /* Working. */
  WHERRY_TRANSPORT_STATE_ONLINE = 2,
  /* Not working now; it is tried again. */
  WHERRY_TRANSPORT_STATE_DEGRADED = 3,
  /* Not working until its settings, or something outside, change. */
  WHERRY_TRANSPORT_STATE_FAILED = 4
} wherry_transport_state;

/* The state of the link from a transport to one endpoint. */
typedef enum wherry_peer_state {
  /* Nothing is known. */
  WHERRY_PEER_STATE_UNKNOWN = 0,
  /* Envelopes can be handed over. */
  WHERRY_PEER_STATE_REACHABLE = 1,
  /* They can not, for now. */
  WHERRY_PEER_STATE_UNREACHABLE = 2,
  /* The endpoint does not exist (any more). */
  WHERRY_PEER_STATE_GONE = 3,
  /* What was stored there may be lost. */
  WHERRY_PEER_STATE_RESET = 4
} wherry_peer_state;

/* Why something is not (yet) so. Caller's bugs are not among them: those are statuses. */
typedef enum wherry_reason {
  /* No reason. */
  WHERRY_REASON_NONE = 0,
  /* No transport that could carry this is configured. */
  WHERRY_REASON_NO_TRANSPORT = 1,
  /* The transport is not started. */
  WHERRY_REASON_TRANSPORT_OFF = 2,
  /* The transport has no connection now. */
  WHERRY_REASON_TRANSPORT_OFFLINE = 3,
  /* No endpoint of the other person is known yet. */
  WHERRY_REASON_NO_ENDPOINT = 4,
  /* No path stays within what is permitted to reveal. */
  WHERRY_REASON_PERMITS = 5,
  /* The first message is on its way; the rest follows its answer. */
  WHERRY_REASON_HANDSHAKE = 6,
  /* The other person's keys are being fetched. */
  WHERRY_REASON_FETCHING_KEYS = 7,
  /* A newer version's content; it is kept as it came. */
  WHERRY_REASON_UNKNOWN_CONTENT = 8,
  /* As much as allowed is on its way; the rest follows acknowledgements. */
  WHERRY_REASON_WINDOW = 9,
  /* The clock of this machine is too far off. */
  WHERRY_REASON_CLOCK_WRONG = 10,
  /* The connection was refused: nothing listens there. */
  WHERRY_REASON_REFUSED = 11,
  /* The address can not be reached, or did not answer in time. */
  WHERRY_REASON_UNREACHABLE = 12,
  /* The host name does not resolve. */
  WHERRY_REASON_NAME_NOT_FOUND = 13,
  /* The server presented another key than the one that is pinned. */
  WHERRY_REASON_WRONG_KEY = 14,
  /* The other side does not speak this protocol, or breaks it. */
  WHERRY_REASON_PROTOCOL = 15,
  /* The other side speaks only versions that this one does not. */
  WHERRY_REASON_VERSION = 16,
  /* The inbox at the other end is full; it is tried again later. */
  WHERRY_REASON_FULL = 17,
  /* The relay allows no more; it is tried again later. */
  WHERRY_REASON_QUOTA = 18,
  /* Larger than the network carries. */
  WHERRY_REASON_TOO_LARGE = 19,
  /* Not there, or not there any more. */
  WHERRY_REASON_NOT_FOUND = 20,
  /* The relay refuses: wrong token or key. */
  WHERRY_REASON_NOT_ALLOWED = 21,
  /* No answer in time. */
  WHERRY_REASON_TIMEOUT = 22,
  /* The transport was stopped. */
  WHERRY_REASON_STOPPED = 23,
  /* The disk is full or failed. */
  WHERRY_REASON_DISK = 24,
  /* It has expired. */
  WHERRY_REASON_EXPIRED = 25,
  /* A signature or key does not fit. */
  WHERRY_REASON_FORGED = 26,
  /* It does not follow the format. */
  WHERRY_REASON_MALFORMED = 27,
  /* It could not be decrypted; a fresh copy was asked for. */
  WHERRY_REASON_CANNOT_OPEN = 28,
  /* The other device seems to run from an old copy of its disk. */
  WHERRY_REASON_ROLLBACK_SUSPECTED = 29,
  /* A setting is missing or wrong. */
  WHERRY_REASON_SETTING = 30,
  /* The relay lost its store; what was undelivered is sent again. */
  WHERRY_REASON_RELAY_RESET = 31,
  /* The proxy refused or can not be reached. */
  WHERRY_REASON_PROXY = 32,
  /* This machine is short of memory or descriptors. */
  WHERRY_REASON_RESOURCE = 33,
  /* A new endpoint of theirs has not answered yet. */
  WHERRY_REASON_UNPROVEN = 34,
  /*
   * The old network is left; the new one is used after a quiet time, so that nothing links the two.
   */
  WHERRY_REASON_QUIET = 35,
  /*
   * The other person's endpoint can not be used from here: it is at another relay, or at an address
   * that the settings do not allow.
   */
  WHERRY_REASON_ENDPOINT_REFUSED = 36,
  /* This machine can not listen at the address of the settings. */
  WHERRY_REASON_CANNOT_LISTEN = 37,
  /* The program tor is not there: install it, or say in the settings where it is. */
  WHERRY_REASON_TOR_MISSING = 38,
  /* This machine has no network. */
  WHERRY_REASON_NO_NETWORK = 39,
  /*
   * There is a network, and the Tor network can not be reached by it: where that is blocked, a
   * bridge helps.
   */
  WHERRY_REASON_BRIDGE_NEEDED = 40,
  /* This peer is reached only while both ends try. */
  WHERRY_REASON_BOTH_ENDS = 41,
  /* This peer was found on the local network, and can be reached now. */
  WHERRY_REASON_NEARBY = 42
} wherry_reason;

/* When networks that are no longer permitted are left. */
typedef enum wherry_tightening {
  /*
   * At once; where they are the only way to tell the other person of a network that is permitted,
   * when that is told: nothing else is sent there.
   */
  WHERRY_TIGHTENING_ANNOUNCE = 0,
  /* At once. Who was told of no other network can not find this person any more. */
  WHERRY_TIGHTENING_NOW = 1
} wherry_tightening;

/* How far one direction of a conversation has come on its way to another network. */
typedef enum wherry_route_state {
  /* It is on the route. */
  WHERRY_ROUTE_STATE_SETTLED = 0,
  /* Receiving: no network of the route is open here yet; it goes on by the old one. */
  WHERRY_ROUTE_STATE_OPENING = 1,
  /* Receiving: they were told, and have not taken leave of the old one yet. */
  WHERRY_ROUTE_STATE_ANNOUNCED = 2,
  /* Sending: their new endpoint is asked whether it is there; it goes on by the old one. */
  WHERRY_ROUTE_STATE_PROBING = 3,
  /* Sending: the old network is left, and the new one is not used before a quiet time is over. */
  WHERRY_ROUTE_STATE_QUIET = 4,
  /* Sending: they can not be reached on any network of the route; it goes on by another. */
  WHERRY_ROUTE_STATE_ELSEWHERE = 5
} wherry_route_state;

/* How far a message is known to have come. It only rises within 0..4; 5 and above are ends. */
typedef enum wherry_evidence {
  /* Durable in this profile. */
  WHERRY_EVIDENCE_QUEUED = 0,
  /* Left this device, by a transport's word. */
  WHERRY_EVIDENCE_SENT = 1,
  /* Durable at a relay, by a transport's word. */
  WHERRY_EVIDENCE_STORED = 2,
  /* Durable on a device of the recipient, by its word. */
  WHERRY_EVIDENCE_DELIVERED = 3,
  /* Seen by the recipient, by their word. */
  WHERRY_EVIDENCE_READ = 4,
  /* Ended: its time was over before it was delivered. */
  WHERRY_EVIDENCE_EXPIRED = 5,
  /* Ended: taken back before it was sent. */
  WHERRY_EVIDENCE_CANCELLED = 6,
  /* Ended: it can never be delivered; a reason is given. */
  WHERRY_EVIDENCE_FAILED = 7
} wherry_evidence;

/* What the bytes of a message are. */
typedef enum wherry_content {
  /* UTF-8 text. */
  WHERRY_CONTENT_TEXT = 1,
  /* Bytes that only the apps understand. */
  WHERRY_CONTENT_DATA = 2
} wherry_content;

/* Where a contact stands. */
typedef enum wherry_contact_state {
  /* I hold their card; they have not answered yet. */
  WHERRY_CONTACT_STATE_ADDED = 1,
  /* They hold my card and wrote; I have not accepted yet. */
  WHERRY_CONTACT_STATE_REQUEST = 2,
  /* Both sides have a session. */
  WHERRY_CONTACT_STATE_CONNECTED = 3
} wherry_contact_state;

/* A field of an event. Its type is fixed: integer, bytes or text. */
typedef enum wherry_field {
  /* A contact's id. */
  WHERRY_FIELD_CONTACT = 1,
  /* A conversation's id. */
  WHERRY_FIELD_CONVERSATION = 2,
  /* A message's local id. */
  WHERRY_FIELD_MESSAGE = 3,
  /* A message's id, 16 bytes, the same on both sides. */
  WHERRY_FIELD_MESSAGE_ID = 4,
  /* The contact who wrote it; 0: this profile. */
  WHERRY_FIELD_AUTHOR = 5,
  /* wherry_content. */
  WHERRY_FIELD_CONTENT = 6,
  /* The content's bytes. */
  WHERRY_FIELD_BODY = 7,
  /* When its author sent it by their clock, ms since 1970. */
  WHERRY_FIELD_SENT_MS = 8,
  /* When it became durable here, ms since 1970. */
  WHERRY_FIELD_RECEIVED_MS = 9,
  /* wherry_evidence. */
  WHERRY_FIELD_EVIDENCE = 10,
  /* wherry_reason. */
  WHERRY_FIELD_REASON = 11,
  /* wherry_transport_state, wherry_contact_state or wherry_route_state. */
  WHERRY_FIELD_STATE = 12,
  /* A transport's id; of a message: by which it came. */
  WHERRY_FIELD_TRANSPORT = 13,
  /* 0..100. */
  WHERRY_FIELD_PERCENT = 14,
  /* A short text for people. */
  WHERRY_FIELD_PHASE = 15,
  /* An identity's public key, 32 bytes. */
  WHERRY_FIELD_IDENTITY = 16,
  /* How many. */
  WHERRY_FIELD_COUNT = 17
} wherry_field;

/* The type of an event; its fields follow each name. */
typedef enum wherry_event_type {
  /*
   * A message came and is durable. Fields: CONVERSATION, MESSAGE, MESSAGE_ID, AUTHOR, CONTENT,
   * BODY, SENT_MS, RECEIVED_MS, TRANSPORT.
   */
  WHERRY_EVENT_MESSAGE = 1,
  /*
   * More is known of a message of this profile. At most the latest waits. Fields: CONVERSATION,
   * MESSAGE, MESSAGE_ID, EVIDENCE, REASON.
   */
  WHERRY_EVENT_EVIDENCE = 2,
  /*
   * The reason why messages of a conversation wait changed; NONE: they no longer wait. COUNT is how
   * many did then. Fields: CONVERSATION, REASON, COUNT.
   */
  WHERRY_EVENT_WAITING = 3,
  /* A contact is new or its state changed. Fields: CONTACT, STATE, IDENTITY, CONVERSATION. */
  WHERRY_EVENT_CONTACT = 4,
  /*
   * Something a careful person wants to know of a contact: a suspected roll-back, a forged bundle.
   * Fields: CONTACT, REASON.
   */
  WHERRY_EVENT_SECURITY = 5,
  /*
   * The state of a transport. Not durable: seq 0, coalesced. Fields: TRANSPORT, STATE, PERCENT,
   * REASON, PHASE.
   */
  WHERRY_EVENT_TRANSPORT = 6,
  /*
   * What this profile sends in a conversation came a step further on its way to another network, or
   * can not: then with the reason. Fields: CONVERSATION, STATE, REASON.
   */
  WHERRY_EVENT_SENDING_ROUTE = 8,
  /* The same of what is received. Fields: CONVERSATION, STATE, REASON. */
  WHERRY_EVENT_RECEIVING_ROUTE = 9,
  /*
   * The disk is full or failed (reason DISK) or works again (NONE). Not durable: seq 0. Fields:
   * REASON.
   */
  WHERRY_EVENT_STORAGE = 7
} wherry_event_type;

/* How many observers wherry_reveals has room for; more than are named today. */
#define WHERRY_OBSERVER_ROOM 16

/*
 * Who learns what: facts[observer] is a set of wherry_fact bits. Also used for permits: what may be
 * learnt by whom.
 */
typedef struct wherry_reveals {
  uint32_t facts[WHERRY_OBSERVER_ROOM];
} wherry_reveals;

#ifdef __cplusplus
}
#endif
#endif /* WHERRY_SCHEMA_H */
