// The centralized transport: its table, over gRPC and real sockets.
#include "centralized.h"

#include "plugin.h"

namespace {

namespace centralized = wherry::transports::centralized;

std::int32_t create(wherry_transport** transport, const wherry_transport_host_api* api,
                    wherry_transport_host* host, const wherry_setting* settings,
                    std::size_t setting_count) {
  return centralized::create_client(transport, api, host, settings, setting_count,
                                    centralized::make_grpc_link, centralized::make_dialler);
}

}  // namespace

extern "C" const wherry_transport_plugin* wherry_transport_centralized() {
  static const wherry_transport_plugin table = centralized::table_of(create);
  return &table;
}
