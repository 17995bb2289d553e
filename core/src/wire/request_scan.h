// RequestScan: what requests have in common when they are read: top-level members told once, types checked, base64 media
// not counted as text.
// Thread-safety: one thread.
#pragma once

#include <algorithm>
#include <array>
#include <initializer_list>
#include <string>
#include <string_view>
#include <vector>

#include "counting/vetted.h"
#include "media/base64.h"
#include "wire/json_walk.h"
#include "wire/wire.h"

namespace farthing::wire {

/// No dialect has as many; comparing each with all would cost.
inline constexpr std::size_t max_members = 256;

/// Members by which hosts let somebody else search or read first, in every dialect that they speak: a search of the web,
/// plugins, a company's own data. Sources: the API references of xAI, OpenRouter and Azure, 2026-11.
inline constexpr std::array<std::string_view, 3> server_members = {"search_parameters", "plugins", "data_sources"};

/// Members that say what tools there are and what form an answer has, in all dialects; Gemini's takes both spellings.
inline bool is_of_tool_set(const Path& path) {
  constexpr std::array<std::string_view, 6> top = {"tools", "functions",     "response_format",
                                                   "text",  "output_format", "output_config"};
  constexpr std::array<std::string_view, 5> configured = {"responseSchema", "response_schema", "responseJsonSchema",
                                                          "response_json_schema", "_responseJsonSchema"};
  const auto among = [&](const auto& names) {
    return std::find(names.begin(), names.end(), path.own()) != names.end();
  };
  if (path.depth() == 1) return among(top);
  return path.depth() == 2 && (path.key(0) == "generationConfig" || path.key(0) == "generation_config") &&
         among(configured);
}

/// "fallbackModels" as "fallback_models": Google's hosts take both.
inline std::string snake_case(std::string_view name) {
  std::string out;
  for (const char c : name) {
    const bool upper = c >= 'A' && c <= 'Z';
    if (upper && !out.empty()) out += '_';
    out += upper ? static_cast<char>(c - 'A' + 'a') : c;
  }
  return out;
}
/// Of a member that nobody looked at, in snake_case: names by which it may let other models answer, or something run or be
/// read there.
inline bool names_models(std::string_view name) {
  return name == "model" || name == "models" || name == "fallbacks" || name.ends_with("_model") ||
         name.ends_with("_models");
}
inline bool names_tools(std::string_view name) {
  return name == "tool" || name == "tools" || name == "agents" || name == "mcp_servers" || name.ends_with("_tools");
}
/// Google's endpoint in OpenAI's form takes Gemini's cache in `google`, or in `extra_body` with that inside (Google's pages on
/// OpenAI compatibility, 2026-11).
inline bool names_history(std::string_view name) {
  return name.starts_with("previous_") || name == "cached_content";
}

struct RequestScan : Ignore {
  explicit RequestScan(counting::Where dialect = counting::Where::none) : where(dialect) {}

  const counting::Where where;
  RequestFacts facts;
  std::string problem;  // the first thing that makes the request unreadable
  std::vector<std::string_view> seen;
  int include_usage_told = 0;
  std::optional<Span> null_limit;  // where a limit is written as null
  std::string_view null_limit_name;

