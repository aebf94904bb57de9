// A line of `wherry pipe`: JSON-RPC 2.0, one object a line. Not the calls themselves.
#pragma once

#include <functional>
#include <optional>
#include <string>

#include "pipe_params.h"

namespace cli {

// Calls a method by name. Throws an RpcError.
using PipeCaller = std::function<Json(const std::string& method, const Json& params)>;

// The response to a request, without its line end; nothing when the request wants none. What is no
// request is answered too, with the id null unless it has a valid one. `params` is an empty object
// when none were given.
std::optional<std::string> pipe_respond(const std::string& line, const PipeCaller& call);

// The response to a line that was too long to be looked at.
std::string pipe_refuse_line();

}  // namespace cli
