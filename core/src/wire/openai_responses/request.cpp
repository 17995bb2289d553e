#include <algorithm>
#include <array>

#include "wire/openai_responses/responses.h"
#include "wire/request_scan.h"

namespace farthing::wire {

namespace {

/// Tools that run in the caller's own process; every other kind runs at the provider and reads the context again.
constexpr std::array<std::string_view, 6> client_tools = {"function", "custom",      "local_shell",
                                                          "shell",    "apply_patch", "namespace"};

/// Memory of containers, and their price with it: OpenAI's price page, 2026-11. The first is what a request gets that says
/// nothing, the rates without a size are its; of a container that somebody made before nobody tells it, so it counts as the
/// last.
constexpr std::array<std::string_view, 4> container_sizes = {"1g", "4g", "16g", "64g"};

struct ResponsesScan : RequestScan {
  void value(const Path& path, const Scalar& scalar) {
    if (common(path, scalar)) return;
    if (path.depth() == 1) {
      top(path, scalar);
    } else if (path.key(0) == "tools" && path.depth() == 3 && path.own() == "type") {
      ++typed_tools_;
      if (!scalar.is_text() || std::find(client_tools.begin(), client_tools.end(), scalar.text) == client_tools.end())
        server_tool(scalar);
    } else if (path.key(0) == "tools" && path.depth() == 3 && path.own() == "container") {
      if (scalar.is_text()) container(container_sizes.size() - 1);
    } else if (path.key(0) == "tools" && path.depth() == 4 && path.own() == "memory_limit") {
      if (scalar.is_text()) memory(scalar.text);
    } else if (path.key(0) == "tools" && path.depth() == 4 && path.key(2) == "environment" && path.own() == "type") {
      environment(scalar);
    } else if (path.is("reasoning", "effort")) {
      text(path, scalar, facts.reasoning_effort);
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
    if (!array && path.depth() >= 3 && path.key(0) == "input") open_image();
    if (path.depth() == 2 && path.key(0) == "input") named_ = told_ = false;
    if (path.depth() == 2 && path.key(0) == "tools") {
      facts.tools = true;
      ++tools_;
    }
  }
  /// What only names an item is one that the provider keeps, and so is reasoning without its contents.
  void close(const Path& path, bool array, std::size_t members) {
    RequestScan::close(path, array, members);
    if (path.depth() == 2 && path.key(0) == "input" && named_ && !told_) unseen(false);
  }
  /// A tool that does not say what it is may be any.
  void finish() {
    RequestScan::finish();
    if (typed_tools_ < tools_) tool_with_fee(Quantity::tool_calls);
    if (container_ > 0) facts.pieces.size = container_sizes[container_];
  }

 private:
  std::int64_t tools_ = 0;
  std::int64_t typed_tools_ = 0;
  std::size_t container_ = 0;  // the largest of theirs
  // Of an item of the input: it has an id, it says what it is.
  bool named_ = false;
  bool told_ = false;

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
    else if (type != "mcp" && !type.starts_with("computer"))
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
    } else if (name == "background") {
      boolean(path, scalar, facts.background);
    }
  }
  void item(const Path& path, const Scalar& scalar) {
    const std::string_view own = path.own();
    if (own == "image_url" || own == "file_url")
      link(scalar.text, own == "image_url");
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
    if (path.depth() == 3) {  // of an item itself
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
