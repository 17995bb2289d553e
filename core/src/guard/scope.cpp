#include "farthing/scope.h"

#include <rapidjson/document.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <functional>
#include <utility>

#include "guard/base64url.h"
#include "guard/process.h"
#include "money/json_text.h"

namespace farthing {
namespace {

constexpr std::size_t max_token_bytes = 65'536;

std::uint64_t next_serial() {
  static std::atomic<std::uint64_t> serial{1};
  return serial.fetch_add(1, std::memory_order_relaxed);
}

Error bad_token() {
  return {Code::invalid_argument, "this is not a scope token: take it from scope.token(), or unset FARTHING_SCOPE"};
}

std::string_view text_of(const rapidjson::Value& value) {
  return {value.GetString(), value.GetStringLength()};
}

}  // namespace

std::size_t hash_of(const Labels& labels) {
  std::size_t hash = 0x2545F491U;
  const auto mix = [&hash](std::string_view text) {
    hash ^= std::hash<std::string_view>{}(text) + 0x9E3779B97F4A7C15U + (hash << 6U) + (hash >> 2U);
  };
  for (const Labels::Entry& entry : labels.entries()) {
    mix(entry.first);
    mix(entry.second);
  }
  return hash;
}

std::shared_ptr<const Scope> Scope::finished() && {
  serial_ = next_serial();
  labels_hash_ = hash_of(labels_);
  return std::make_shared<const Scope>(std::move(*this));
}

std::shared_ptr<const Scope> Scope::root() {
  static const std::shared_ptr<const Scope> root = Scope{}.finished();
  return root;
}

Result<std::shared_ptr<const Scope>> Scope::with(const Labels& labels) const {
  for (const Labels::Entry& entry : labels.entries()) {
    if (const Status valid = check_label(entry.first, entry.second); !valid) return valid.error();
  }
  Scope inner = *this;
  inner.labels_.merge(labels);
  return std::move(inner).finished();
}

Result<std::shared_ptr<const Scope>> Scope::enter_task(std::string_view name, std::optional<Usd> limit) const {
  if (const Status valid = check_label("task", name); !valid) return valid.error();
  if (limit && (limit->nano < 0 || *limit > max_limit)) {
    return Error{Code::invalid_argument,
                 "a task's limit is between 0 USD and 9,000,000,000 USD; found " + to_text(*limit) + " USD"};
  }
  if (runs_.size() >= max_run_depth) {
    return Error{Code::invalid_argument, "tasks nest at most " + std::to_string(max_run_depth) + " deep (R28); \"" +
                                             std::string(name) + "\" would be one more"};
  }
  Scope inner = *this;
  inner.runs_.push_back({guard::random_id(), std::string(name), limit});
  inner.labels_.set("task", name);
  return std::move(inner).finished();
}

std::shared_ptr<const Scope> Scope::enter_action() const {
  Scope inner = *this;
  if (inner.action_.empty()) inner.action_ = guard::random_id();
  return std::move(inner).finished();
}

Result<std::shared_ptr<const Scope>> Scope::within(const Scope& outer) const {
  Scope inner = outer;
  inner.labels_.merge(labels_);
  for (const Run& run : runs_) {
    const bool there =
        std::any_of(inner.runs_.begin(), inner.runs_.end(), [&](const Run& known) { return known.id == run.id; });
    if (!there) inner.runs_.push_back(run);
  }
  if (inner.runs_.size() > max_run_depth) {
    return Error{Code::invalid_argument, "tasks nest at most " + std::to_string(max_run_depth) +
                                             " deep (R28), and those of this token would be too many in here"};
  }
  if (!action_.empty()) inner.action_ = action_;
  return std::move(inner).finished();
}

std::string Scope::token() const {
  // {"v":1,"labels":{...},"runs":[["id","task",nano or null]],"action":"..."}
  std::string json = R"({"v":1,"labels":)" + labels_.to_json() + R"(,"runs":[)";
  for (const Run& run : runs_) {
    if (json.back() != '[') json += ',';
    json += '[';
    append_json(json, run.id);
    json += ',';
    append_json(json, run.task);
    json += ',';
    json += run.limit ? std::to_string(run.limit->nano) : "null";
    json += ']';
  }
  json += R"(],"action":)";
  append_json(json, action_);
  json += '}';
  return guard::to_base64url(json);
}

Result<std::shared_ptr<const Scope>> Scope::join(std::string_view token) {
  if (token.size() > max_token_bytes) return bad_token();
  const auto text = guard::from_base64url(token);
  if (!text) return bad_token();
  rapidjson::Document json;
  json.Parse<rapidjson::kParseValidateEncodingFlag | rapidjson::kParseIterativeFlag>(text->data(), text->size());
  if (json.HasParseError() || !json.IsObject()) return bad_token();
  const auto member = [&json](const char* name) -> const rapidjson::Value* {
    const auto found = json.FindMember(name);
    return found == json.MemberEnd() ? nullptr : &found->value;
  };
  const rapidjson::Value* version = member("v");
  const rapidjson::Value* labels = member("labels");
  const rapidjson::Value* runs = member("runs");
  const rapidjson::Value* action = member("action");
  if (version == nullptr || !version->IsInt() || version->GetInt() != 1 || labels == nullptr || !labels->IsObject() ||
      runs == nullptr || !runs->IsArray() || runs->Size() > max_run_depth || action == nullptr || !action->IsString()) {
    return bad_token();
  }
  Scope scope;
  for (const auto& entry : labels->GetObject()) {
    if (!entry.value.IsString()) return bad_token();
    const std::string_view kind = text_of(entry.name);
    if (const Status valid = check_label(kind, text_of(entry.value)); !valid) return valid.error();
    scope.labels_.set(kind, text_of(entry.value));
  }
  for (const auto& run : runs->GetArray()) {
    if (!run.IsArray() || run.Size() != 3 || !run[0].IsString() || !run[1].IsString() ||
        !(run[2].IsInt64() || run[2].IsNull())) {
      return bad_token();
    }
    Run joined{std::string(text_of(run[0])), std::string(text_of(run[1])), std::nullopt};
    if (joined.id.empty() || joined.id.size() > max_label_bytes || !check_label("task", joined.task))
      return bad_token();
    if (run[2].IsInt64()) joined.limit = Usd{run[2].GetInt64()};
    if (joined.limit && (joined.limit->nano < 0 || *joined.limit > max_limit)) return bad_token();
    // A run stands in a scope once: its counter would be held twice for one call.
    const bool again =
        std::any_of(scope.runs_.begin(), scope.runs_.end(), [&](const Run& known) { return known.id == joined.id; });
    if (again) return bad_token();
    scope.runs_.push_back(std::move(joined));
  }
  scope.action_ = text_of(*action);
  if (scope.action_.size() > max_label_bytes) return bad_token();
  return std::move(scope).finished();
}

}  // namespace farthing
