#include "terminal.h"

#include <langinfo.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <clocale>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <iostream>

#include "farthing/money.h"

namespace farthing::cli {

Terminal Terminal::detect() {
  Terminal terminal;
  std::setlocale(LC_CTYPE, "");
  const char* codeset = nl_langinfo(CODESET);
  terminal.unicode = codeset != nullptr && std::strcmp(codeset, "UTF-8") == 0;
  terminal.interactive = isatty(STDOUT_FILENO) == 1;
  const char* no_color = std::getenv("NO_COLOR");
  const char* term = std::getenv("TERM");
  terminal.color_ = terminal.interactive && (no_color == nullptr || *no_color == '\0') &&
                    (term == nullptr || std::strcmp(term, "dumb") != 0);
  winsize size{};
  if (terminal.interactive && ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0) {
    terminal.columns = size.ws_col;
  }
  return terminal;
}

std::string Terminal::styled(const char* code, std::string_view text) const {
  if (!color_) return std::string(text);
  return "\033[" + std::string(code) + "m" + std::string(text) + "\033[0m";
}

std::string Terminal::clear_screen() const {
  return interactive ? "\033[H\033[2J" : "";
}

std::string Terminal::bar(std::int64_t spent, std::int64_t reserved, std::int64_t limit, int width) const {
  const auto share = [&](std::int64_t amount) -> int {
    if (limit <= 0) return width;
    const Int128 scaled = static_cast<Int128>(std::max<std::int64_t>(amount, 0)) * width / limit;
    return static_cast<int>(std::min<Int128>(scaled, width));
  };
  const int full = share(spent);
  const int held = std::max(share(spent + reserved), full) - full;
  const char* spent_mark = unicode ? "█" : "#";
  const char* held_mark = unicode ? "▒" : "+";
  const char* free_mark = unicode ? "░" : "-";
  std::string used;
  std::string pending;
  std::string rest;
  for (int i = 0; i < full; ++i)
    used += spent_mark;
  for (int i = 0; i < held; ++i)
    pending += held_mark;
  for (int i = full + held; i < width; ++i)
    rest += free_mark;
  const std::int64_t percent = percent_of(spent, limit);
  const std::string colored = percent >= 100 ? red(used) : percent >= 80 ? yellow(used) : green(used);
  return colored + pending + dim(rest);
}

bool output_is_complete() {
  std::cout.flush();
  if (std::cout && std::fflush(stdout) == 0 && std::ferror(stdout) == 0) return true;
  pollfd reader{STDOUT_FILENO, 0, 0};  // asked for nothing, it tells only that the other end is closed
  return poll(&reader, 1, 0) > 0;
}

std::int64_t percent_of(std::int64_t spent, std::int64_t limit) {
  if (limit <= 0) return 100;
  const Int128 scaled = static_cast<Int128>(spent) * 100 / limit;
  return static_cast<std::int64_t>(std::clamp<Int128>(scaled, 0, 999'999));
}

namespace {

/// Bytes of a code of `styled` at the start of a text; 0: there is none.
std::size_t own_code(std::string_view text) {
  for (const std::string_view code : {"\033[0m", "\033[1m", "\033[2m", "\033[31m", "\033[32m", "\033[33m"}) {
    if (text.starts_with(code)) return code.size();
  }
  return 0;
}

/// Bytes of a printable character at the start of a text; 0: there is none.
std::size_t character(std::string_view text) {
  const auto byte = [text](std::size_t i) { return i < text.size() ? static_cast<unsigned char>(text[i]) : 0U; };
  const unsigned first = byte(0);
  if (first < 0x80) return first < 0x20 || first == 0x7F ? 0 : 1;
  const std::size_t size = first >= 0xF0 ? 4 : first >= 0xE0 ? 3 : 2;
  if (first < 0xC2 || first > 0xF4 || (first == 0xC2 && byte(1) < 0xA0)) return 0;
  for (std::size_t i = 1; i < size; ++i) {
    if ((byte(i) & 0xC0U) != 0x80U) return 0;
  }
  return size;
}

}  // namespace

std::string printable(std::string_view text, bool lines) {
  std::string out;
  out.reserve(text.size());
  while (!text.empty()) {
    std::size_t size = std::max(own_code(text), character(text));
    if (size == 0 && lines && text.front() == '\n') size = 1;
    if (size == 0) {
      out += '?';
      size =
          text.starts_with("\xC2") && text.size() > 1 && (static_cast<unsigned char>(text[1]) & 0xC0U) == 0x80U ? 2 : 1;
    } else {
      out += text.substr(0, size);
    }
    text.remove_prefix(size);
  }
  return out;
}

std::size_t display_width(std::string_view text) {
  std::size_t width = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto byte = static_cast<unsigned char>(text[i]);
    if (byte == 0x1b) {  // an escape code of ours ends with 'm'
      while (i < text.size() && text[i] != 'm')
        ++i;
      continue;
    }
    if ((byte & 0xc0) != 0x80) ++width;
  }
  return width;
}

std::string table(const std::vector<std::string>& head, const std::vector<std::vector<std::string>>& given) {
  std::vector<std::vector<std::string>> rows = given;
  for (auto& row : rows) {
    for (std::string& cell : row)
      cell = printable(cell);
  }
  std::vector<bool> right;
  std::vector<std::string> names;
  for (const std::string& name : head) {
    right.push_back(!name.empty() && name[0] == '>');
    names.push_back(right.back() ? name.substr(1) : name);
  }
  std::vector<std::size_t> widths;
  for (const std::string& name : names)
    widths.push_back(display_width(name));
  for (const auto& row : rows) {
    for (std::size_t i = 0; i < row.size(); ++i)
      widths[i] = std::max(widths[i], display_width(row[i]));
  }
  std::string text;
  const auto add = [&](const std::vector<std::string>& row) {
    std::string line;
    for (std::size_t i = 0; i < row.size(); ++i) {
      const std::string padding(widths[i] - display_width(row[i]), ' ');
      if (i > 0) line += "  ";
      line += right[i] ? padding + row[i] : row[i] + padding;
    }
    line.erase(line.find_last_not_of(' ') + 1);
    text += line + "\n";
  };
  add(names);
  for (const auto& row : rows)
    add(row);
  return text;
}

}  // namespace farthing::cli
