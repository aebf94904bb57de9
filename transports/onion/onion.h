/*
 * wherry/transports/onion.h: the onion transport: links between two people over the Tor network,
 * whose addresses nobody learns. Link wherry_onion; the program `tor` is needed where it runs.
 */
#ifndef WHERRY_TRANSPORT_ONION_H
#define WHERRY_TRANSPORT_ONION_H

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
wherry_transport_onion(void);

#ifdef __cplusplus
}
#endif
#endif /* WHERRY_TRANSPORT_ONION_H */
