// See command_line.h. The only file that includes CLI11, whose header is slow to compile.
#include "command_line.h"

#include <CLI/CLI.hpp>
#include <memory>
#include <string>

#include "commands.h"
#include "text.h"

namespace cli {
namespace {

constexpr const char* exit_codes =
    "\nExit codes: 0 done; 1 wrong arguments; 2 the environment (disk, passphrase, network, "
    "another process);\n"
    "3 what was waited for did not come in time (a message is safe on disk by then);\n"
    "4 a card is no good.";

// A command with the options that all have. Examples are shown below its help.
CLI::App* add_command(CLI::App& parent, App& app, const std::string& name,
                      const std::string& description, const std::string& examples) {
  CLI::App* command = parent.add_subcommand(name, description);
  command
      ->add_option("--profile", app.profile,
                   "The profile's directory (default: $WHERRY_PROFILE, else "
                   "$XDG_DATA_HOME/wherry, else ~/.local/share/wherry)")
      ->type_name("DIR");
  command
      ->add_option("--passphrase-file", app.passphrase_file,
                   "Its first line is the passphrase (default: $WHERRY_PASSPHRASE, else a prompt)")
      ->type_name("FILE");
  command->add_flag("--json", app.json, "Write JSON, for programs");
  command->footer("\nExamples:\n" + examples);
  return command;
}

void declare_init(CLI::App& parent, App& app) {
  CLI::App* command = add_command(
      parent, app, "init", "Make a new profile with a new identity",
      "  wherry init --relay wr1:relay.example:7443/KEY\n"
      "  wherry init --profile /tmp/alice --passphrase-file alice.txt --relay \"$RELAY\"");
  auto options = std::make_shared<InitOptions>();
  command->add_option("--relay", options->relay, "The relay to use, as wherry-relay prints it")
      ->type_name("ENDPOINT");
  command->add_option("--proxy", options->proxy, "Reach the relay through this SOCKS5 proxy")
      ->type_name("HOST:PORT")
      ->needs("--relay");
  command
      ->add_option("--timeout", options->timeout_s,
                   "How long to wait for the relay while nothing gets on, in seconds")
      ->check(CLI::Range(0, 1000000000))
      ->capture_default_str();
  command->callback([&app, options] { init_profile(app, *options); });
}

void declare_card(CLI::App& parent, App& app) {
  CLI::App* command =
      add_command(parent, app, "card", "Print a contact card, which lets its holder write to you",
                  "  wherry card\n"
                  "  wherry card --valid 7 | qrencode -t utf8");
  auto options = std::make_shared<CardOptions>();
  command->add_option("--valid", options->valid_days, "For how many days")
      ->check(CLI::Range(1, 365))
      ->capture_default_str();
  command
      ->add_option("--transport", options->transport,
                   "The network it leads to; one that keeps your keys while you are away")
      ->type_name("NAME");
  command->add_option("--timeout", options->timeout_s, "How long to wait for it, in seconds")
      ->check(CLI::Range(0, 1000000000))
      ->capture_default_str();
  command->callback([&app, options] { make_card(app, *options); });
}

void declare_contact_commands(CLI::App& parent, App& app) {
  CLI::App* command = add_command(parent, app, "add", "Add the person whose card you hold",
                                  "  wherry add wherry:... --name Alice\n"
                                  "  wherry add - --name Alice < card.txt");
  auto options = std::make_shared<ContactOptions>();
  command->add_option("card", options->which, "The card's text; - reads it from standard input")
      ->required();
  command->add_option("--name", options->name, "How you call them");
  command->callback([&app, options] { add_contact(app, *options); });

  command = add_command(parent, app, "accept", "Accept a person who wrote by holding your card",
                        "  wherry accept 2 --name Bob");
  options = std::make_shared<ContactOptions>();
  command->add_option("contact", options->which, "A contact's number or name")->required();
  command->add_option("--name", options->name, "How you call them");
  command->callback([&app, options] { accept_contact(app, *options); });

  command = add_command(parent, app, "contacts", "List your contacts",
                        "  wherry contacts\n"
                        "  wherry contacts --json");
  command->callback([&app] { list_contacts(app); });
}

void declare_send(CLI::App& parent, App& app) {
  CLI::App* command = add_command(
      parent, app, "send", "Send a message; it is safe on disk before anything is waited for",
      "  wherry send Alice hello there\n"
      "  wherry send Alice - --wait delivered --timeout 60 < letter.txt");
  auto options = std::make_shared<SendOptions>();
  command->add_option("to", options->to, "A contact's name or number")->required();
  command->add_option("text", options->words, "The words; - reads them from standard input")
      ->required();
  command
      ->add_option("--wait", options->wait,
                   "Until it is stored at a relay, delivered to the person, or not at all")
      ->check(CLI::IsMember({"none", "stored", "delivered"}))
      ->capture_default_str();
  command->add_option("--timeout", options->timeout_s, "How long to wait at most, in seconds")
      ->check(CLI::Range(0, 1000000000))
      ->capture_default_str();
  command->callback([&app, options] { send(app, *options); });
}

void declare_listen(CLI::App& parent, App& app) {
  CLI::App* command =
      add_command(parent, app, "listen", "Show messages as they come, until Ctrl-C; each once",
                  "  wherry listen\n"
                  "  wherry listen --accept --json | jq .text\n"
                  "  wherry listen --count 1 --timeout 60");
  auto options = std::make_shared<ListenOptions>();
  command->add_flag("--accept", options->accept, "Accept everybody who wrote by holding your card");
  command->add_option("--count", options->count, "End after so many messages")
      ->check(CLI::Range(1, 1000000000))
      ->type_name("N");
  command
      ->add_option("--timeout", options->timeout_s,
                   "End after so many seconds; 0: show what has come already")
      ->check(CLI::Range(0, 1000000000))
      ->type_name("SECONDS");
  command->callback([&app, options] { listen(app, *options); });
}

void declare_history(CLI::App& parent, App& app) {
  CLI::App* command = add_command(
      parent, app, "history",
      "Show what was said with a contact, in the conversation's own order, which is the same on "
      "both sides.\nThe times are this machine's: what came late stands where it was said",
      "  wherry history Alice --limit 10\n"
      "  wherry history Alice --json");
  auto options = std::make_shared<HistoryOptions>();
  command->add_option("with", options->with, "A contact's name or number")->required();
  command->add_option("--limit", options->limit, "How many messages at most")
      ->check(CLI::Range(1, 1000))
      ->capture_default_str();
  command->add_option("--before", options->before, "Only what is older than this message's number")
      ->type_name("MESSAGE");
  command->callback([&app, options] { show_history(app, *options); });
}

using TransportAction = void (*)(const App&, const TransportOptions&);

void declare_transport_action(CLI::App& parent, App& app, const std::string& name,
                              const std::string& description, const std::string& examples,
                              bool has_settings, TransportAction action) {
  CLI::App* command = add_command(parent, app, name, description, examples);
  auto options = std::make_shared<TransportOptions>();
  command->add_option("transport", options->which, "A plug-in's name or a transport's number")
      ->required();
  if (has_settings) {
    command->add_option("settings", options->settings, "NAME=VALUE, as `describe` lists them");
  }
  command->callback([&app, options, action] { action(app, *options); });
}

void declare_transports(CLI::App& parent, App& app) {
  CLI::App* command = add_command(parent, app, "transports", "List and change the networks in use",
                                  "  wherry transports\n"
                                  "  wherry transports add centralized relay=ENDPOINT");
  command->require_subcommand(0, 1);
  CLI::App* listing = add_command(*command, app, "list", "List them, with their states",
                                  "  wherry transports list --json");
  listing->callback([&app] { list_transports(app); });
  declare_transport_action(*command, app, "add", "Configure a transport and start it",
                           "  wherry transports add centralized relay=wr1:relay.example:7443/KEY",
                           true, &add_transport);
  declare_transport_action(*command, app, "set", "Change settings of a transport",
                           "  wherry transports set centralized proxy=127.0.0.1:9050", true,
                           &set_transport);
  declare_transport_action(*command, app, "start",
                           "Start a transport, now and whenever the profile is opened",
                           "  wherry transports start 1", false, &start_transport);
  declare_transport_action(*command, app, "stop", "Stop a transport until it is started again",
                           "  wherry transports stop 1", false, &stop_transport);
  declare_transport_action(*command, app, "describe",
                           "What a plug-in is, can do and reveals, and its settings",
                           "  wherry transports describe centralized", false, &describe_transport);
  command->callback([&app, command] {
    if (command->get_subcommands().empty()) list_transports(app);
  });
}

void declare_permits_commands(CLI::App& parent, App& app) {
  CLI::App* command =
      add_command(parent, app, "permits", "Show or change what may be revealed to whom",
                  "  wherry permits\n"
                  "  wherry permits --set no-peer-ip,no-operator-ip\n"
                  "  wherry permits Alice --set anonymous\n"
                  "  wherry permits Alice --forbid home-operator:my-ip");
  auto options = std::make_shared<PermitsOptions>();
  command->add_option("contact", options->contact,
                      "A contact's number or name; without one: the whole profile's");
  command
      ->add_option("--set", options->sets,
                   "open, no-peer-ip, no-operator-ip or anonymous; of several: what all permit")
      ->delimiter(',')
      ->allow_extra_args(false);
  command
      ->add_option("--forbid", options->forbid,
                   "OBSERVER:FACT, taken from what is permitted now, or from the sets; with more "
                   "of them: --forbid each")
      ->allow_extra_args(false);
  command->add_flag("--now", options->now,
                    "Leave what is forbidden at once, though nobody was told where else you are");
  command->callback([&app, options] { permits(app, *options); });

  command = add_command(parent, app, "explain",
                        "Show each way to a person, what it reveals, and what stands against it",
                        "  wherry explain Alice");
  auto contact = std::make_shared<std::string>();
  command->add_option("contact", *contact, "A contact's number or name")->required();
  command->callback([&app, contact] { explain(app, *contact); });
}

void declare_doctor(CLI::App& parent, App& app) {
  CLI::App* command =
      add_command(parent, app, "doctor", "Say what works, what does not, and how to mend it",
                  "  wherry doctor");
  command->callback([&app] { doctor(app); });
}

void declare_route(CLI::App& parent, App& app) {
  CLI::App* command =
      add_command(parent, app, "route", "Show or choose the networks of a conversation",
                  "  wherry route Alice\n"
                  "  wherry route Alice centralized\n"
                  "  wherry route Alice auto\n"
                  "\nWhat is said after a network while the two of you move:\n"
                  "  (opening)    receiving: the new network is not open here yet\n"
                  "  (announced)  receiving: they were told of it, and may still write by the old "
                  "one\n"
                  "  (probing)    sending: their new address is asked whether it is there\n"
                  "  (quiet)      sending: nothing is sent for up to five minutes, so that times "
                  "do not link\n"
                  "               the network that showed your address with the one that hides it\n"
                  "  (elsewhere)  sending: they are on no network of the route; it goes on by "
                  "another");
  auto options = std::make_shared<RouteOptions>();
  command->add_option("contact", options->contact, "A contact's number or name")->required();
  command->add_option("route", options->route,
                      "Names of transports with commas between, best first; or auto");
  command->callback([&app, options] { route(app, *options); });
}

// Has none of the options that the others have: its client names profiles in its calls.
void declare_pipe(CLI::App& parent) {
  CLI::App* command = parent.add_subcommand(
      "pipe", "Speak JSON-RPC 2.0 on standard input and output, for programs in any language");
  command->footer(
      "\nOne object a line. Methods are the C functions without wherry_ (wherry.h is their "
      "manual);\n"
      "parameters and results go by name; bytes are base64, 64-bit numbers decimal strings.\n"
      "Events of an open profile come as notifications; acknowledge them with event_ack.\n"
      "They stay in the profile until they are read; up to 4 MiB of answers may wait.\n"
      "The end of the input closes everything.\n"
      "\nExample:\n"
      "  echo '{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"version\"}' | wherry pipe");
  auto methods = std::make_shared<bool>(false);
  command->add_flag("--methods", *methods, "List the methods with their parameters, and end");
  command->callback([methods] {
    if (*methods) {
      list_pipe_methods();
    } else {
      pipe();
    }
  });
}

}  // namespace

int run_command_line(int argc, char** argv, App& app) {
  CLI::App parser("Messages with end-to-end encryption, over networks of your choice.", "wherry");
  parser.set_version_flag("--version", std::string("wherry ") + wherry_version());
  parser.footer(exit_codes);
  parser.require_subcommand(1);
  declare_init(parser, app);
  declare_card(parser, app);
  declare_contact_commands(parser, app);
  declare_send(parser, app);
  declare_listen(parser, app);
  declare_history(parser, app);
  declare_transports(parser, app);
  declare_permits_commands(parser, app);
  declare_route(parser, app);
  declare_doctor(parser, app);
  declare_pipe(parser);
  try {
    parser.parse(argc, argv);
    return app.exit_code;
  } catch (const CLI::ParseError& error) {
    const std::vector<std::string> rest = parser.remaining();
    if (error.get_exit_code() != 0 && parser.get_subcommands().empty() && !rest.empty()) {
      throw Failure(exit_usage, "there is no command '" + harmless(rest.front()) +
                                    "': `wherry --help` lists them");
    }
    return parser.exit(error) == 0 ? exit_ok : exit_usage;
  }
}

}  // namespace cli