  void fail(std::string text) {
    if (problem.empty()) problem = std::move(text);
  }
  /// A member told twice could be read differently by the provider than by us.
  void key(const Path& path) {
    if (path.is("stream_options", "include_usage") && ++include_usage_told > 1) fail("\"include_usage\" stands twice");
    if (path.depth() != 1) return;
    if (seen.size() >= max_members) return fail("the body has more than " + std::to_string(max_members) + " members");
    for (const std::string_view earlier : seen) {
      if (earlier == path.own()) fail("the member \"" + std::string(path.own()) + "\" stands twice");
    }
    seen.push_back(path.own());
    member_of(where, path);
  }
  /// A member begins whose list is that of `place`.
  void member_of(counting::Where place, const Path& path) { foreign_ = !counting::is_vetted(place, path.own()); }
  /// An item, a block or a part: one that nobody looked at bounds nothing by its bytes.
  void vet(counting::Where place, std::string_view name) {
    facts.unknown = facts.unknown || !counting::is_vetted(place, name);
  }
  /// R31: most of such members are of hosts that serve OpenAI's form and cost nothing, so that only what one names counts.
  void foreign(const Path& path) {
    if (!foreign_) return;
    const std::string name = snake_case(path.own());
    if (names_models(name))
      facts.other_models = true;
    else if (names_tools(name))
      facts.endless = "tools or agents in a member that is not known here";
    else if (names_history(name))
      unseen(false);
  }
  void open_body(const Path& path, bool array, std::size_t at) {
    foreign(path);
    if (path.depth() == 0) {
      if (array) fail("the body is an array, not an object");
      facts.object_open = at;
    }
    plain(path, {"model", "stream", "service_tier"});
    if (path.depth() == 1) {
      if (std::find(server_members.begin(), server_members.end(), path.own()) != server_members.end()) elsewhere();
      // OpenRouter's: tried one after the other; Anthropic's, where one declines, which gateways take in other dialects too.
      if (path.own() == "models" || (path.own() == "fallbacks" && !array)) facts.other_models = true;
      if (path.own() == "preset") preset();
    }
    if (path.depth() == 2 && path.key(0) == "fallbacks") facts.other_models = true;
    if (is_of_tool_set(path)) facts.tool_set.push_back({at - 1, 0});
  }
  /// Members that are no objects or arrays; called where one opens.
  void plain(const Path& path, std::initializer_list<std::string_view> names) {
    if (path.depth() == 1 && std::find(names.begin(), names.end(), path.own()) != names.end()) {
      fail("\"" + std::string(path.own()) + "\" is not a plain value");
    }
  }
  /// A tool of the provider's.
  void tool_with_fee(Quantity fee) {
    facts.server_tools = true;
    if (fee == Quantity::code_sessions)
      ++facts.fees[fee];  // each may make a container
    else
      facts.fees[fee] = 1;
  }
  void finish() {
    // OpenRouter's words in a model's name (its guides to presets and to model variants, 2026-11).
    if (facts.model.find("@preset/") != std::string::npos) preset();
    if (facts.model.ends_with(":online")) elsewhere();
    // No limit on the uses of tools is one on these.
    if (facts.elsewhere) facts.server_tool_steps.reset();
    if (media_told_ > media_read_) facts.media_other = true;
    if (!facts.output_limit_spans.empty() || !null_limit) return;
    facts.output_limit_spans.push_back(*null_limit);
    facts.output_limit_name = null_limit_name;
  }
  void close(const Path& path, bool, std::size_t members) {
    if (path.depth() == 0) facts.object_empty = members == 0;
    if (path.is("stream_options")) facts.stream_options.empty = members == 0;
    if (is_of_tool_set(path)) facts.tool_set.back().length = path.end() - facts.tool_set.back().at;
  }

