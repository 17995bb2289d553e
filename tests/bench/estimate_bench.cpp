// What knowing a call's cost before it takes: estimate_bench PROSE CODE prints JSON rows like store_bench. The texts of the
// messages come from these two files, each time other ones; of a history that is resent also from one without quotes and
// line ends, as in request_200kb.added. The baseline parses the same request into objects.
#include <rapidjson/document.h>
#include <rapidjson/stringbuffer.h>
#include <rapidjson/writer.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <fstream>
#include <memory>
#include <sstream>
#include <string>
#include <vector>

#include "farthing/guard.h"

namespace {

using namespace farthing;
constexpr std::size_t short_bytes = 2'000;
constexpr std::size_t long_bytes = 200'000;
constexpr std::size_t message_bytes = 1'000;

std::size_t seen = 0;

/// What is measured would not be what the row says.
[[noreturn]] void fail(const std::string& why, const std::string& body) {
  std::fprintf(stderr, "estimate_bench: %s\nof %s\n", why.c_str(), body.c_str());
  std::exit(1);
}

/// In ASCII, so that it can be cut anywhere.
std::string content_of(const char* path) {
  std::ifstream in(path, std::ios::binary);
  std::ostringstream content;
  content << in.rdbuf();
  std::string text = std::move(content).str();
  std::replace_if(text.begin(), text.end(), [](char c) { return static_cast<unsigned char>(c) >= 0x80; }, '?');
  return text;
}

/// Pieces of a text, each other than all before it.
class Texts {
 public:
  explicit Texts(std::string all) : all_(std::move(all)) {}
  std::string next(std::size_t bytes) {
    at_ = (at_ + bytes + 7) % (all_.size() - bytes);
    return std::to_string(++number_) + ": " + all_.substr(at_, bytes);
  }

 private:
  std::string all_;
  std::size_t at_ = 0;
  std::size_t number_ = 0;
};

std::string body_of(const std::vector<std::string>& messages) {
  rapidjson::StringBuffer out;
  rapidjson::Writer<rapidjson::StringBuffer> json(out);
  json.StartObject();
  json.Key("model");
  json.String("gpt-4.1-nano");
  json.Key("max_tokens");
  json.Int(256);
  json.Key("messages");
  json.StartArray();
  for (std::size_t i = 0; i < messages.size(); ++i) {
    json.StartObject();
    json.Key("role");
    json.String(i % 2 == 0 ? "user" : "assistant");
    json.Key("content");
    json.String(messages[i].data(), static_cast<rapidjson::SizeType>(messages[i].size()));
    json.EndObject();
  }
  json.EndArray();
  json.EndObject();
  return {out.GetString(), out.GetSize()};
}

std::vector<std::string> history(Texts& texts, std::size_t bytes) {
  std::vector<std::string> messages;
  for (std::size_t i = 0; i < bytes; i += message_bytes)
    messages.push_back(texts.next(message_bytes));
  return messages;
}

/// Of this thread: nothing here waits, and others use the machine too.
double processor_us() {
  timespec now{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) * 1e6 + static_cast<double>(now.tv_nsec) / 1e3;
}

template <class Work>
double microseconds(Work work) {
  const double start = processor_us();
  work();
  return processor_us() - start;
}

double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return values[values.size() / 2];
}

struct Row {
  std::vector<double> values;
  std::vector<double> baselines;

  template <class Work>
  void round(const std::string& body, Work work) {
    baselines.push_back(microseconds([&] {
      rapidjson::Document json;
      json.Parse(body.data(), body.size());
      seen += json.MemberCount();
    }));
    values.push_back(microseconds([&] { work(body); }));
  }
  void print(const char* name, bool last = false) const {
    std::printf(
        "  {\"name\": \"estimate.%s\", \"unit\": \"us\", \"value\": %.3f, \"baseline\": %.3f, \"ratio\": %.3f, "
        "\"baseline_is\": \"parsing the request with RapidJSON\"}%s\n",
        name, median(values), median(baselines), median(values) / median(baselines), last ? "" : ",");
  }
};

