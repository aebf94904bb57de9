// What the commands of `wherry` do, and the options they take. How these are written on a command
// line is not their concern: see command_line.cpp.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "app.h"

namespace cli {

// What goes wrong is thrown, mostly as a Failure or a wherry::Error. That a message has not come
// far enough in time is an exit code only, which `send` and `listen` set in the App.

struct InitOptions {
  std::string relay;  // empty: none yet
  std::string proxy;
  unsigned timeout_s = 15;
};
void init_profile(const App& app, const InitOptions& options);

struct CardOptions {
  std::string transport;  // empty: the only one that can be named in a card
  unsigned valid_days = 30;
  unsigned timeout_s = 15;
};
void make_card(const App& app, const CardOptions& options);

struct ContactOptions {
  std::string which;  // a card, or a contact
  std::optional<std::string> name;
};
void add_contact(const App& app, const ContactOptions& options);
void accept_contact(const App& app, const ContactOptions& options);
void list_contacts(const App& app);

struct SendOptions {
  std::string to;
  std::vector<std::string> words;
  std::string wait = "stored";
  unsigned timeout_s = 30;
};
void send(App& app, const SendOptions& options);

struct ListenOptions {
  bool accept = false;
  std::uint64_t count = 0;            // 0: no end
  std::optional<unsigned> timeout_s;  // 0: only what has come already; none: no end
};
void listen(App& app, const ListenOptions& options);

struct HistoryOptions {
  std::string with;
  unsigned limit = 50;
  std::uint64_t before = 0;  // 0: from the newest message on
};
void show_history(const App& app, const HistoryOptions& options);

struct TransportOptions {
  std::string which;
  std::vector<std::string> settings;  // NAME=VALUE
};
void list_transports(const App& app);
void add_transport(const App& app, const TransportOptions& options);
void set_transport(const App& app, const TransportOptions& options);
void start_transport(const App& app, const TransportOptions& options);
void stop_transport(const App& app, const TransportOptions& options);
void describe_transport(const App& app, const TransportOptions& options);

struct PermitsOptions {
  std::optional<std::string> contact;  // none: the profile's
  std::vector<std::string> sets;       // names of presets
  std::vector<std::string> forbid;     // OBSERVER:FACT
  bool now = false;                    // leave what is forbidden before others are told
};
void permits(const App& app, const PermitsOptions& options);
void explain(const App& app, const std::string& contact);

struct RouteOptions {
  std::string contact;
  std::optional<std::string> route;  // none: as it is
};
void route(const App& app, const RouteOptions& options);

void doctor(const App& app);

void pipe();
void list_pipe_methods();

}  // namespace cli
