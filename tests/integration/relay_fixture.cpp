// Relays for tests.
#include "relay_fixture.h"

#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <fstream>
#include <sstream>
#include <stdexcept>
#include <thread>

namespace wherry::test {
namespace {

std::string read_line(int file, int limit_ms) {
  std::string line;
  pollfd entry{file, POLLIN, 0};
  char byte = 0;
  while (poll(&entry, 1, limit_ms) > 0 && read(file, &byte, 1) == 1 && byte != '\n') {
    line.push_back(byte);
  }
  return line;
}

}  // namespace

TemporaryDirectory::TemporaryDirectory() {
  std::string pattern = (std::filesystem::temp_directory_path() / "wherry-test-XXXXXX").string();
  if (mkdtemp(pattern.data()) == nullptr) throw std::runtime_error("no temporary directory");
  path_ = pattern;
}

TemporaryDirectory::~TemporaryDirectory() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

RelayInProcess::RelayInProcess(const relay::Quotas& quotas, std::uint32_t database_pages_max) {
  relay::RelayOptions options;
  options.data = directory_.path();
  options.listen = transports::Authority{"127.0.0.1", 0};
  options.quotas = quotas;
  options.database_pages_max = database_pages_max;
  std::string error;
  relay_ = relay::start_relay(options, error);
  if (!relay_) throw std::runtime_error(error);
}

RelayProcess::RelayProcess(const std::filesystem::path& data, const std::string& listen,
                           const std::vector<std::string>& more) {
  std::array<int, 2> out{};
  if (pipe2(out.data(), O_CLOEXEC) != 0) throw std::runtime_error("no pipe");
  std::vector<std::string> words = {WHERRY_RELAY_PROGRAM, "--data", data.string()};
  if (!listen.empty()) words.insert(words.end(), {"--listen", listen});
  words.insert(words.end(), more.begin(), more.end());
  std::vector<char*> arguments;
  for (std::string& word : words) arguments.push_back(word.data());
  arguments.push_back(nullptr);
  const std::string log = directory_.path() / "log";
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, out[1], STDOUT_FILENO);
  posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, log.c_str(),
                                   O_WRONLY | O_CREAT | O_APPEND, 0600);
  const int failed =
      posix_spawn(&pid_, WHERRY_RELAY_PROGRAM, &actions, nullptr, arguments.data(), environ);
  posix_spawn_file_actions_destroy(&actions);
  close(out[1]);
  if (failed == 0) address_ = read_line(out[0], 20'000);
  close(out[0]);
  if (failed != 0) throw std::runtime_error("cannot start " WHERRY_RELAY_PROGRAM);
}

RelayProcess::~RelayProcess() {
  if (ended_ >= 0) return;
  kill(pid_, SIGKILL);
  waitpid(pid_, nullptr, 0);
}

std::string RelayProcess::host_and_port() const {
  const std::size_t from = address_.find(':') + 1;
  return address_.substr(from, address_.find('/') - from);
}

void RelayProcess::signal(int number) {
  if (ended_ < 0) kill(pid_, number);
}

int RelayProcess::wait(int limit_ms) {
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::milliseconds(limit_ms);
  while (ended_ < 0 && std::chrono::steady_clock::now() < deadline) {
    int status = 0;
    if (waitpid(pid_, &status, WNOHANG) == pid_) {
      ended_ = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
    } else {
      std::this_thread::sleep_for(std::chrono::milliseconds(5));
    }
  }
  return ended_;
}

std::string RelayProcess::log() const {
  std::ifstream file(directory_.path() / "log");
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

long RelayProcess::memory_kib() const {
  std::ifstream file("/proc/" + std::to_string(pid_) + "/status");
  std::string word;
  long value = 0;
  while (file >> word) {
    if (word == "VmRSS:") {
      file >> value;
      break;
    }
  }
  return value;
}

}  // namespace wherry::test
