// What a tor says on its control port (Tor's control-spec, sections 2.3 and 4): replies to
// commands, in their order, and events (650) between them.
//
//   reply = *( code "-" text CRLF  |  code "+" text CRLF data ) code SP text CRLF
//   data  = lines, of which one that begins with "." has another before it, until the line "."
//
// Every line of a reply has the same code. Whoever is at the other end may be anybody who listens
// there: lines, replies and what waits are bounded, and beyond that the connection is of no use.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace wherry::transports::tor {

inline constexpr std::size_t kControlLineMax = std::size_t{64} * 1024;     // bytes
inline constexpr std::size_t kControlReplyMax = std::size_t{1024} * 1024;  // bytes of text and data
inline constexpr std::size_t kControlLinesMax = 4096;                      // of a reply

struct ReplyLine {
  std::string text;
  std::string data;  // its lines, each with a '\n'; empty if there is none
};

struct Reply {
  int code = 0;
  std::vector<ReplyLine> lines;  // at least one

  bool is_event() const { return code == 650; }
  bool ok() const { return code >= 200 && code < 300; }
  const std::string& text() const { return lines.front().text; }
};

class ReplyReader {
 public:
  // Takes what was read. False: that is not the control protocol, or beyond its bounds; nothing
  // that comes after it is read any more.
  [[nodiscard]] bool feed(std::span<const std::uint8_t> bytes);
  // The next whole one, in the order in which they came.
  [[nodiscard]] std::optional<Reply> next();

 private:
  bool take_line(std::string_view line);

  std::string rest_;  // of a line that is not whole yet
  Reply reply_;       // that is not whole yet
  std::size_t size_ = 0;
  bool in_data_ = false;
  bool broken_ = false;
  std::deque<Reply> whole_;
};

// A text's words: bare ones, and those like KEY=VALUE or KEY="VALUE", where \\ stands before a
// character that is meant as it is (control-spec, section 2.1.1). None: a quotation does not end.
struct Words {
  std::vector<std::string> bare;
  std::map<std::string, std::string, std::less<>> named;

  // Empty if it is not there.
  std::string_view operator[](std::string_view name) const;
};
[[nodiscard]] std::optional<Words> parse_words(std::string_view text);

// As an argument of a command.
[[nodiscard]] std::string quote(std::string_view text);

}  // namespace wherry::transports::tor
