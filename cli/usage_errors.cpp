#include "usage_errors.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <array>
#include <string_view>
#include <utility>
#include <vector>

#include "farthing/cap.h"
#include "farthing/prices.h"

namespace farthing::cli {

namespace {

/// The commands that want something, each with what could stand there.
constexpr std::array<std::pair<std::string_view, std::string_view>, 10> examples = {{
    {"farthing adjust", R"(farthing adjust "0.0012 USD" 0AM6M8MJ00200)"},
    {"farthing cap clear", "farthing cap clear daily"},
    {"farthing cap set", R"(farthing cap set daily "50 USD" --until friday)"},
    {"farthing jobs end", R"(farthing jobs end video_123 --amount "0.40 USD")"},
    {"farthing policy apply", "farthing policy apply farthing.toml"},
    {"farthing policy remove", "farthing policy remove shop"},
    {"farthing prices diff", "farthing prices diff builtin prices.book"},
    {"farthing prices update", "farthing prices update prices.txt"},
    {"farthing resume", "farthing resume 3"},
    {"farthing why", "farthing why 0AM6M8MJ00200"},
}};

struct Inside {
  const CLI::App* command;
  std::string path;  // "farthing cap set"
};

Inside inside(const CLI::App& app) {
  Inside found{&app, "farthing"};
  while (!found.command->get_subcommands().empty()) {
    found.command = found.command->get_subcommands().front();
    found.path += " " + found.command->get_name();
  }
  return found;
}

std::string more(const Inside& at) {
  const auto example =
      std::find_if(examples.begin(), examples.end(), [&](const auto& one) { return one.first == at.path; });
  const std::string help = " More: " + at.path + " --help";
  return example == examples.end() ? help : " For example: " + std::string(example->second) + "." + help;
}

std::vector<const CLI::App*> commands_of(const CLI::App& app) {
  return app.get_subcommands([](const CLI::App*) { return true; });
}

/// " Did you mean --since?": of the words that this command takes.
std::string meant(const CLI::App& command, const std::string& word) {
  std::vector<std::string> names;
  for (const CLI::Option* option : command.get_options()) {
    for (const std::string& name : option->get_lnames())
      names.push_back("--" + name);
  }
  for (const CLI::App* one : commands_of(command))
    names.push_back(one->get_name());
  const std::string bare = word.substr(0, word.find('='));
  if (std::find(names.begin(), names.end(), bare) != names.end()) return " It stands behind the command.";
  std::vector<std::string> near = near_names(bare, {names.begin(), names.end()}, 1);
  if (near.empty() && bare.size() > 4 && bare.starts_with("--")) {  // --limit is a part of --output-limit
    std::copy_if(names.begin(), names.end(), std::back_inserter(near),
                 [&](const std::string& name) { return name.find(bare.substr(2)) != std::string::npos; });
  }
  // What other tools, and `guard.ledger`, call it.
  if (near.empty() && bare == "--limit" && std::find(names.begin(), names.end(), "--most") != names.end())
    near.emplace_back("--most");
  return near.empty() ? "" : " Did you mean " + near.front() + "?";
}

/// An amount that the shell took for two words. "": there is none.
std::string torn_amount(const CLI::App& command, const std::vector<std::string>& left) {
  std::vector<std::string> words;
  for (const CLI::Option* option : command.get_options()) {
    if (!option->get_positional()) continue;
    for (const std::string& word : option->results())
      words.push_back(word);
  }
  words.insert(words.end(), left.begin(), left.end());
  for (std::size_t i = 1; i < words.size(); ++i) {
    const std::string whole = words[i - 1] + " " + words[i];
    if (words[i - 1].find_first_of("0123456789") == 0 && parse_limit(whole))
      return " An amount is one word, in quotes: \"" + whole + "\".";
  }
  return "";
}

/// What no command takes: an option that is misspelt, a word too many.
std::string not_taken(const CLI::App& app) {
  const Inside at = inside(app);
  const std::vector<std::string> words = app.remaining(/*recurse=*/true);
  const std::string word = words.empty() ? "" : words.front();
  const std::string amount = torn_amount(*at.command, words);
  return "`" + at.path + "` takes no " + (word.starts_with('-') ? "option " : "\"") + word +
         (word.starts_with('-') ? "." : "\".") + (amount.empty() ? meant(*at.command, word) : amount) +
         " What it takes: " + at.path + " --help";
}

/// Where a command is missing, or another word stands in its place: what was found, and what is accepted. "": none is.
std::string missing_command(const Inside& at) {
  if (at.command->get_require_subcommand_min() == 0) return "";
  const std::vector<std::string> words = at.command->remaining();
  std::string names;
  for (const CLI::App* command : commands_of(*at.command))
    names += (names.empty() ? "" : ", ") + command->get_name();
  if (words.empty() || words.front().starts_with('-'))
    return "`" + at.path + "` wants a command: " + names + ". More: " + at.path + " --help";
  constexpr std::string_view program = "farthing";
  const std::string path = at.path == program ? "" : at.path.substr(program.size() + 1) + " ";
  return "there is no command `" + path + words.front() + "`." + meant(*at.command, words.front()) +
         " There are: " + names;
}

std::string in_capitals(std::string name) {
  std::transform(name.begin(), name.end(), name.begin(),
                 [](char c) { return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c; });
  return name;
}

std::string missing_arguments(const Inside& at) {
  std::string wanted, found;
  for (const CLI::Option* option : at.command->get_options()) {
    if (!option->get_positional()) continue;
    for (const std::string& word : option->results())
      found += (found.empty() ? "" : ", ") + in_capitals(option->get_name()) + " = \"" + word + "\"";
    if (!option->get_required() || option->count() > 0) continue;
    wanted += (wanted.empty() ? " wants " : " and ") + in_capitals(option->get_name()) + " (" +
              option->get_description() + ")";
  }
  if (wanted.empty()) return "";
  return "`" + at.path + "`" + wanted + "; found " + (found.empty() ? "nothing" : "only " + found) + "." + more(at);
}

/// CLI11's own words begin with the option: "--text: 1 required TEXT missing".
const CLI::Option* option_of(const Inside& at, const std::string& words) {
  const std::string name = words.substr(0, words.find_first_of(": "));
  return at.command->get_option_no_throw(name);
}

}  // namespace

std::string usage_error(const CLI::App& app, const CLI::ParseError& error) {
  const Inside at = inside(app);
  const std::string words = error.what();
  if (dynamic_cast<const CLI::ExtrasError*>(&error) != nullptr) return not_taken(app);
  // An option that is not taken leaves its value to an argument, which may not go with the others: the option is what is wrong.
  if (const std::vector<std::string> left = app.remaining(/*recurse=*/true);
      dynamic_cast<const CLI::ExcludesError*>(&error) != nullptr && !left.empty() && left.front().starts_with('-'))
    return not_taken(app);
  if (dynamic_cast<const CLI::RequiredError*>(&error) != nullptr) {
    if (std::string problem = missing_command(at); !problem.empty()) return problem;
    if (std::string problem = missing_arguments(at); !problem.empty()) return problem;
  }
  if (const CLI::Option* option = option_of(at, words);
      option != nullptr && dynamic_cast<const CLI::ArgumentMismatch*>(&error) != nullptr) {
    return option->get_name() + " wants a value: " + option->get_description() + "." + more(at);
  }
  // "--a excludes --b", "--a requires --b"
  if (const std::size_t verb = words.find(" excludes "); verb != std::string::npos)
    return words.substr(0, verb) + " does not go with " + words.substr(verb + 10) + "." + more(at);
  if (const std::size_t verb = words.find(" requires "); verb != std::string::npos)
    return words.substr(0, verb) + " goes only with " + words.substr(verb + 10) + "." + more(at);
  return words + "." + more(at);
}

}  // namespace farthing::cli
