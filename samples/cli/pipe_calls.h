// The methods of `wherry pipe`: the C functions without `wherry_`. The tables are made by
// cmake/describe.py from cmake/abi/wherry-1.json at build time.
#pragma once

#include <functional>
#include <map>
#include <string>

#include "pipe_params.h"

namespace cli {

class PipeSession;

// Calls one function: its parameters by name in, its outputs by name out. Throws an RpcError.
using PipeCall = Json (*)(PipeSession& session, const Json& params);

struct PipeMethod {
  PipeCall call;
  const char* parameters;  // their names, with ", " between
};

const std::map<std::string, PipeMethod, std::less<>>& pipe_methods();

// Functions that are no methods, and why.
const std::map<std::string, const char*, std::less<>>& pipe_refusals();

}  // namespace cli
