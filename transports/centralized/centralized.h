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
 * It uses gRPC, which writes lines of its own to standard error when a connection fails. An app
 * that does not want them sets the environment variable GRPC_VERBOSITY to NONE before it opens a
 * profile; states and reasons of the transport tell the same.
 *
 * Returns: never NULL.
 * Ownership: static storage.
 * Threads: any.
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
