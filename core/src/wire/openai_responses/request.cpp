#include <algorithm>
#include <array>

#include "wire/openai_responses/responses.h"
#include "wire/request_scan.h"

namespace farthing::wire {

namespace {

/// Memory of containers, and their price with it: OpenAI's price page, 2026-11. The first is what a request gets that says
/// nothing, the rates without a size are its; of a container that somebody made before nobody tells it, so it counts as the
/// last.
constexpr std::array<std::string_view, 4> container_sizes = {"1g", "4g", "16g", "64g"};

struct ResponsesScan : RequestScan {
  ResponsesScan() : RequestScan(counting::Where::responses) {}

  void value(const Path& path, const Scalar& scalar) {
    if (common(path, scalar)) return;
    if (path.depth() == 1) {
      top(path, scalar);
    } else if (tool_depth_ > 0 && path.depth() > tool_depth_) {
      tool(path, scalar);
    } else if (path.is("reasoning", "effort")) {
      text(path, scalar, facts.reasoning_effort);
    } else if (path.is("multi_agent", "enabled")) {
      agents_ = scalar.kind != Scalar::Kind::boolean || scalar.boolean;
    } else if (path.is("text", "format", "type")) {
      facts.schema = scalar.is_text() && scalar.text == "json_schema";
    } else if (path.key(0) == "input" && scalar.is_text()) {
      item(path, scalar);
    }
  }
  void open(const Path& path, bool array, std::size_t at) {
    open_body(path, array, at);
    plain(path, {"max_output_tokens", "max_tool_calls", "background", "previous_response_id"});
    if (path.is("conversation") || path.is("prompt")) unseen(false);
    if (path.is("prompt")) elsewhere();  // it brings the tools that were saved with it
    if (path.is("multi_agent")) agents_ = true;
    if (path.depth() == 2 && path.key(0) == "context_management") facts.endless = compaction;
    if (!array && path.depth() >= 3 && path.key(0) == "input") open_image();
    if (path.depth() == 2 && path.key(0) == "input") {
      named_ = told_ = false;
      untyped_ = 0;
    }
    if (tool_depth_ == 0 && is_tool(path)) open_tool(path);
  }
  /// What only names an item is one that the provider keeps, and so is reasoning without its contents.
  void close(const Path& path, bool array, std::size_t members) {
    RequestScan::close(path, array, members);
    if (path.depth() == tool_depth_) close_tool(path);
    if (path.depth() != 2 || path.key(0) != "input") return;
    if (named_ && !told_) unseen(false);
    // What a server of tools listed has no type; every other tool may be any if it does not say what it is.
    if (untyped_ > 0 && !listed_) tool_with_fee(Quantity::tool_calls);
    listed_ = false;
  }
  void finish() {
    RequestScan::finish();
    if (agents_) facts.endless = "subagents that the provider runs";
    if (container_ > 0) facts.pieces.size = container_sizes[container_];
  }

 private:
  static constexpr std::string_view compaction = "a compaction at the provider";

  std::size_t tool_depth_ = 0;  // of the tool that is being read, 0: none
  bool typed_ = false;          // it says what it is ...
  bool search_ = false;         // ... a search of tools ...
  bool own_search_ = false;     // ... that the caller executes
  bool agents_ = false;
  std::size_t container_ = 0;  // the largest of theirs
  // Of an item of the input: it has an id, it says what it is.
  bool named_ = false;
  bool told_ = false;
  bool listed_ = false;       // it is a list of tools that was asked of a server before
  std::int64_t untyped_ = 0;  // tools in it that do not say what they are

  /// Of the request, or added in the middle of the conversation, where a search of tools or the caller found them.
  static bool is_tool(const Path& path) {
    return (path.depth() == 2 && path.key(0) == "tools") ||
           (path.depth() == 4 && path.key(0) == "input" && path.key(2) == "tools");
  }
  void open_tool(const Path& path) {
    facts.tools = true;
    tool_depth_ = path.depth();
    typed_ = search_ = own_search_ = false;
  }
  void close_tool(const Path& path) {
    if (search_ && !own_search_) facts.server_tools = true;  // without a fee
    if (!typed_ && path.key(0) == "tools") tool_with_fee(Quantity::tool_calls);
    untyped_ += typed_ ? 0 : 1;
    tool_depth_ = 0;
  }
  void tool(const Path& path, const Scalar& scalar) {
    const std::string_view own = path.own();
    const std::size_t below = path.depth() - tool_depth_;
    // In a namespace stand others.
    const bool of_namespace = below == 3 && path.key(tool_depth_) == "tools";
    if (own == "type" && (below == 1 || of_namespace)) {
      typed_ = true;
      search_ = search_ || (scalar.is_text() && scalar.text == "tool_search");
      // Every other kind runs at the provider and reads the context again; so does a search of tools where the request does
      // not say that the caller executes it.
      if (!scalar.is_text() || !counting::is_of_caller(counting::Where::tool_of_responses, scalar.text))
        server_tool(scalar);
    } else if (own == "execution" && below == 1) {
      own_search_ = scalar.is_text() && scalar.text == "client";
    } else if (own == "container" && below == 1) {
      if (scalar.is_text()) container(container_sizes.size() - 1);
    } else if (own == "memory_limit" && below == 2) {
      if (scalar.is_text()) memory(scalar.text);
    } else if (own == "type" && below == 2 && path.parent() == "environment") {
      environment(scalar);
    }
  }

