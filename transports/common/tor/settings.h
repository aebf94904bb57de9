// Which tor a transport uses, as its user says it: the same settings for every transport.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "include/wherry/transport.h"
#include "tor_provider.h"

namespace wherry::transports::tor {

// Rows for a transport's description. They live for ever.
[[nodiscard]] std::span<const wherry_setting_description> setting_descriptions();

// One list of both, for a description.
[[nodiscard]] std::vector<wherry_setting_description> joined(
    std::span<const wherry_setting_description> first,
    std::span<const wherry_setting_description> second);

// Takes them one by one.
class SettingsReader {
 public:
  // False: it is none of tor's.
  bool take(std::string_view name, std::string_view value);
  // The name of one that is not as it is anyway; empty: all are.
  std::string first_set() const;
  // Strict. Reads the file that `torrc` names. None: error, one line that says what to do. A tor of
  // our own has no folder yet if none was set: see choose_folder.
  [[nodiscard]] std::optional<TorSettings> finish(std::string& error) const;

 private:
  TorSettings settings_;
  std::string bridges_;
  std::string bridge_program_;
  std::string torrc_;
  std::string broken_;  // the setting that is not one line
};

// Where tor keeps its state if its user did not say: in the user's home, by a name that stays the
// same for this instance of a transport.
void choose_folder(TorSettings& settings, const wherry_transport_host_api& api,
                   wherry_transport_host* host);

}  // namespace wherry::transports::tor
