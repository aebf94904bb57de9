/*
 * wherry/transports/loopback.h: the loopback transport: instances in one process that name the same
 * hub exchange envelopes. For tests, and as the smallest example of a transport.
 */
#ifndef WHERRY_TRANSPORTS_LOOPBACK_H
#define WHERRY_TRANSPORTS_LOOPBACK_H

#ifdef __cplusplus
extern "C" {
#endif

struct wherry_transport_plugin;

/*
 * The plug-in's table, to be registered when a profile is opened.
 * Returns: never NULL. Ownership: static storage. Threads: any.
 */
const struct wherry_transport_plugin* wherry_transport_loopback(void);

#ifdef __cplusplus
}
#endif
#endif /* WHERRY_TRANSPORTS_LOOPBACK_H */
