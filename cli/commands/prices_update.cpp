#include <fcntl.h>
#include <nettle/sha2.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <iostream>

#include "../books.h"
#include "../commands.h"
#include "../json.h"
#include "../terminal.h"
#include "farthing/http.h"
#include "farthing/policy.h"

namespace farthing::cli {

namespace {

constexpr std::size_t most_book_bytes = 64 << 20;  // the built-in book has 2 MB

std::string sha256_of(const std::string& bytes) {
  sha256_ctx hash;
  sha256_init(&hash);
  sha256_update(&hash, bytes.size(), reinterpret_cast<const std::uint8_t*>(bytes.data()));
  std::array<std::uint8_t, SHA256_DIGEST_SIZE> digest{};
  sha256_digest(&hash, digest.size(), digest.data());
  std::string text;
  for (const std::uint8_t byte : digest) {
    text += "0123456789abcdef"[byte >> 4U];
    text += "0123456789abcdef"[byte & 15U];
  }
  return text;
}

/// The checksum as sha256_of writes it; nothing where it is none.
std::optional<std::string> checksum(std::string hex) {
  for (char& digit : hex) {
    if (digit >= 'A' && digit <= 'F') digit = static_cast<char>(digit - 'A' + 'a');
  }
  const bool valid = hex.size() == 64 && hex.find_first_not_of("0123456789abcdef") == std::string::npos;
  return valid ? std::optional(std::move(hex)) : std::nullopt;
}

/// The book as text at a URL; problems in it are told with `name`.
Result<std::vector<PriceText>> fetch_source(const std::string& url, const std::string& name) {
  auto bytes = fetch(url, {.most_bytes = most_book_bytes});
  if (!bytes) {
    Error error = bytes.error();
    if (error.code == Code::library_missing)
      error.message += ". Or download the book otherwise, and give the file's path";
    return error;
  }
  std::vector<PriceText> texts;
  texts.push_back({name, std::move(*bytes)});
  return texts;
}

bool write_all(int file, const std::string& bytes) {
  for (std::size_t at = 0; at < bytes.size();) {
    const ssize_t wrote = write(file, bytes.data() + at, bytes.size() - at);
    if (wrote < 0 && errno != EINTR) return false;
    if (wrote > 0) at += static_cast<std::size_t>(wrote);
  }
  return fsync(file) == 0;
}

/// Whoever opens `path` sees the old bytes or the new ones, also after a power cut.
Status replace(const std::string& path, const std::string& bytes) {
  const std::string fresh = path + ".new-" + std::to_string(getpid());
  const auto failed_to = [&](const char* what) {
    const std::string why = std::strerror(errno);  // NOLINT(concurrency-mt-unsafe)
    unlink(fresh.c_str());
    return Error{Code::invalid_argument, path + ": cannot " + what + ": " + why + "; the earlier book stays in force"};
  };
  const int file = open(fresh.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
  if (file < 0) return failed_to("be written");
  const bool written = write_all(file, bytes);
  if (close(file) != 0 || !written) return failed_to("be written");
  if (rename(fresh.c_str(), path.c_str()) != 0) return failed_to("be replaced");
  const std::string folder = std::filesystem::path(path).parent_path().string();
  if (const int at = open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC); at >= 0) {
    static_cast<void>(fsync(at));
    close(at);
  }
  return success();
}

/// The book in force: the file's, or the built-in one where there is no file yet or none that can be read.
std::shared_ptr<const PriceBook> in_force(const std::string& path) {
  auto book = PriceBook::open(path, {});
  return book ? *book : PriceBook::builtin();
}

std::string conditions_of(const PriceChange& change) {
  return change.conditions.empty() ? "" : " (" + change.conditions + ")";
}

}  // namespace

int prices_update(const PricesUpdateOptions& options) {
  const bool at_url = options.source.find("://") != std::string::npos;
  const std::string name = at_url ? shown_url(options.source) : options.source;
  if (at_url && !options.sha256)
    return fail(usage, "a book at a URL needs its checksum, as its publisher gives it: --sha256 HEX");
  const auto expected = checksum(options.sha256.value_or(""));
  if (options.sha256 && !expected)
    return fail(usage, "--sha256 is \"" + *options.sha256 + "\"; accepted: 64 hexadecimal digits");
  const std::string policy = policy_path(options.policy);
  if (policy.empty()) return fail(not_found, "no farthing.toml in this project; name one: --policy FILE");
  const PolicyOrProblems read = policy_from_file(policy);
  if (!read.ok()) return fail(failed, policy + " is not a valid policy: farthing check " + policy);
  const std::string path = read.policy->price_book_path();
  if (path.empty()) {
    return fail(failed, policy +
                            " names no file for a price book, so the built-in one is in force; write in it: "
                            "price_book = \"prices.book\"");
  }
  const auto texts = at_url ? fetch_source(options.source, name) : read_source(options.source);
  if (!texts) return fail(texts.error());
  if (expected) {
    if (!at_url && (texts->size() != 1 || std::filesystem::is_directory(options.source)))
      return fail(usage, "--sha256 is of one file, and " + name + " is a folder");
    const std::string found = sha256_of(texts->front().text);
    if (found != *expected) {
      return fail(failed,
                  name + " has the sha256 " + found + ", not " + *expected + "; the earlier book stays in force");
    }
  }
  const CompiledPrices made = compile_prices(*texts);
  for (const std::string& problem : made.problems)
    std::cerr << printable(problem) << "\n";
  if (!made.problems.empty()) {
    return fail(failed, std::to_string(made.problems.size()) + (made.problems.size() == 1 ? " problem" : " problems") +
                            " in " + name + "; the earlier book stays in force");
  }
  const auto book = PriceBook::of_table(made.table);
  if (!book) return fail(book.error());
  const auto before = in_force(path);
  const BookDiff diff = diff_of(*before, **book);
  if (!options.accept_changes) {
    std::size_t found = 0;
    if ((*book)->version().substr(0, 10) < before->version().substr(0, 10)) {
      std::cerr << name << ": the book is of " << (*book)->version().substr(0, 10) << ", the one in force of "
                << before->version().substr(0, 10) << "\n";
      ++found;
    }
    for (const PriceChange& change : diff.changed) {
      if (!change.over_five()) continue;
      ++found;
      std::cerr << name_of(*change.model) << ": " << quantity_text(change.quantity) << conditions_of(change) << " "
                << to_text(*change.after) << " after " << to_text(*change.before)
                << "; accepted: a change of at most 5 times [change_over_5]\n";
    }
    if (found > 0) {
      return fail(failed, std::to_string(found) + (found == 1 ? " finding" : " findings") +
                              " against the book in force, which stays; a person who has looked at them says "
                              "--accept-changes");
    }
  }
  if (const Status done = replace(path, made.table); !done) return fail(done.error());
  if (options.json) {
    const Json json = {{"file", path},
                       {"before", before->version()},
                       {"book", (*book)->version()},
                       {"models", (*book)->models().size()},
                       {"added", diff.added.size()},
                       {"removed", diff.removed.size()},
                       {"changed", diff.changed.size()}};
    std::cout << dump_json(json) << "\n";
    return ok;
  }
  std::cout << path << ": price book " << (*book)->version() << " in place of " << before->version() << ", "
            << (*book)->models().size() << " models: " << diff.added.size() << " added, " << diff.removed.size()
            << " removed, " << diff.changed.size() << " prices changed\n"
            << "guards that are opened from now on use it\n";
  return ok;
}

}  // namespace farthing::cli
