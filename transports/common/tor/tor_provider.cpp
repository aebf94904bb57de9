// The provider's thread: a tor, what is said with it, streams that come, and dials.
#include "tor_provider.h"

#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <deque>
#include <exception>
#include <filesystem>
#include <map>
#include <mutex>
#include <thread>
#include <utility>

#include "dials.h"
#include "include/wherry/transport.h"
#include "local_socket.h"
#include "outage.h"
#include "session.h"
#include "transports/common/worker_thread.h"

namespace wherry::transports::tor {
namespace {

using Clock = std::chrono::steady_clock;
using std::chrono::milliseconds;

constexpr milliseconds kControlEvery{20};      // a new tor's control socket is looked for
constexpr milliseconds kControlLimit{10'000};  // and has let us in by then
constexpr milliseconds kEndLimit{1'200};       // for a tor of ours to end when it is told to
constexpr milliseconds kAgain{200};            // after descriptors had run out
constexpr int kStreamsAtOnce = 16;             // that came to one service
// Tor publishes a few services in seconds, and many at once not in minutes.
constexpr std::size_t kPublishingMax = 8;
constexpr std::chrono::seconds kStallLimit{60};       // without a word while it starts
constexpr std::chrono::seconds kPublishingLimit{60};  // then another one has its turn

// Whether there is no room for what tor keeps.
bool is_full(const std::string& folder) {
  constexpr std::uintmax_t kNeeded = std::uintmax_t{1} << 20U;  // bytes
  std::error_code failure;
  const auto space = std::filesystem::space(folder, failure);
  return !failure && space.available < kNeeded;
}

class TorProvider final : public Provider {
 public:
  TorProvider(TorSettings settings, Listener& listener)
      : settings_(std::move(settings)),
        listener_(listener),
        wake_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
    if (!wake_.valid()) throw std::system_error(errno, std::generic_category(), "eventfd");
  }
  ~TorProvider() override {
    if (thread_.joinable()) thread_.join();
  }

  void start() override {
    if (thread_.joinable()) thread_.join();  // of an earlier start, which has said on_stopped
    {
      const std::lock_guard lock(mutex_);
      tasks_.clear();
      stopping_ = renewed_ = false;
    }
    thread_ = std::thread([this] { run(); });
  }
  void stop() override {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
    ::eventfd_write(wake_.get(), 1);
  }
  void renew() override {
    const std::lock_guard lock(mutex_);
    renewed_ = true;
    ::eventfd_write(wake_.get(), 1);
  }
  void publish(std::uint64_t service, Service what) override {
    post([this, service, what = std::move(what)] {
      if (!wanted_.emplace(service, what).second) return;
      if (life_) life_->to_publish.push_back(service);
    });
  }
  void withdraw(std::uint64_t service) override {
    post([this, service] {
      wanted_.erase(service);
      if (!life_) return;
      if (life_->session) life_->session->withdraw(service);
      life_->doors.erase(service);
      life_->publishing.erase(service);
      std::erase(life_->to_publish, service);
    });
  }
  void dial(std::uint64_t dial, Target target) override {
    post([this, dial, target = std::move(target)] { begin_dial(dial, target); });
  }
  void give_up(std::uint64_t dial) override {
    post([this, dial] {
      if (life_) life_->dials.give_up(dial);
    });
  }

 private:
  // From the start of a tor, or the connection to one, to its end.
  struct Life {
    explicit Life(Dials::Report report) : dials(std::move(report)) {}

    std::unique_ptr<TorProcess> process;  // null: it is not ours
    bool output_open = true;
    std::unique_ptr<Session> session;  // null: it is not connected yet
    std::string socks;                 // empty: it is not let in yet
    Clock::time_point control_until;
    std::map<std::uint64_t, Descriptor> doors;  // where tor takes streams to, by service
    Clock::time_point doors_closed_until{};     // no descriptors were left
    std::deque<std::uint64_t> to_publish;
    std::map<std::uint64_t, Clock::time_point> publishing;  // and when another has its turn
    Dials dials;
    Outage outage;
  };

  void post(std::function<void()> task) {
    const std::lock_guard lock(mutex_);
    tasks_.push_back(std::move(task));
    ::eventfd_write(wake_.get(), 1);
  }

  void tell(const Status& status) {
    if (status == told_) return;
    told_ = status;
    stalled_ = false;
    stalls_at_ = Clock::now() + kStallLimit;
    listener_.on_status(status);
  }

  void run() {
    block_signals();
    told_ = {};
    do {
      try {
        begin();
        while (life_ && work()) {
        }
      } catch (const std::exception& error) {  // memory, descriptors
        tell({WHERRY_TRANSPORT_STATE_DEGRADED, 0, WHERRY_REASON_RESOURCE, error.what()});
      }
      end();
    } while (wait_for_renewal());
    wanted_.clear();
    listener_.on_stopped();
  }

  void begin() {
    tell({WHERRY_TRANSPORT_STATE_STARTING, 0, WHERRY_REASON_NONE, "starting tor"});
    life_ =
        std::make_unique<Life>([this](std::uint64_t dial, Descriptor stream, std::int32_t reason) {
          listener_.on_dialled(dial, std::move(stream), reason);
        });
    life_->control_until = Clock::now() + kControlLimit;
    if (!settings_.control.empty()) return;
    StartError error = StartError::kNone;
    std::string what;
    life_->process = TorProcess::start(settings_.own, error, what);
    if (life_->process) return;
    life_.reset();
    const std::int32_t reason = error == StartError::kMissing  ? WHERRY_REASON_TOR_MISSING
                                : error == StartError::kFolder ? WHERRY_REASON_DISK
                                                               : WHERRY_REASON_RESOURCE;
    tell({WHERRY_TRANSPORT_STATE_DEGRADED, 0, reason, what});
  }

  std::string control_place() const {
    return life_->process ? "unix:" + life_->process->control_socket() : settings_.control;
  }

  // Once tor listens there.
  void connect() {
    Descriptor socket = connect_local(control_place());
    if (!socket.valid()) {
      if (Clock::now() < life_->control_until && life_->process) return;
      return lose({WHERRY_TRANSPORT_STATE_DEGRADED, 0, WHERRY_REASON_REFUSED,
                   "tor's control port, " + control_place() + ": " + std::strerror(errno)});
    }
    Session::Calls calls{
        [this](const Status& status) { tell(status); },
        [this](const std::string& socks) { on_let_in(socks); },
        [this](std::uint64_t service, std::int32_t reason) {
          life_->publishing.erase(service);
          listener_.on_published(service, reason);
        },
        [this](const std::string& relay) {
          if (life_->outage.note(relay, Clock::now())) life_->session->rest();
        },
    };
    life_->session =
        std::make_unique<Session>(std::move(socket),
                                  Session::Login{settings_.password, life_->process != nullptr,
                                                 control_place().starts_with("unix:")},
                                  std::move(calls));
  }

  void on_let_in(const std::string& socks) {
    life_->socks = socks;
    life_->to_publish.clear();
    for (const auto& [service, what] : wanted_) life_->to_publish.push_back(service);
  }

  void publish(Life& life) {
    if (life.socks.empty()) return;
    const auto now = Clock::now();
    std::erase_if(life.publishing, [&](const auto& entry) { return entry.second <= now; });
    while (life.publishing.size() < kPublishingMax && !life.to_publish.empty()) {
      const std::uint64_t service = life.to_publish.front();
      life.to_publish.pop_front();
      const auto what = wanted_.find(service);
      if (what == wanted_.end()) continue;
      life.publishing[service] = now + kPublishingLimit;
      publish_now(life, service, what->second);
    }
  }

  void publish_now(Life& life, std::uint64_t service, const Service& what) {
    // Tor takes its streams to a socket that nobody else can reach; one that is not ours may not
    // enter our folder.
    std::string place;
    const std::string path =
        life.process ? life.process->run_folder() + "/s" + std::to_string(service) : "";
    if (!path.empty()) ::unlink(path.c_str());
    Descriptor door = listen_local(path, place);
    if (!door.valid()) {
      life.publishing.erase(service);
      return listener_.on_published(service, WHERRY_REASON_RESOURCE);
    }
    life.doors.insert_or_assign(service, std::move(door));
    life.session->publish(service, what, place);
  }

  void begin_dial(std::uint64_t dial, const Target& target) {
    if (!life_ || life_->socks.empty()) {
      return listener_.on_dialled(dial, {}, WHERRY_REASON_TRANSPORT_OFFLINE);
    }
    life_->dials.begin(dial, target, Clock::now());
  }

  void lose(const Status& status) {
    if (lost_) return;  // what was said first is why
    tell(status);
    lost_ = true;
  }

  // Waits for something, and does it. False: this life is over.
  bool work() {
    Life& life = *life_;
    if (!life.session) connect();
    const bool late = life.socks.empty() && life.control_until <= Clock::now();
    if (!lost_ && late) {
      lose({WHERRY_TRANSPORT_STATE_DEGRADED, 0, WHERRY_REASON_TIMEOUT,
            "nothing is said at tor's control port, " + control_place()});
    }
    if (lost_) return false;
    std::vector<pollfd> items;
    const auto watch = [&](int descriptor, short events) {
      items.push_back({descriptor, events, 0});
      return items.size() - 1;
    };
    watch(wake_.get(), POLLIN);
    const bool talks = life.process && life.output_open;
    const std::size_t output = talks ? watch(life.process->output(), POLLIN) : 0;
    const std::size_t exit = life.process ? watch(life.process->exit(), POLLIN) : 0;
    const auto control_events =
        static_cast<short>(POLLIN | (life.session && life.session->wants_to_write() ? POLLOUT : 0));
    const std::size_t control =
        life.session ? watch(life.session->descriptor(), control_events) : 0;
    const std::size_t doors = items.size();
    auto until = life.socks.empty() ? life.control_until : Clock::time_point::max();
    if (!life.session) until = std::min(until, Clock::now() + kControlEvery);
    const bool may_enter = life.doors_closed_until <= Clock::now();
    if (!may_enter) until = std::min(until, life.doors_closed_until);
    const short door_events = may_enter ? POLLIN : 0;
    for (const auto& [service, door] : life.doors) watch(door.get(), door_events);
    const std::size_t dials = items.size();
    if (!life.to_publish.empty()) {
      for (const auto& [service, at] : life.publishing) until = std::min(until, at);
    }
    const std::vector<Dials::Watched> watched = life.dials.watched();
    for (const Dials::Watched& one : watched) watch(one.descriptor, one.events);
    if (const auto at = life.dials.deadline()) until = std::min(until, *at);
    if (life.outage.lasts()) watch(life.outage.descriptor(), POLLIN);
    if (const auto at = life.outage.deadline()) until = std::min(until, *at);
    if (life.session && life.session->deadline()) {
      until = std::min(until, *life.session->deadline());
    }
    if (told_.state == WHERRY_TRANSPORT_STATE_STARTING) until = std::min(until, stalls_at_);
    if (!poll_until(items, until)) return !lost_;

    const auto ready = [&](std::size_t item) { return item != 0 && items[item].revents != 0; };
    std::size_t item = doors;
    for (const auto& [service, door] : life.doors) {
      if (ready(item++)) take_streams(service, door.get());
    }
    item = dials;
    for (const Dials::Watched& one : watched) {
      if (ready(item++)) life.dials.on_ready(one.dial);
    }
    if (ready(control) && !life.session->read()) lost_ = true;  // why is told
    // What tor said last is kept, and that it has ended is seen below.
    if (ready(output)) life.output_open = life.process->read_output();
    if (ready(exit)) on_exit();
    if (!take_tasks()) return false;
    publish(life);
    if (!life.socks.empty()) life.dials.work(*life.session, life.socks, Clock::now());
    // When this life is over, another one is begun by it.
    if (!lost_ && !life.socks.empty()) {
      const bool renewed = take_renewal() && !stalled_;
      const bool may_go = life.outage.lasts() ? life.outage.ends(Clock::now()) : renewed;
      if (may_go) life.session->reconnect();
    }
    look_for_stall();
    if (life.session) life.session->on_time(Clock::now());
    if (life.session && !life.session->write()) {
      lose({WHERRY_TRANSPORT_STATE_DEGRADED, 0, WHERRY_REASON_TRANSPORT_OFFLINE,
            "the connection to tor's control port is over"});
    }
    return !lost_;
  }

  // Tor does not always say that it gets nowhere: without any network it says nothing at all. It is
  // let alone, since it goes on by itself, and the next that it says is its state again.
  void look_for_stall() {
    if (told_.state != WHERRY_TRANSPORT_STATE_STARTING || Clock::now() < stalls_at_) return;
    const bool full = life_->process && is_full(settings_.own.folder);
    const std::int32_t reason = full                 ? WHERRY_REASON_DISK
                                : told_.percent == 0 ? WHERRY_REASON_NO_NETWORK
                                                     : WHERRY_REASON_UNREACHABLE;
    tell({WHERRY_TRANSPORT_STATE_DEGRADED, 0, reason,
          full ? "there is no room for tor's state" : "tor does not get on: " + told_.phase});
    stalled_ = true;
  }

  void on_exit() {
    life_->process->read_output();
    const std::string& complaint = life_->process->complaint();
    lose({WHERRY_TRANSPORT_STATE_DEGRADED, 0, WHERRY_REASON_TRANSPORT_OFFLINE,
          "tor has ended" + (complaint.empty() ? "" : ": " + complaint)});
  }

  void take_streams(std::uint64_t service, int door) {
    for (int i = 0; i < kStreamsAtOnce; ++i) {
      Descriptor stream = accept_local(door);
      const bool exhausted = errno == EMFILE || errno == ENFILE;
      if (!stream.valid() && exhausted) life_->doors_closed_until = Clock::now() + kAgain;
      if (!stream.valid()) return;
      listener_.on_stream(service, std::move(stream));
    }
  }

  // False: it is to stop.
  bool take_tasks() {
    std::vector<std::function<void()>> tasks;
    {
      const std::lock_guard lock(mutex_);
      eventfd_t count = 0;
      ::eventfd_read(wake_.get(), &count);
      if (stopping_) return false;
      tasks.swap(tasks_);
    }
    for (const auto& task : tasks) task();
    return true;
  }

  bool take_renewal() {
    const std::lock_guard lock(mutex_);
    return std::exchange(renewed_, false);
  }

  void end() {
    lost_ = false;
    if (!life_) return;
    if (life_->process && life_->session && !life_->socks.empty()) {
      life_->session->shut_down();
      if (life_->session->write()) life_->process->wait_for_end(kEndLimit);
    }
    // Services of a tor that is not ours end with the connection.
    life_->dials.fail_all(WHERRY_REASON_TRANSPORT_OFFLINE);
    life_.reset();
  }

  // Without a tor. False: it is to stop.
  bool wait_for_renewal() {
    while (take_tasks()) {
      if (take_renewal()) return true;
      pollfd one{wake_.get(), POLLIN, 0};
      ::poll(&one, 1, -1);
    }
    return false;
  }

  const TorSettings settings_;
  Listener& listener_;
  const Descriptor wake_;
  std::thread thread_;

  // The thread's own.
  std::unique_ptr<Life> life_;
  bool lost_ = false;  // this life is over
  std::map<std::uint64_t, Service> wanted_;
  Status told_;
  Clock::time_point stalls_at_;
  bool stalled_ = false;  // that was told last

  std::mutex mutex_;  // guards everything below
  bool stopping_ = false;
  bool renewed_ = false;
  std::vector<std::function<void()>> tasks_;
};

}  // namespace

std::unique_ptr<Provider> make_tor_provider(TorSettings settings, Listener& listener) {
  return std::make_unique<TorProvider>(std::move(settings), listener);
}

}  // namespace wherry::transports::tor
