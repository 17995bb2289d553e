#include "wire/gemini_generate/generate.h"
#include "wire/request_scan.h"

namespace farthing::wire {

bool is_named(std::string_view name, std::string_view camel) {
  std::size_t at = 0;
  for (const char c : camel) {
    if (at < name.size() && name[at] == c) {
      ++at;
    } else if (c >= 'A' && c <= 'Z' && at + 1 < name.size() && name[at] == '_' && name[at + 1] == c - 'A' + 'a') {
      at += 2;
    } else {
      return false;
    }
  }
  return at == name.size();
}

std::string tier_word(std::string_view told) {
  std::string word(told);
  for (char& c : word)
    c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  constexpr std::string_view prefix = "service_tier_";
  if (word.substr(0, prefix.size()) == prefix) word.erase(0, prefix.size());
  if (word == "unspecified") return {};
  return word == "standard" ? "default" : word;
}

namespace {

constexpr std::string_view limit_name = "maxOutputTokens";

struct GenerateScan : RequestScan {
  GenerateScan() : RequestScan(counting::Where::generate) { facts.output_limit_parent = "generationConfig"; }

  void key(const Path& path) {
    RequestScan::key(path);
    // One member in both spellings: which of them counts is Google's to say, so none does.
    once(path.depth() == 1 && is_named(path.own(), "generationConfig"), configs_, "generationConfig");
    once(path.depth() == 1 && is_named(path.own(), "serviceTier"), tiers_, "serviceTier");
    if (is_part_member(path)) vet(counting::Where::part_of_generate, path.own());
    if (!in_config(path) || path.depth() != 2) return;
    member_of(counting::Where::config_of_generate, path);
    once(is_named(path.own(), limit_name), limits_, limit_name);
    once(is_named(path.own(), "candidateCount"), candidates_, "candidateCount");
  }
  void value(const Path& path, const Scalar& scalar) {
    if (scalar.is_text()) foreign(path);
    if (path.depth() == 1) {
      top(path, scalar);
    } else if (in_config(path)) {
      config(path, scalar);
    } else if (path.key(0) == "tools") {
      if (path.depth() == kind_depth_ && !scalar.is_null()) tool(path.own());
    } else if (in_content(path) && is_named(path.own(), "numTokens") && !scalar.is_null()) {
      other_media();  // as many tokens as the caller likes, also where the number is written as text
    } else if (scalar.is_text() && in_content(path)) {
      part(path, scalar);
    }
  }
  void open(const Path& path, bool array, std::size_t at) {
    open_body(path, array, at);
    if (path.depth() == 1) {
      const std::string_view name = path.own();
      if (is_named(name, "generationConfig")) {
        if (array) fail("\"generationConfig\" is not an object");
        facts.output_limit_place.open = at;
      }
      if (is_named(name, "serviceTier") || is_named(name, "cachedContent"))
        fail("\"" + std::string(name) + "\" is not a string");
      if (name == "tools") kind_depth_ = array ? 3 : 2;  // Google takes one object for a list of one
    } else if (in_config(path) && path.depth() == 2) {
      open_config(path.own());
    } else if (in_config(path) && path.depth() == 3 && is_named(path.own(), "thinkingBudget")) {
      fail("\"thinkingBudget\" is not a whole number");
    } else if (in_config(path) && is_named(path.key(1), "responseFormat") && !path.own().empty()) {
      if (path.depth() == (path.key(2).empty() ? 4 : 3)) output_modality(path.own());
      if (path.own() == "schema") facts.schema = true;
    } else if (path.key(0) == "tools" && path.depth() == kind_depth_) {
      if (!is_named(path.own(), "functionDeclarations")) tool(path.own());
    } else if (in_content(path) && is_named(path.own(), "inlineData")) {
      media_part();
      if (inside_) other_media();
      inside_ = true;
      told_ = found_ = MediaFacts::Kind::unknown;
      members_ = 0;
    } else if (in_content(path) && is_of_layers(path.own())) {
      other_media();  // more frames than one a second, other layers than those that are read without it
    } else if (in_content(path) && is_named(path.own(), "mediaResolution")) {
      facts.media_resolution = true;
    }
  }
  void close(const Path& path, bool array, std::size_t members) {
    RequestScan::close(path, array, members);
    if (path.key(0) == "tools" && path.depth() == kind_depth_ && is_named(path.own(), "functionDeclarations"))
      facts.tools = facts.tools || members > 0;
    if (path.depth() == 1 && in_config(path)) facts.output_limit_place.empty = members == 0;
    // Texts go this way too; and what is read as something else costs something else.
    if (in_content(path) && is_named(path.own(), "inlineData")) {
      if (members_ != 2 || told_ != found_ || told_ == MediaFacts::Kind::unknown) other_media();
      inside_ = false;
    }
  }

 private:
  std::size_t kind_depth_ = 3;  // of the kinds of tools
  int configs_ = 0;
  int tiers_ = 0;
  int limits_ = 0;
  int candidates_ = 0;
  // Of inline data: what it is said to be, what it is, and how many members said so.
  MediaFacts::Kind told_ = MediaFacts::Kind::unknown;
  MediaFacts::Kind found_ = MediaFacts::Kind::unknown;
  int members_ = 0;
  bool inside_ = false;

  void once(bool told, int& times, std::string_view name) {
    if (told && ++times > 1) fail("\"" + std::string(name) + "\" stands twice");
  }
  static bool in_config(const Path& path) { return is_named(path.key(0), "generationConfig"); }

