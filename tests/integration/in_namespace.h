// A thread that is in a network namespace for a while.
#pragma once

#include <fcntl.h>
#include <sched.h>

#include <string>

#include "transports/common/net.h"

namespace wherry::test {

// What this thread starts or opens meanwhile is in the namespace, and stays there.
class InNamespace {
 public:
  explicit InNamespace(const std::string& name)
      : before_(::open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC)) {
    const transports::Descriptor there(
        ::open(("/run/netns/" + name).c_str(), O_RDONLY | O_CLOEXEC));
    entered_ = ::setns(there.get(), CLONE_NEWNET) == 0;
  }
  ~InNamespace() {
    if (entered_) ::setns(before_.get(), CLONE_NEWNET);
  }
  InNamespace(const InNamespace&) = delete;
  InNamespace& operator=(const InNamespace&) = delete;
  bool entered() const { return entered_; }

 private:
  const transports::Descriptor before_;
  bool entered_ = false;
};

}  // namespace wherry::test
