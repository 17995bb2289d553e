#include <algorithm>

#include "counting/claude_tools.h"
#include "wire/anthropic_messages/messages.h"
#include "wire/request_scan.h"

namespace farthing::wire {

namespace {

/// Tools that the caller runs itself, by their type, also in versions newer than the list; one without a type is the caller's
/// too. Every other kind runs at the provider and reads the context again.
bool is_client_tool(std::string_view type) {
  return counting::is_of_caller(counting::Where::tool_of_messages, type) || counting::claude_tool(type) != nullptr;
}

struct MessagesScan : RequestScan {
  MessagesScan() : RequestScan(counting::Where::messages) { facts.cache_writes = CacheWrites::none; }

  void value(const Path& path, const Scalar& scalar) {
    cache_control(path, scalar);
    if (path.is("service_tier")) {
      tier(path, scalar);
    } else if (common(path, scalar)) {
      return;
    } else if (path.depth() == 1) {
      top(path, scalar);
    } else if (tool_depth_ > 0 && path.depth() > tool_depth_) {
      if (path.depth() == tool_depth_ + 1) tool(path, scalar);
    } else if (path.key(0) == "messages" || path.key(0) == "system") {
      content(path, scalar);
    } else if (path.is("thread", "type")) {
      if (!scalar.is_text() || scalar.text != "create") unseen(false);
    } else if (path.is("thread", "previous_message_id")) {
      if (!scalar.is_null()) unseen(false);
    } else if (path.key(0) == "thinking" && path.depth() == 2) {
      thinking(path, scalar);
    } else if (path.is("output_format", "type") || path.is("output_config", "format", "type")) {
      if (scalar.is_text() && scalar.text == "json_schema") facts.schema = true;
    } else if (path.is("output_config", "effort")) {
      text(path, scalar, facts.reasoning_effort);
    } else if (path.key(0) == "context_management" && path.own() == "type" && scalar.is_text()) {
      // Edits that clear cost nothing; a compaction is a call of its own inside this one, as often as it is needed.
      if (path.parent().empty() && scalar.text.substr(0, 6) != "clear_") endless();
    }
  }
  void open(const Path& path, bool array, std::size_t at) {
    open_body(path, array, at);
    plain(path, {"max_tokens", "speed", "inference_geo"});
    if (path.depth() == 1) {
      const std::string_view name = path.own();
      if (name == "container") endless();
      if (name == "compaction") facts.endless = "a compaction at the provider";
      if ((name == "tools" || name == "mcp_servers" || name == "messages") && !array)
        fail("\"" + std::string(name) + "\" is not a list");
    } else if (path.depth() == 2 && path.key(0) == "mcp_servers") {
      endless();
    } else if (tool_depth_ == 0 && is_tool(path)) {
      facts.tools = true;
      tool_depth_ = path.depth();
      runs_there_ = false;
      uses_.reset();
    } else if (tool_depth_ > 0 && path.own() == "max_uses" && path.depth() == tool_depth_ + 1) {
      fail("\"max_uses\" is not a whole number");
    }
    if (path.own() == "cache_control") writes(CacheWrites::short_only);
    if (!array && path.own() == "source" && path.key(0) == "messages" && tool_depth_ == 0 && !of_a_call(path))
      sources_.push_back({.depth = path.depth()});
  }
  void close(const Path& path, bool array, std::size_t members) {
    RequestScan::close(path, array, members);
    if (tool_depth_ > 0 && path.depth() == tool_depth_) {
      tool_depth_ = 0;
      if (runs_there_) {
        facts.server_tools = true;
        if (uses_)
          steps_ += *uses_;
        else
          endless_ = true;
      }
    }
    if (!sources_.empty() && sources_.back().depth == path.depth()) {
      close_source(sources_.back());
      sources_.pop_back();
    }
  }
  void finish() {
    RequestScan::finish();
    // Every use is a step; the sum of what each tool may be used is the most that all may be.
    if (facts.server_tools && !endless_ && !facts.elsewhere) facts.server_tool_steps = steps_;
    if (thinking_off_) facts.thinking_budget = 0;
    // Any of the sources may be the document's: only where all are documents it is known which.
    if (documents_) {
      facts.media_other = facts.media_other ||
                          std::any_of(facts.media_inputs.begin(), facts.media_inputs.end(),
                                      [](const auto& input) { return input.facts.kind != MediaFacts::Kind::document; });
      facts.remote_other = facts.remote_other || facts.remote;
    }
  }

 private:
  /// The `source` of an image or document; they nest in each other's content.
  struct Source {
    std::size_t depth = 0;
    std::string type = {};
    std::string_view data = {};
    bool elsewhere = false;  // a URL or an id stands in it
  };
  std::vector<Source> sources_;
  std::size_t tool_depth_ = 0;        // of the tool that is being read, 0: none
  bool runs_there_ = false;           // the tool that is being read
  std::optional<std::int64_t> uses_;  // its max_uses
  std::int64_t steps_ = 0;
  bool endless_ = false;
  bool thinking_off_ = false;
  bool documents_ = false;

