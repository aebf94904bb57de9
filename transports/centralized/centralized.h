/*
 * wherry/transports/centralized.h: the centralized transport: one relay (wherry-relay) that
 * everybody uses. Link wherry_centralized.
 */
#ifndef WHERRY_TRANSPORT_CENTRALIZED_H
#define WHERRY_TRANSPORT_CENTRALIZED_H

#ifdef __cplusplus
extern "C" {
#endif

struct wherry_transport_plugin;

/*
 * The plug-in's table, for wherry_profile_options.
 * Returns: never NULL. Ownership: static storage. Threads: any.
 */
#if defined(__GNUC__)
__attribute__((visibility("default")))
#endif
const struct wherry_transport_plugin*
wherry_transport_centralized(void);

#ifdef __cplusplus
}
#endif
#endif /* WHERRY_TRANSPORT_CENTRALIZED_H */
