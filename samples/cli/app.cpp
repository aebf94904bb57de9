// What all commands share; see app.h.
#include "app.h"

#include <cstdlib>
#include <filesystem>

#include "passphrase.h"
#include "plugins.h"
#include "text.h"

namespace cli {
namespace {

// Without plug-ins no transport starts.
wherry::Options profile_options(Networks networks) {
  wherry::Options options;
  if (networks == Networks::on) options.plugins = plugins();
  return options;
}

// An error of the library does not say which profile it is about.
[[noreturn]] void raise_about(const std::string& directory, const wherry::Error& error) {
  std::string text = error.what();
  if (error.status() == WHERRY_E_NO_PROFILE) {
    text = "there is no profile here: make one with `wherry init`";
  } else if (error.status() == WHERRY_E_EXISTS) {
    text = "there is a profile here already: go on with it, or name another place by --profile";
  }
  throw wherry::Error(error.status(), error.reason(), harmless(directory) + ": " + text);
}

// An environment variable, or "".
std::string environment(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? "" : value;
}

}  // namespace

std::string profile_directory(const App& app) {
  if (!app.profile.empty()) return app.profile;
  if (const std::string named = environment("WHERRY_PROFILE"); !named.empty()) return named;
  std::filesystem::path base = environment("XDG_DATA_HOME");
  if (base.empty()) {
    const std::string home = environment("HOME");
    if (home.empty()) throw Failure(exit_usage, "HOME is not set: give --profile DIR");
    base = std::filesystem::path(home) / ".local" / "share";
  }
  return (base / "wherry").string();
}

wherry::Profile open_profile(const App& app, Networks networks) {
  const std::string directory = profile_directory(app);
  const Passphrase passphrase = get_passphrase(app.passphrase_file, false);
  try {
    return wherry::Profile::open(directory, wherry::Key::passphrase(passphrase.text()),
                                 profile_options(networks));
  } catch (const wherry::Error& error) {
    raise_about(directory, error);
  }
}

wherry::Profile create_profile(const App& app) {
  const std::string directory = profile_directory(app);
  const Passphrase passphrase = get_passphrase(app.passphrase_file, true);
  const auto parent = std::filesystem::absolute(directory).parent_path();
  std::error_code failed;
  std::filesystem::create_directories(parent, failed);
  if (failed) throw Failure(exit_environment, parent.string() + ": " + failed.message());
  try {
    return wherry::Profile::create(directory, wherry::Key::passphrase(passphrase.text()),
                                   profile_options(Networks::on));
  } catch (const wherry::Error& error) {
    raise_about(directory, error);
  }
}

int exit_code_of(const wherry::Error& error) {
  if (error.status() >= 300) return exit_environment;
  return error.status() >= 200 ? exit_peer : exit_usage;
}

}  // namespace cli