  /// The input of a tool's call: data of any shape, read as text.
  static bool of_a_call(const Path& path) { return path.key(2) == "content" && path.key(4) == "input"; }
  /// Of the request, or added in the middle of the conversation (`tool_addition`, also as a compaction keeps it).
  static bool is_tool(const Path& path) {
    return (path.depth() == 2 && path.key(0) == "tools") ||
           (path.key(0) == "messages" && path.own() == "definition" && path.parent() == "tool" && !of_a_call(path));
  }
  void endless() {
    facts.server_tools = true;
    endless_ = true;
  }
  void writes(CacheWrites kind) { facts.cache_writes = std::max(facts.cache_writes, kind); }

  /// Wherever it stands, also inside of data that is none: that only makes the ceiling higher.
  void cache_control(const Path& path, const Scalar& scalar) {
    if (path.own() == "cache_control" && !scalar.is_null()) writes(CacheWrites::short_only);
    if (path.own() == "ttl" && path.parent() == "cache_control" && !(scalar.is_text() && scalar.text == "5m"))
      writes(CacheWrites::long_lived);
  }
  void tier(const Path& path, const Scalar& scalar) {
    std::string asked;
    text(path, scalar, asked);
    // `auto` is what a request without a tier gets; `standard_only` rules the committed capacity out.
    if (facts.service_tier.empty() && asked != "auto")
      facts.service_tier = asked == "standard_only" ? "default" : asked;
  }
  void top(const Path& path, const Scalar& scalar) {
    const std::string_view name = path.own();
    if (name == "max_tokens") {
      output_limit(path, scalar, "max_tokens");
    } else if (name == "speed") {
      std::string speed;
      text(path, scalar, speed);
      if (!speed.empty() && speed != "standard") facts.service_tier = speed;  // fast mode has prices of its own
    } else if (name == "inference_geo") {
      text(path, scalar, facts.region);  // without one the workspace's
    } else if (name == "container" && !scalar.is_null()) {
      endless();
    }
  }
  void tool(const Path& path, const Scalar& scalar) {
    if (path.own() == "type") {
      if (!scalar.is_null() && !(scalar.is_text() && is_client_tool(scalar.text))) runs_there_ = true;
      if (scalar.is_text() && scalar.text.starts_with("advisor"))
        facts.endless = "an advisor, which reads all again at the rates of its own model";
      if (scalar.is_text() && scalar.text.starts_with("web_search")) facts.fees[Quantity::web_searches] = 1;
      if (const auto* own = counting::claude_tool(scalar.is_text() ? scalar.text : std::string_view()))
        facts.tool_tokens += own->tokens;
    } else if (path.own() == "max_uses") {
      std::int64_t uses = -1;
      count(path, scalar, 0, uses);
      if (uses >= 0) uses_ = std::max(uses_.value_or(0), uses);
    }
  }
  void thinking(const Path& path, const Scalar& scalar) {
    if (path.own() == "type") {
      thinking_off_ = scalar.is_text() && scalar.text == "disabled";
    } else if (path.own() == "budget_tokens") {
      std::int64_t budget = 0;
      count(path, scalar, 0, budget);
      facts.thinking_budget = std::max(facts.thinking_budget, budget);
    }
  }
  /// In any list of a message or of a block in it, or alone as what a tool at the provider answered.
  static bool is_block(const Path& path) {
    if (!path.parent().empty() && path.parent() != "content") return false;
    for (std::size_t i = 4; i < path.depth(); ++i) {
      if (path.key(i) == "input_schema") return false;
    }
    return path.depth() >= (path.key(0) == "system" ? 3 : 5);
  }
  void content(const Path& path, const Scalar& scalar) {
    if (!scalar.is_text() || of_a_call(path)) return;
    const std::string_view own = path.own();
    if (own == "type" && is_block(path)) vet(counting::Where::block_of_messages, scalar.text);
    if (!sources_.empty() && sources_.back().depth + 1 == path.depth() && path.parent() == "source") {
      Source& source = sources_.back();
      if (own == "type") {
        if (!source.type.empty()) fail("the \"type\" of a source stands twice");
        source.type = scalar.text;
      } else if (own == "data") {
        if (!source.data.empty()) fail("the \"data\" of a source stands twice");
        source.data = scalar.text;
      } else if (own == "url" || own == "file_id") {
        source.elsewhere = true;
      }
    } else if (own == "file_id") {
      unseen(false);  // a file that is put into the container
    } else if (own == "type" && scalar.text == "document") {
      documents_ = true;
    }
  }
  void close_source(const Source& source) {
    // A text stands there as it is read; blocks inside have sources of their own.
    if (source.type == "text" || source.type == "content") {
      if (source.elsewhere) unseen(false);
      return;
    }
    if (source.type == "base64") {
      inline_media(source.data, Place::image_or_document);
      if (source.elsewhere) unseen(false);
    } else if (source.type == "url" || source.type == "file") {
      unseen(true);
    } else {
      other_media();
    }
  }
};

}  // namespace

Result<RequestFacts> scan_messages(std::string_view body) {
  return scan_with<MessagesScan>(body);
}

}  // namespace farthing::wire
