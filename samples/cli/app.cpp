// What all commands share; see app.h.
#include "app.h"

#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <filesystem>

#include "plugins.h"
#include "text.h"

namespace cli {
namespace {

namespace fs = std::filesystem;

// Without plug-ins no transport starts.
wherry::Options profile_options(Networks networks) {
  wherry::Options options;
  if (networks == Networks::on) options.plugins = plugins();
  return options;
}

bool reading_is_refused(const std::string& directory) {
  const bool readable = access(directory.c_str(), R_OK | X_OK) == 0 &&
                        access((directory + "/profile").c_str(), R_OK) == 0;
  return !readable && errno == EACCES;
}

// An error of the library does not say which profile it is about, nor whether it is reading or
// writing that is not permitted.
[[noreturn]] void raise_about(const std::string& directory, const wherry::Error& error) {
  std::string text = error.what();
  if (error.status() == WHERRY_E_NO_PROFILE) {
    text = "there is no profile here: make one with `wherry init`";
  } else if (error.status() == WHERRY_E_EXISTS && fs::exists(directory + "/profile")) {
    text = "there is a profile here already: go on with it, or name another place by --profile";
  } else if (error.status() == WHERRY_E_READ_ONLY && reading_is_refused(directory)) {
    text = "no permission to read here: it belongs to another user, or its mode was changed";
  }
  throw wherry::Error(error.status(), error.reason(), harmless(directory) + ": " + text);
}

// An environment variable, or "".
std::string environment(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? "" : value;
}

// A folder that is there already is used only if nobody else may look into it: the library gives
// its mode to one that it makes alone.
void keep_to_owner(const std::string& directory) {
  std::error_code failed;
  const fs::file_status status = fs::status(directory, failed);
  constexpr fs::perms others = fs::perms::group_all | fs::perms::others_all;
  if (status.type() != fs::file_type::directory ||
      (status.permissions() & others) == fs::perms::none) {
    return;
  }
  if (fs::exists(fs::path(directory) / "profile", failed)) return;  // the library refuses it
  if (!fs::is_empty(directory, failed) || failed) {
    throw Failure(exit_environment, harmless(directory) +
                                        ": there are other files here, and other users may look "
                                        "into this folder: name a new one by --profile");
  }
  fs::permissions(directory, fs::perms::owner_all, failed);
  if (failed) throw Failure(exit_environment, harmless(directory) + ": " + failed.message());
}

}  // namespace

std::string profile_directory(const App& app) {
  if (!app.profile.empty()) return app.profile;
  if (const std::string named = environment("WHERRY_PROFILE"); !named.empty()) return named;
  fs::path base = environment("XDG_DATA_HOME");
  if (base.empty()) {
    const std::string home = environment("HOME");
    if (home.empty()) throw Failure(exit_usage, "HOME is not set: give --profile DIR");
    base = fs::path(home) / ".local" / "share";
  }
  return (base / "wherry").string();
}

wherry::Profile open_profile(const App& app, Networks networks) {
  return open_profile(app, networks, get_passphrase(app.passphrase_file, false));
}

wherry::Profile open_profile(const App& app, Networks networks, const Passphrase& passphrase) {
  const std::string directory = profile_directory(app);
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
  const auto parent = fs::absolute(directory).parent_path();
  std::error_code failed;
  fs::create_directories(parent, failed);
  if (failed) throw Failure(exit_environment, parent.string() + ": " + failed.message());
  keep_to_owner(directory);
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