  void text(const Path& path, const Scalar& scalar, std::string& out) {
    if (scalar.is_text())
      out = scalar.text;
    else if (!scalar.is_null())
      fail("\"" + std::string(path.own()) + "\" is not a string");
  }
  void boolean(const Path& path, const Scalar& scalar, bool& out) {
    if (scalar.kind == Scalar::Kind::boolean)
      out = scalar.boolean;
    else if (!scalar.is_null())
      fail("\"" + std::string(path.own()) + "\" is not true or false");
  }
  void count(const Path& path, const Scalar& scalar, std::int64_t least, std::int64_t& out) {
    if (scalar.kind == Scalar::Kind::integer && scalar.integer >= least && scalar.integer <= 1'000'000'000)
      out = scalar.integer;
    else if (!scalar.is_null())
      fail("\"" + std::string(path.own()) + "\" is not a whole number from " + std::to_string(least));
  }
  /// `name` is a literal: it outlives the scan.
  void output_limit(const Path& path, const Scalar& scalar, std::string_view name) {
    if (scalar.is_null()) {
      // A null is no limit, and the place where ours goes if there is no number; of two the newer name's.
      if (!null_limit || name == "max_completion_tokens") {
        null_limit = Span{scalar.begin, scalar.end - scalar.begin};
        null_limit_name = name;
      }
      return;
    }
    std::int64_t limit = 0;
    count(path, scalar, 0, limit);
    if (!problem.empty()) return;
    facts.output_limit = std::max(facts.output_limit.value_or(0), limit);
    facts.output_limit_name = name;
    facts.output_limit_spans.push_back({scalar.begin, scalar.end - scalar.begin});
  }

  /// What may stand in a place. A file that says that it is an image, in a place for texts, would be read as a text.
  enum class Place : std::uint8_t { image, sound, document, image_or_document, as_told, any_file };

  /// Media inside a string, which may be a data URL: its base64 is no text. Of `as_told` the request says what it is: the
  /// caller compares.
  MediaFacts::Kind inline_media(std::string_view text, Place place) {
    using Kind = MediaFacts::Kind;
    const std::string_view base64 = media::without_data_url(text);
    facts.input_bytes -= static_cast<std::int64_t>(base64.size());
    facts.media = true;
    ++media_read_;
    const MediaFacts known = place == Place::any_file ? MediaFacts{} : media_facts_of_base64(base64);
    const bool for_images = place == Place::image || place == Place::image_or_document;
    const bool for_documents = place == Place::document || place == Place::image_or_document;
    if (((known.kind == Kind::image || known.kind == Kind::unknown) && for_images) ||
        (known.kind == Kind::audio && place == Place::sound) || (known.kind == Kind::document && for_documents) ||
        (known.kind != Kind::unknown && place == Place::as_told))
      measured(known, for_documents);
    else
      facts.media_other = true;
    return known.kind;
  }
  /// A URL or a data URL.
  void link(std::string_view text, bool image) {
    if (text.empty()) return;
    if (text.substr(0, 5) == "data:")
      inline_media(text, image ? Place::image : Place::document);
    else
      unseen(image);
  }
  /// What the provider fetches or has already.
  void unseen(bool image) {
    facts.remote = true;
    if (!image) {
      facts.remote_other = true;
      return;
    }
    measured({});
    ++media_read_;
  }
  /// A part says that it is media: what of it was not read bounds nothing.
  void media_part() {
    facts.media = true;
    ++media_told_;
  }
  /// What an answer may bring, as providers name it in any case: its input stays as bounded as it is.
  void output_modality(std::string_view word) {
    std::string lower(word);
    for (char& c : lower)
      c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    if (lower == "audio")
      facts.spoken_output = true;
    else if (lower == "image")
      facts.painted_output = true;
    else if (lower != "text")
      other_media();  // at a rate that nobody knows
  }
  void other_media() {
    facts.media = true;
    facts.media_other = true;
  }

  /// Something at the host runs first, and no member says how often.
  void elsewhere() {
    tool_with_fee(Quantity::tool_calls);
    facts.elsewhere = true;
  }
  /// OpenRouter: settings that are kept there, among them models, prompts and tools (its guide to presets, 2026-11).
  void preset() {
    facts.other_models = true;
    elsewhere();
  }

  // `detail` of OpenAI's images and files stands before or after them, in an object that opens here.
  void open_image() {
    image_ = facts.media_inputs.size();
    details_ = 0;
    low_ = high_ = false;
  }
  void detail(const Scalar& scalar) {
    low_ = ++details_ == 1 && scalar.text == "low";
    high_ = scalar.text == "high";
    for (std::size_t i = image_; i < facts.media_inputs.size(); ++i) {
      facts.media_inputs[i].low = low_;
      facts.media_inputs[i].high = high_;
    }
  }

 private:
  bool foreign_ = false;  // the member that is being read
  std::int64_t media_told_ = 0;
  std::int64_t media_read_ = 0;
  std::size_t image_ = 0;
  int details_ = 0;
  bool low_ = false;
  bool high_ = false;

  void measured(MediaFacts known, bool as_text = false) {
    facts.media_inputs.push_back({.facts = known, .low = low_, .high = high_, .as_text = as_text});
  }

 public:
  /// `stream_options` of chat and completions. True when `scalar` was of it.
  bool stream_options(const Path& path, const Scalar& scalar) {
    if (path.is("stream_options", "include_usage")) {
      bool asked = false;
      boolean(path, scalar, asked);
      facts.usage_asked = asked;
      facts.include_usage_span = Span{scalar.begin, scalar.end - scalar.begin};
    } else if (path.is("stream_options") && scalar.is_null()) {
      facts.stream_options.null = Span{scalar.begin, scalar.end - scalar.begin};
    } else if (path.is("stream_options")) {
      fail("\"stream_options\" is not an object");
    } else {
      return false;
    }
    return true;
  }
  void open_stream_options(const Path& path, bool array, std::size_t at) {
    if (path.is("stream_options")) {
      if (array) fail("\"stream_options\" is not an object");
      facts.stream_options.open = at;
    } else if (path.is("stream_options", "include_usage")) {
      fail("\"include_usage\" is not true or false");
    }
  }

  /// Members that most dialects spell alike. True when `scalar` was one.
  bool common(const Path& path, const Scalar& scalar) {
    // OpenAI's caches live for 30 minutes or, dearer, for 12 hours: of the whole request, or of a breakpoint in its contents.
    if (path.own() == "ttl" &&
        (path.parent() == "prompt_cache_options" || path.parent() == "prompt_cache_breakpoint") &&
        path.key(0) != "tools" && !scalar.is_null() && !(scalar.is_text() && scalar.text == "30m"))
      facts.cache_writes = CacheWrites::long_lived;
    if (scalar.is_text()) foreign(path);
    if (path.key(0) == "fallbacks" && path.depth() <= 2 && scalar.is_text()) facts.other_models = true;
    // OpenRouter's choice among hosts by something else than its own rules takes the dearest of them too, as :nitro does.
    const bool sorted = path.is("provider", "sort") || path.is("provider", "sort", "by");
    if (sorted && !scalar.is_null() && !(scalar.is_text() && scalar.text == "price"))
      facts.endless = "a choice among hosts with other prices";
    // More passes over the input than one, of which nothing says how many (OpenRouter's guide to GPT-5.6, 2026-11).
    if (path.is("reasoning", "mode") && !scalar.is_null() && !(scalar.is_text() && scalar.text == "standard"))
      facts.endless = "a mode of reasoning in several passes";
    if (path.depth() != 1) return false;
    const std::string_view name = path.own();
    if (name == "model")
      text(path, scalar, facts.model);
    else if (name == "stream")
      boolean(path, scalar, facts.stream);
    else if (name == "service_tier")
      text(path, scalar, facts.service_tier);
    else if (name == "preset" && !scalar.is_null())
      preset();
    else if (name == "route" && !scalar.is_null())
      facts.other_models = true;  // OpenRouter: which of them, where it may choose
    else
      return false;
    return true;
  }
};

template <class Scan>
Result<RequestFacts> scan_with(std::string_view body) {
  Scan scan;
  scan.facts.input_bytes = static_cast<std::int64_t>(body.size());
  std::string problem = walk(body, scan);
  if (problem.empty()) problem = std::move(scan.problem);
  scan.finish();
  if (problem.empty() && scan.facts.object_open == 0) problem = "the body is not an object";
  if (!problem.empty())
    return Error{Code::unreadable_request, "the request cannot be read, so its cost cannot be bounded: " + problem};
  return std::move(scan.facts);
}

}  // namespace farthing::wire
