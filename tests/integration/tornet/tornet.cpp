// Starting tornet.py and talking to it.
#include "tornet.h"

#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <fstream>
#include <nlohmann/json.hpp>

namespace wherry::test {

TorNet::TorNet(int relays) {
  std::array<int, 2> in{};
  std::array<int, 2> out{};
  if (::pipe2(in.data(), O_CLOEXEC) != 0 || ::pipe2(out.data(), O_CLOEXEC) != 0) return;
  posix_spawn_file_actions_t actions;
  ::posix_spawn_file_actions_init(&actions);
  ::posix_spawn_file_actions_adddup2(&actions, in[0], 0);
  ::posix_spawn_file_actions_adddup2(&actions, out[1], 1);
  const std::string count = std::to_string(relays);
  std::array<const char*, 5> arguments{"python3", WHERRY_TORNET, "--relays", count.c_str(),
                                       nullptr};
  if (::posix_spawnp(&pid_, "python3", &actions, nullptr,
                     const_cast<char* const*>(arguments.data()), environ) != 0) {
    pid_ = -1;
  }
  ::posix_spawn_file_actions_destroy(&actions);
  ::close(in[0]);
  ::close(out[1]);
  in_ = ::fdopen(in[1], "w");
  out_ = ::fdopen(out[0], "r");
  const auto description = nlohmann::json::parse(read_line(), nullptr, false);
  if (!description.is_object()) return;
  torrc_ = description.value("torrc", "");
  for (const auto& relay : description.at("relays")) {
    bridges_.push_back("127.0.0.1:" + std::to_string(relay.at("orport").get<int>()) + " " +
                       relay.at("fingerprint").get<std::string>());
  }
}

TorNet::~TorNet() {
  if (in_ != nullptr) std::fclose(in_);
  if (out_ != nullptr) std::fclose(out_);
  if (pid_ > 0) ::waitpid(pid_, nullptr, 0);
}

std::string TorNet::read_line() {
  std::string line;
  for (int character = 0; (character = std::fgetc(out_)) != EOF && character != '\n';) {
    line.push_back(static_cast<char>(character));
  }
  return line;
}

std::string TorNet::client_folder(const std::string& name) const {
  return std::filesystem::path(torrc_).parent_path() / ("client-" + name);
}

bool TorNet::command(const std::string& line) {
  std::fprintf(in_, "%s\n", line.c_str());
  std::fflush(in_);
  return read_line() == "done";
}

pid_t tor_of(const std::string& folder) {
  for (const auto& process : std::filesystem::directory_iterator("/proc")) {
    std::ifstream arguments(process.path() / "cmdline");
    std::string program;
    std::string option;
    std::string path;
    std::getline(arguments, program, '\0');
    std::getline(arguments, option, '\0');
    std::getline(arguments, path, '\0');
    if (program != "tor" || option != "-f") continue;
    std::ifstream torrc(path);
    const std::string lines{std::istreambuf_iterator<char>(torrc), {}};
    if (lines.find("DataDirectory \"" + folder + "\"") == std::string::npos) continue;
    return std::stoi(process.path().filename());
  }
  return 0;
}

TorNet& tor_net() {
  static TorNet net;
  return net;
}

}  // namespace wherry::test
