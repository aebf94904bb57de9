// Apps that send.
#include "tests/sim/apps.h"

#include <algorithm>

#include "tests/sim/plan.h"

namespace wherry::sim {
namespace {

constexpr size_t kUnderWay = 32;
constexpr int64_t kTryAgain_ms = 10'000;

}  // namespace

void Apps::say(int who, int other, int64_t count) {
  Talk& talk = talks_[{who, other}];
  for (int64_t i = 0; i < count; ++i) {
    const size_t number = talk.lines.size() + 1;
    Line line;
    line.text = name_of(who) + " to " + name_of(other) + " " + std::to_string(number);
    // Some are larger than an envelope that several share.
    if (number % 17 == 0) line.text += std::string(number % 3 * 4'000 + 300, '.');
    world_.random().fill(line.ref.data(), line.ref.size());
    talk.lines.push_back(std::move(line));
  }
  submit(who, other);
}

void Apps::opened(int who) {
  for (auto& [pair, talk] : talks_) {
    if (pair.first != who) continue;
    for (Line& line : talk.lines) line.under_way = false;
    submit(pair.first, pair.second);
  }
}

bool Apps::idle() const {
  return std::ranges::all_of(
      talks_, [](const auto& entry) { return entry.second.durable == entry.second.lines.size(); });
}

std::vector<std::string> Apps::said(int who, int other) const {
  std::vector<std::string> texts;
  const auto talk = talks_.find({who, other});
  if (talk == talks_.end()) return texts;
  for (const Line& line : talk->second.lines) texts.push_back(line.text);
  return texts;
}

void Apps::submit(int who, int other) {
  if (!world_.running(who)) return;
  Talk& talk = talks_[{who, other}];
  while (talk.durable < talk.lines.size() && talk.lines[talk.durable].durable) ++talk.durable;
  const size_t end = std::min(talk.lines.size(), talk.durable + kUnderWay);
  for (size_t i = talk.durable; i < end; ++i) {
    if (!talk.lines[i].durable && !talk.lines[i].under_way) submit_line(who, other, i);
  }
}

void Apps::submit_line(int who, int other, size_t index) {
  Line& line = talks_[{who, other}].lines[index];
  line.under_way = true;
  world_.submit_ref(who, other, line.text, line.ref, [this, who, other, index](bool durable) {
    Line& answered = talks_[{who, other}].lines[index];
    answered.under_way = false;
    answered.durable = durable;
    if (durable) {
      submit(who, other);
    } else {
      world_.after(who, kTryAgain_ms, [this, who, other] { submit(who, other); });
    }
  });
}

}  // namespace wherry::sim
