/*
 * wherry/transports/p2p.h: the peer-to-peer transport: direct links between endpoints that two
 * people told each other. Link wherry_p2p.
 */
#ifndef WHERRY_TRANSPORT_P2P_H
#define WHERRY_TRANSPORT_P2P_H

#ifdef __cplusplus
extern "C" {
#endif

struct wherry_transport_plugin;

/*
 * The plug-in's table, for wherry_profile_options.
 *
 * Returns: never NULL.
 * Ownership: static storage.
 * Threads: any.
 */
#if defined(__GNUC__)
__attribute__((visibility("default")))
#endif
const struct wherry_transport_plugin*
wherry_transport_p2p(void);

#ifdef __cplusplus
}
#endif
#endif /* WHERRY_TRANSPORT_P2P_H */