  static bool in_content(const Path& path) {
    return (path.key(0) == "contents" || is_named(path.key(0), "systemInstruction")) && !in_data(path);
  }
  /// Of one of `parts`, which Google takes alone as well.
  static bool is_part_member(const Path& path) {
    const bool of_list = path.depth() >= 3 && path.parent().empty();
    return (of_list ? path.key(path.depth() - 3) : path.parent()) == "parts" && in_content(path);
  }
  static bool is_of_layers(std::string_view name) {
    return is_named(name, "videoMetadata") || is_named(name, "documentMetadata") ||
           is_named(name, "spreadsheetMetadata");
  }
  /// What a function or a tool is called with and what it answers: data of any shape, read as text. The parts of a function's
  /// answer are parts like any other.
  static bool in_data(const Path& path) {
    for (std::size_t i = 1; i + 1 < path.depth(); ++i) {
      if (is_named(path.key(i), "functionCall") || is_named(path.key(i), "toolCall") ||
          is_named(path.key(i), "toolResponse") || is_named(path.key(i), "partMetadata"))
        return true;
      if (is_named(path.key(i), "functionResponse")) return path.key(i + 1) != "parts";
    }
    return false;
  }

  void top(const Path& path, const Scalar& scalar) {
    const std::string_view name = path.own();
    if (name == "model") {
      text(path, scalar, facts.model);  // the path's is the one that counts
    } else if (is_named(name, "serviceTier")) {
      std::string tier;
      text(path, scalar, tier);
      facts.service_tier = tier_word(tier);
    } else if (is_named(name, "cachedContent") || is_named(name, "continuationToken")) {
      if (!scalar.is_null()) unseen(false);
    } else if (is_named(name, "generationConfig")) {
      if (scalar.is_null())
        facts.output_limit_place.null = Span{scalar.begin, scalar.end - scalar.begin};
      else
        fail("\"generationConfig\" is not an object");
    }
  }
  void config(const Path& path, const Scalar& scalar) {
    const std::string_view own = path.own();
    if (path.depth() == 2) {
      if (is_named(own, limit_name))
        output_limit(path, scalar, limit_name);  // thoughts are inside of it
      else if (is_named(own, "candidateCount"))
        count(path, scalar, 1, facts.choices);
      else if (is_named(own, "mediaResolution") && !scalar.is_null())
        facts.media_resolution = true;
    } else if (path.depth() == 3 && is_named(path.key(1), "thinkingConfig")) {
      if (is_named(own, "thinkingBudget")) {
        // 0 is none, -1 as much as the model likes.
        std::int64_t budget = -1;
        if (!(scalar.kind == Scalar::Kind::integer && scalar.integer == -1)) count(path, scalar, 0, budget);
        facts.thinking_budget = std::max(facts.thinking_budget, budget);
      } else if (is_named(own, "thinkingLevel")) {
        text(path, scalar, facts.reasoning_effort);
      }
    } else if (path.depth() == 3 && is_named(path.key(1), "responseModalities")) {
      output_modality(scalar.is_text() ? scalar.text : std::string_view());
    } else if (is_named(own, "imageSize") &&
               (is_named(path.key(1), "imageConfig") || is_named(path.key(1), "responseFormat"))) {
      text(path, scalar, facts.pieces.size);
    }
  }
  void open_config(std::string_view name) {
    if (is_named(name, limit_name) || is_named(name, "candidateCount"))
      fail("\"" + std::string(name) + "\" is not a whole number");
    if (is_named(name, "responseSchema") || is_named(name, "responseJsonSchema") || name == "_responseJsonSchema")
      facts.schema = true;
    // Vertex AI then takes another model than that of the path.
    if (is_named(name, "routingConfig") || is_named(name, "modelConfig") || is_named(name, "modelSelectionConfig"))
      facts.other_models = true;
  }
  /// Functions and a computer are run by the caller; every other kind runs at the provider: searches, maps, code, URLs.
  void tool(std::string_view kind) {
    if (counting::is_of_caller(counting::Where::tool_of_generate, kind))
      facts.tools = true;
    else
      facts.server_tools = true;
    if (is_named(kind, "googleMaps")) facts.fees[Quantity::tool_calls] = 1;
    if (is_named(kind, "googleSearch")) facts.fees[Quantity::web_searches] = 1;
  }
  static MediaFacts::Kind kind_of(std::string_view type) {
    using Kind = MediaFacts::Kind;
    if (type.substr(0, 6) == "image/") return Kind::image;
    if (type.substr(0, 6) == "audio/") return Kind::audio;
    if (type.substr(0, 6) == "video/") return Kind::video;
    return type == "application/pdf" ? Kind::document : Kind::unknown;
  }
  void part(const Path& path, const Scalar& scalar) {
    if (is_named(path.parent(), "inlineData") && is_named(path.own(), "mimeType")) {
      told_ = kind_of(scalar.text);
      ++members_;
    } else if (is_named(path.parent(), "inlineData") && path.own() == "data") {
      found_ = inline_media(scalar.text, Place::as_told);
      ++members_;
    } else if (is_named(path.parent(), "fileData") && is_named(path.own(), "fileUri")) {
      unseen(false);
    } else if (is_named(path.own(), "mediaProcessing") &&
               !(scalar.is_text() && scalar.text.find("STATIC") != std::string_view::npos)) {
      other_media();  // looked at as often as the model likes; an enum may also stand there as its number
    } else if (is_named(path.own(), "mediaResolution") || is_named(path.parent(), "mediaResolution")) {
      facts.media_resolution = true;
    }
  }
};

struct StreamGenerateScan : GenerateScan {
  StreamGenerateScan() { facts.stream = true; }
};

}  // namespace

Result<RequestFacts> scan_generate(std::string_view body) {
  return scan_with<GenerateScan>(body);
}

Result<RequestFacts> scan_stream_generate(std::string_view body) {
  return scan_with<StreamGenerateScan>(body);
}

}  // namespace farthing::wire
