// A private Tor network for a test, by tornet.py: it lives as long as this object.
#pragma once

#include <sys/types.h>

#include <cstdio>
#include <filesystem>
#include <string>
#include <vector>

namespace wherry::test {

class TorNet {
 public:
  // Returns when a client can use it. An error is on stderr, and torrc() is empty then.
  explicit TorNet(int relays = 3);
  TorNet(const TorNet&) = delete;
  TorNet& operator=(const TorNet&) = delete;
  ~TorNet();

  // A file with the lines of a torrc by which a tor is a client of this network.
  const std::string& torrc() const { return torrc_; }

  // A relay as a bridge line says where it is: any of them can be one.
  std::string bridge(int relay) const { return bridges_.at(static_cast<std::size_t>(relay)); }

  // Where a tor of this network keeps its state: one folder for each name, which is there as long
  // as the network. Who comes again with it is quicker.
  std::string client_folder(const std::string& name) const;

  // "kill 2", "start 2", "stop", "continue". False: it could not be done.
  bool command(const std::string& line);

 private:
  std::string read_line();

  pid_t pid_ = -1;
  FILE* in_ = nullptr;
  FILE* out_ = nullptr;
  std::string torrc_;
  std::vector<std::string> bridges_;
};

// The tor whose state is in this folder; 0: there is none.
pid_t tor_of(const std::string& folder);

// One for all tests of this program, begun by the first that asks for it.
TorNet& tor_net();

}  // namespace wherry::test