class Bench {
 public:
  /// `per_call`: between what the counted input and what its bytes cost, a call is counted before it is sent.
  explicit Bench(const std::string& per_call) {
    PolicyOrProblems policy = policy_from_toml(
        "[[cap]]\nlimit = \"5000 USD\"\nper = \"day\"\n[[cap]]\nlimit = \"" + per_call + " USD\"\nper = \"call\"\n",
        "bench.toml", [](std::string_view) { return std::nullopt; });
    GuardOptions options;
    options.store = "memory:";
    options.background_thread = false;
    if (policy.ok()) guard_ = *Guard::open(std::move(*policy.policy), options);
    binding_ = *guard_->bind(Labels{{"project", "bench"}}, {});
  }
  /// Recognising, reading, planning, sizing, holding: all before a request is sent.
  void begin(const std::string& body) {
    static const HeaderView headers[] = {{"authorization", "Bearer sk-bench-0001"}};
    Attempt attempt = guard_->attempt(binding_, Scope::root(), guard_->call());
    const Verdict verdict = attempt.begin(
        {.method = "POST", .host = "api.openai.com", .path = "/v1/chat/completions", .headers = headers, .body = body});
    if (verdict.kind != Verdict::Kind::send)
      fail(attempt.denial() ? attempt.denial()->message : "a request was not to be sent", body);
    attempt.abort(Abort::not_sent);
  }
  /// What the program asks for by itself, with all that is told of it.
  void estimate(const std::string& body) {
    const auto estimate = guard_->estimate("chat.completions", body, {}, nullptr, "", 1);
    if (!estimate) fail(estimate.error().message, body);
    if (estimate->confidence != "exact") fail("a count is " + estimate->confidence, body);
  }

 private:
  std::shared_ptr<Guard> guard_;
  std::shared_ptr<const Binding> binding_;
};

}  // namespace

int main(int count, char** arguments) {
  if (count != 3) return 2;
  Texts prose(content_of(arguments[1]));
  Texts code(content_of(arguments[2]));
  Bench roomy("500");
  Bench tight("0.00053");  // 2 KB at the dearest tier: 0.00064 by its bytes, 0.0003 to 0.00046 by its tokens
  Bench long_tight("0.02");
  const auto begin = [&](const std::string& body) { roomy.begin(body); };
  const auto begin_counted = [&](const std::string& body) { tight.begin(body); };
  const auto begin_long = [&](const std::string& body) { long_tight.begin(body); };
  const auto ask = [&](const std::string& body) { roomy.estimate(body); };
  Row cheap, exact, asked, first, resent, resent_prose, resent_code;
  for (int i = 0; i < 2'001; ++i) {
    cheap.round(body_of(history(prose, short_bytes)), begin);
    exact.round(body_of(history(prose, short_bytes)), begin_counted);
    asked.round(body_of(history(prose, short_bytes)), ask);
  }
  for (int i = 0; i < 101; ++i)
    first.round(body_of(history(prose, long_bytes)), begin_long);
  const auto resend = [&](Texts& texts, Row& row) {
    std::vector<std::string> messages = history(texts, long_bytes);
    begin_long(body_of(messages));
    for (int i = 0; i < 401; ++i) {
      messages.back() = texts.next(message_bytes);
      row.round(body_of(messages), begin_long);
    }
  };
  std::string words;
  while (words.size() < 2 * long_bytes)
    words += "some words of history ";
  Texts plain(std::move(words));
  resend(plain, resent);
  resend(prose, resent_prose);
  resend(code, resent_code);
  std::printf("[\n");
  cheap.print("2kb");
  exact.print("2kb_exact");
  asked.print("2kb_asked");
  first.print("200kb_first");
  resent.print("200kb_resent");
  resent_prose.print("200kb_prose_resent");
  resent_code.print("200kb_code_resent", true);
  std::printf("]\n");
  return seen == 0 ? 1 : 0;
}
