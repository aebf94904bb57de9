// Reading replies.
#include "control_reply.h"

#include <algorithm>
#include <utility>

namespace wherry::transports::tor {
namespace {

bool is_digit(char character) {
  return character >= '0' && character <= '9';
}

// None: it does not begin as a line of a reply.
std::optional<int> code_of(std::string_view line) {
  const bool sound = line.size() >= 4 && line[0] >= '1' && line[0] <= '6' && is_digit(line[1]) &&
                     is_digit(line[2]) && (line[3] == ' ' || line[3] == '-' || line[3] == '+');
  if (!sound) return std::nullopt;
  return (line[0] - '0') * 100 + (line[1] - '0') * 10 + (line[2] - '0');
}

}  // namespace

bool ReplyReader::feed(std::span<const std::uint8_t> bytes) {
  if (broken_) return false;
  for (const std::uint8_t byte : bytes) {
    if (byte != '\n') {
      if (rest_.size() == kControlLineMax) return !(broken_ = true);
      rest_.push_back(static_cast<char>(byte));
      continue;
    }
    std::string_view line = rest_;
    if (line.ends_with('\r')) line.remove_suffix(1);
    if (!take_line(line)) return !(broken_ = true);
    rest_.clear();
  }
  return true;
}

// False: it is not one that may stand here.
bool ReplyReader::take_line(std::string_view line) {
  size_ += line.size();
  if (size_ > kControlReplyMax) return false;
  if (in_data_) {
    if (line == ".") {
      in_data_ = false;
      return true;
    }
    if (line.starts_with('.')) line.remove_prefix(1);
    reply_.lines.back().data.append(line).push_back('\n');
    ++size_;
    return true;
  }
  const std::optional<int> code = code_of(line);
  if (!code || (!reply_.lines.empty() && *code != reply_.code)) return false;
  if (reply_.lines.size() == kControlLinesMax) return false;
  reply_.code = *code;
  reply_.lines.push_back({std::string(line.substr(4)), ""});
  in_data_ = line[3] == '+';
  if (line[3] == ' ') {
    whole_.push_back(std::exchange(reply_, {}));
    size_ = 0;
  }
  return true;
}

std::optional<Reply> ReplyReader::next() {
  if (whole_.empty()) return std::nullopt;
  Reply reply = std::move(whole_.front());
  whole_.pop_front();
  return reply;
}

std::string_view Words::operator[](std::string_view name) const {
  const auto one = named.find(name);
  return one == named.end() ? std::string_view() : std::string_view(one->second);
}

std::optional<Words> parse_words(std::string_view text) {
  Words words;
  std::size_t at = 0;
  while (at < text.size()) {
    if (text[at] == ' ') {
      ++at;
      continue;
    }
    const std::size_t begin = at;
    while (at < text.size() && text[at] != ' ' && text[at] != '=') ++at;
    const std::string_view name = text.substr(begin, at - begin);
    if (at == text.size() || text[at] == ' ') {
      words.bare.emplace_back(name);
      continue;
    }
    ++at;  // the "="
    std::string value;
    if (at < text.size() && text[at] == '"') {
      for (++at; at < text.size() && text[at] != '"'; ++at) {
        if (text[at] == '\\' && ++at == text.size()) break;
        value.push_back(text[at]);
      }
      if (at >= text.size()) return std::nullopt;
      ++at;  // the closing quotation mark
    } else {
      const std::size_t end = std::min(text.find(' ', at), text.size());
      value = text.substr(at, end - at);
      at = end;
    }
    words.named.insert_or_assign(std::string(name), std::move(value));
  }
  return words;
}

std::string quote(std::string_view text) {
  std::string out = "\"";
  for (const char character : text) {
    if (character == '"' || character == '\\') out.push_back('\\');
    out.push_back(character);
  }
  return out + '"';
}

}  // namespace wherry::transports::tor
