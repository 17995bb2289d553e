#include "guard/learning.h"

#include <rapidjson/memorystream.h>
#include <rapidjson/reader.h>
#include <rapidjson/stringbuffer.h>
#include <rapidjson/writer.h>

#include <algorithm>
#include <chrono>
#include <functional>
#include <vector>

#include "counting/keyed_hash.h"
#include "store/patience.h"

namespace farthing::guard {

namespace {

constexpr std::int64_t thousand = 1'000;
/// Counts beyond this are of no request.
constexpr std::int64_t most_tokens = 1'000'000'000;

/// Rounded to the nearest, halves away from zero.
std::int64_t divided(std::int64_t value, std::int64_t by) {
  return (value + (value < 0 ? -by / 2 : by / 2)) / by;
}

std::uint64_t hash_of(const KeyHasher& keys, const CallContext& context, const std::vector<std::string_view>& tools) {
  std::vector<std::string_view> texts = {context.host, context.endpoint, context.model};
  texts.insert(texts.end(), tools.begin(), tools.end());
  return keys.number("farthing learning", texts);
}

/// For this process alone, of the bytes as they are: every call makes it.
std::uint64_t quick_hash_of(const CallContext& context, const RequestFacts& facts, std::string_view body) {
  constexpr std::uint64_t odd = 0x9e3779b97f4a7c15U;
  std::uint64_t hash = 0;
  for (const std::string_view text :
       {std::string_view(context.host), std::string_view(context.endpoint), std::string_view(context.model)})
    hash = (hash ^ std::hash<std::string_view>{}(text)) * odd;
  for (const Span& tool : facts.tool_set)
    hash = (hash ^ counting::KeyedHash::of_process()(body.substr(tool.at, tool.length)).low) * odd;
  return hash;
}

}  // namespace

bool lesson_due(const Learned& learned, AttemptId id) {
  if (learned.lessons < first_lessons) return true;
  // Ids grow by time: mixed, so that a program that calls in turns does not always teach the same turn. Fibonacci hashing,
  // Knuth, "The Art of Computer Programming", volume 3, 6.4.
  return (id.value * 0x9e3779b97f4a7c15U >> 32U) % later_lessons == 0;
}

std::int64_t residual_of(std::int64_t billed, std::int64_t counted, bool tool_set) {
  const std::int64_t off = std::clamp(billed, std::int64_t{0}, most_tokens) - counted;
  return tool_set ? off : divided(off * thousand, std::max<std::int64_t>(1, counted));
}

std::int64_t corrected(std::int64_t counted, const Learned& learned, bool tool_set) {
  const auto off = learned.correction();
  if (!off || counted < 0 || counted > most_tokens) return counted;
  return std::max<std::int64_t>(0, counted + (tool_set ? *off : divided(counted * *off, thousand)));
}

Learning::Learning(const KeyHasher& keys, std::shared_ptr<Store> store) : keys_(keys), store_(std::move(store)) {}

std::uint64_t Learning::key_of(const CallContext& context, const RequestFacts& facts, std::string_view body) const {
  if (facts.tool_set.empty()) return hash_of(keys_, context, {});
  std::vector<rapidjson::StringBuffer> compact(facts.tool_set.size());
  std::vector<std::string_view> tools;
  for (std::size_t i = 0; i < compact.size(); ++i) {
    const Span& span = facts.tool_set[i];
    rapidjson::MemoryStream text(body.data() + span.at, span.length);
    rapidjson::Writer<rapidjson::StringBuffer> writer(compact[i]);
    rapidjson::Reader().Parse<rapidjson::kParseIterativeFlag | rapidjson::kParseStopWhenDoneFlag>(text, writer);
    tools.emplace_back(compact[i].GetString(), compact[i].GetSize());
  }
  return hash_of(keys_, context, tools);
}

Learning::Known Learning::find(const CallContext& context, const RequestFacts& facts, std::string_view body) {
  Known known{.bytes = quick_hash_of(context, facts, body), .key = 0, .learned = nullptr};
  {
    const std::lock_guard lock(mutex_);
    if (const auto found = known_.find(known.bytes); found != known_.end()) return found->second;
  }
  known.key = key_of(context, facts, body);
  const Patience none{std::chrono::milliseconds(0)};  // not worth waiting for
  const auto stored = store_->learned(known.key);
  if (!stored) return known;
  return put(std::move(known), stored->value_or(Learned{}));
}

Learning::Known Learning::put(Known known, const Learned& learned) {
  known.learned = std::make_shared<const Learned>(learned);
  const std::lock_guard lock(mutex_);
  if (known_.size() >= static_cast<std::size_t>(max_learned)) known_.clear();
  return known_[known.bytes] = std::move(known);
}

}  // namespace farthing::guard