  /// For others than searches and servers of the caller's choice the provider has fees of their own.
  void server_tool(const Scalar& scalar) {
    facts.server_tools = true;
    const std::string_view type = scalar.is_text() ? scalar.text : std::string_view();
    if (type.starts_with("web_search"))
      facts.fees[Quantity::web_searches] = 1;
    else if (type == "code_interpreter")
      facts.fees[Quantity::code_sessions] = 1;
    else if (type == "file_search")
      facts.fees[Quantity::file_searches] = 1;
    else if (type != "mcp")
      facts.fees[Quantity::tool_calls] = 1;
  }
  void container(std::size_t size) { container_ = std::max(container_, size); }
  void memory(std::string_view word) {
    const auto* known = std::find(container_sizes.begin(), container_sizes.end(), word);
    if (known == container_sizes.end()) return tool_with_fee(Quantity::tool_calls);
    container(static_cast<std::size_t>(known - container_sizes.begin()));
  }
  /// Where a shell runs: with the caller, or in a container of theirs, which costs as one of the code interpreter does.
  void environment(const Scalar& scalar) {
    if (scalar.is_text() && scalar.text == "local") return;
    const bool known = scalar.is_text() && (scalar.text == "container_auto" || scalar.text == "container_reference");
    tool_with_fee(known ? Quantity::code_sessions : Quantity::tool_calls);
    if (known && scalar.text == "container_reference") container(container_sizes.size() - 1);
  }
  void top(const Path& path, const Scalar& scalar) {
    const std::string_view name = path.own();
    if (name == "max_output_tokens") {
      output_limit(path, scalar, "max_output_tokens");
    } else if (name == "max_tool_calls") {
      std::int64_t steps = -1;
      count(path, scalar, 0, steps);
      if (steps >= 0) facts.server_tool_steps = steps;
    } else if ((name == "previous_response_id" || name == "conversation") && scalar.is_text()) {
      unseen(false);
    } else if (name == "multi_agent") {
      agents_ = scalar.kind != Scalar::Kind::null && !(scalar.kind == Scalar::Kind::boolean && !scalar.boolean);
    } else if (name == "background") {
      boolean(path, scalar, facts.background);
    }
  }
  /// In any list of an item (`content`, `output`, `summary`, ...), or alone where a computer answers.
  static bool is_part(const Path& path) {
    return (path.depth() == 5 && path.parent().empty()) || (path.depth() == 4 && path.key(2) == "output");
  }
  void item(const Path& path, const Scalar& scalar) {
    const std::string_view own = path.own();
    if (own == "image_url" || own == "file_url")
      link(scalar.text, own == "image_url");
    else if (own == "url" && path.depth() == 5 && path.key(2) == "outputs")
      link(scalar.text, true);  // an image that code made
    else if (own == "file_data")
      inline_media(scalar.text, Place::document);
    else if (own == "data" && path.parent() == "input_audio")
      inline_media(scalar.text, Place::sound);
    else if (own == "detail")
      detail(scalar);
    else if (own == "file_id")
      unseen(false);
    else if (own == "type") {
      if (scalar.text == "input_image" || scalar.text == "input_file" || scalar.text == "input_audio" ||
          scalar.text == "computer_call_output") {
        media_part();
      }
      if (scalar.text == "image_generation_call") other_media();
      if (scalar.text == "item_reference") unseen(false);
    }
    if (own == "type" && is_part(path)) vet(counting::Where::part_of_responses, scalar.text);
    if (path.depth() == 3) {  // of an item itself
      if (own == "type") {
        vet(counting::Where::item_of_responses, scalar.text);
        listed_ = scalar.text == "mcp_list_tools";
        if (scalar.text == "compaction_trigger") facts.endless = compaction;
      }
      named_ = named_ || own == "id";
      told_ = told_ || own == "role" || own == "encrypted_content" || (own == "type" && scalar.text != "reasoning");
    }
  }
};

}  // namespace

Result<RequestFacts> scan_responses(std::string_view body) {
  return scan_with<ResponsesScan>(body);
}

}  // namespace farthing::wire
