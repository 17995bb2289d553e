#include <fcntl.h>
#include <nettle/sha2.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <iostream>
#include <nlohmann/json.hpp>

#include "../books.h"
#include "../commands.h"
#include "farthing/policy.h"

namespace farthing::cli {

namespace {

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
  if (options.source.find("://") != std::string::npos) {
    return fail(usage, "a book at a URL is fetched first, and its checksum given: curl -fLo prices.txt " +
                           options.source + " && farthing prices update prices.txt --sha256 HEX");
  }
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
  const auto texts = read_source(options.source);
  if (!texts) return fail(texts.error());
  if (!options.sha256.empty()) {
    if (texts->size() != 1 || std::filesystem::is_directory(options.source))
      return fail(usage, "--sha256 is of one file, and " + options.source + " is a folder");
    const std::string found = sha256_of(texts->front().text);
    if (found != options.sha256) {
      return fail(failed, options.source + " has the sha256 " + found + ", not " + options.sha256 +
                              "; the earlier book stays in force");
    }
  }
  const CompiledPrices made = compile_prices(*texts);
  for (const std::string& problem : made.problems)
    std::cerr << problem << "\n";
  if (!made.problems.empty()) {
    return fail(failed, std::to_string(made.problems.size()) + (made.problems.size() == 1 ? " problem" : " problems") +
                            " in " + options.source + "; the earlier book stays in force");
  }
  const auto book = PriceBook::of_table(made.table);
  if (!book) return fail(book.error());
  const auto before = in_force(path);
  const BookDiff diff = diff_of(*before, **book);
  if (!options.accept_changes) {
    std::size_t found = 0;
    if ((*book)->version().substr(0, 10) < before->version().substr(0, 10)) {
      std::cerr << options.source << ": the book is of " << (*book)->version().substr(0, 10) << ", the one in force of "
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
    const nlohmann::ordered_json json = {{"file", path},
                                         {"before", before->version()},
                                         {"book", (*book)->version()},
                                         {"models", (*book)->models().size()},
                                         {"added", diff.added.size()},
                                         {"removed", diff.removed.size()},
                                         {"changed", diff.changed.size()}};
    std::cout << json.dump() << "\n";
    return ok;
  }
  std::cout << path << ": price book " << (*book)->version() << " in place of " << before->version() << ", "
            << (*book)->models().size() << " models: " << diff.added.size() << " added, " << diff.removed.size()
            << " removed, " << diff.changed.size() << " prices changed\n"
            << "guards that are opened from now on use it\n";
  return ok;
}

}  // namespace farthing::cli
