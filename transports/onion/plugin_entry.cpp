// The symbol by which an app finds this transport in a shared library.
#include "include/wherry/transport.h"
#include "onion.h"

extern "C" __attribute__((visibility("default"))) const wherry_transport_plugin*
wherry_transport_plugin_entry();

extern "C" const wherry_transport_plugin* wherry_transport_plugin_entry() {
  return wherry_transport_onion();
}
