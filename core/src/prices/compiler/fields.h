// Fields: the keys of one TOML table, read one by one; what was not read in the end is a misspelt key.
// Thread-safety: none.
#pragma once

#include <functional>
#include <initializer_list>
#include <string>
#include <string_view>
#include <vector>

#include "money/toml.h"
#include "prices/compiler/source.h"

namespace farthing::prices_detail {

class Fields {
 public:
  /// `who` opens every message: "model gpt-5".
  Fields(const toml::table& table, std::string file, std::string who, Problems& problems);

  Place place() const { return place_of(table_); }
  Place place_of(const toml::node& node) const { return {file_, static_cast<std::uint32_t>(node.source().begin.line)}; }

  /// "" where it is absent; `required` makes that a problem.
  std::string text(std::string_view key, bool required = false);
  std::int64_t number(std::string_view key, bool required = false);
  bool boolean(std::string_view key);
  std::vector<std::string> texts(std::string_view key);
  /// A table of texts.
  std::map<std::string, std::string> text_map(std::string_view key);
  /// A table of lists of texts.
  std::map<std::string, std::vector<std::string>> texts_map(std::string_view key);
  /// Each table of a list of tables.
  void tables(std::string_view key, const std::function<void(const toml::table&)>& visit);
  /// A date (midnight UTC) or a date-time with offset.
  std::optional<std::int64_t> instant(std::string_view key);
  /// The date as it was written, "2026-11-21".
  std::string date(std::string_view key, bool required = false);
  /// The keys that nobody asked for.
  void each_other(const std::function<void(std::string_view, const toml::node&)>& visit);
  /// Reports all keys that were not read.
  void finish();

  void problem(const toml::node& node, const std::string& found, std::string_view accepted);

 private:
  const toml::node* get(std::string_view key, bool required, std::string_view accepted);

  const toml::table& table_;
  std::string file_;
  std::string who_;
  Problems& problems_;
  std::vector<std::string> read_;
};

}  // namespace farthing::prices_detail
