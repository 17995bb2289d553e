// Terminal: what the command knows of where its output goes: colours only on a terminal, block characters only where
// the locale can show them. Thread-safety: one thread.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace farthing::cli {

class Terminal {
 public:
  /// Of standard output. NO_COLOR and TERM=dumb turn colours off.
  static Terminal detect();

  bool interactive = false;
  bool unicode = false;
  int columns = 100;

  std::string bold(std::string_view text) const { return styled("1", text); }
  std::string dim(std::string_view text) const { return styled("2", text); }
  std::string red(std::string_view text) const { return styled("31", text); }
  std::string yellow(std::string_view text) const { return styled("33", text); }
  std::string green(std::string_view text) const { return styled("32", text); }

  /// "[######------]": `spent` then `reserved` of `limit`; full where limit is 0 or less.
  std::string bar(std::int64_t spent, std::int64_t reserved, std::int64_t limit, int width) const;

  /// Moves to the top left and clears, for --watch; nothing when not interactive.
  std::string clear_screen() const;

 private:
  bool color_ = false;
  std::string styled(const char* code, std::string_view text) const;
};

/// Flushes standard output; false when a part of it was lost, though somebody is there to read it (a full disk).
bool output_is_complete();

/// What reaches a terminal from elsewhere (a provider's id, a model's name) with "?" for each control character and each
/// byte that is no UTF-8; the codes of a Terminal stay. `lines` keeps line breaks.
std::string printable(std::string_view text, bool lines = false);

/// Columns aligned by their widest cell; cells are made printable, and may hold escape codes of a Terminal. Right-aligned where the head begins with '>'.
std::string table(const std::vector<std::string>& head, const std::vector<std::vector<std::string>>& rows);

/// Characters that a text takes on a terminal (UTF-8, escape codes not counted).
std::size_t display_width(std::string_view text);

/// `spent` in percent of `limit`, rounded down; 100 where the limit is 0.
std::int64_t percent_of(std::int64_t spent, std::int64_t limit);

}  // namespace farthing::cli
