// A tor of our own: a child process that ends with this one, whatever becomes of it. Linux.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <memory>
#include <string>

#include "transports/common/net.h"
#include "transports/common/run_folder.h"

namespace wherry::transports::tor {

struct TorOptions {
  std::string program = "tor";  // a path, or a name that is looked up in PATH
  std::string folder;           // its state: made with mode 0700 if it is not there
  std::string more;             // lines of a torrc, each with its '\n'
};

enum class StartError : std::uint8_t { kNone, kMissing, kFolder, kResource };

class TorProcess {
 public:
  // Null: why not, and what the system says.
  static std::unique_ptr<TorProcess> start(const TorOptions& options, StartError& error,
                                           std::string& what);
  TorProcess(const TorProcess&) = delete;
  TorProcess& operator=(const TorProcess&) = delete;
  ~TorProcess();  // kills it if it is still there

  const std::string& run_folder() const { return run_->path(); }
  std::string control_socket() const { return run_folder() + "/control"; }
  std::string socks_socket() const { return run_folder() + "/socks"; }

  int output() const { return output_.get(); }  // readable: read_output()
  int exit() const { return exit_.get(); }      // readable when it has ended
  // What it warned of last, or the error that it ended with; one line.
  const std::string& complaint() const { return complaint_; }
  // False: it has closed its output.
  bool read_output();

  // False: it is there still.
  bool wait_for_end(std::chrono::milliseconds limit);

 private:
  TorProcess() = default;
  bool write_torrc(const TorOptions& options, std::string& what) const;
  StartError spawn(const TorOptions& options, std::string& what);
  void take_line(std::string_view line);

  std::unique_ptr<RunFolder> run_;  // for its sockets; always there
  pid_t pid_ = -1;
  Descriptor output_;
  Descriptor exit_;
  std::string rest_;
  std::string complaint_;
};

}  // namespace wherry::transports::tor
