// The encodings that are compiled in, and which models use them.
#include "embedded/cl100k_base.h"
#include "embedded/o200k_base.h"
#include "tokens/encoding.h"

namespace farthing {
namespace {

using namespace tokens_detail;
using Family = Pattern::Family;

struct Prefix {
  std::string_view begins;
  std::string_view encoding;
};
/// The first that fits wins. What follows must be nothing or "-" and the like, not a letter, a digit or a point: "o1" is
/// not "o10", "gpt-4" is neither "gpt-4o" nor "gpt-4.9".
constexpr Prefix models[] = {
    {"gpt-oss", "o200k_harmony"},
    {"gpt-5", "o200k_base"},
    {"gpt-5.", "o200k_base"},
    {"gpt-4.5", "o200k_base"},
    {"gpt-4.1", "o200k_base"},
    {"gpt-4o", "o200k_base"},
    {"chatgpt-4o", "o200k_base"},
    {"o1", "o200k_base"},
    {"o3", "o200k_base"},
    {"o4-mini", "o200k_base"},
    {"gpt-4", "cl100k_base"},
    {"gpt-3.5", "cl100k_base"},
    {"gpt-35", "cl100k_base"},  // as Azure writes it
    {"text-embedding-3", "cl100k_base"},
    {"text-embedding-ada-002", "cl100k_base"},
};

bool goes_on(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.';
}

std::vector<std::pair<std::string, std::uint32_t>> harmony_specials() {
  std::vector<std::pair<std::string, std::uint32_t>> specials = {
      {"<|startoftext|>", 199998}, {"<|endoftext|>", 199999}, {"<|endofprompt|>", 200018}, {"<|return|>", 200002},
      {"<|constrain|>", 200003},   {"<|channel|>", 200005},   {"<|start|>", 200006},       {"<|end|>", 200007},
      {"<|message|>", 200008},     {"<|call|>", 200012}};
  const auto reserved = [&](std::uint32_t id) { specials.emplace_back("<|reserved_" + std::to_string(id) + "|>", id); };
  for (const std::uint32_t id : {200000U, 200001U, 200004U, 200009U, 200010U, 200011U})
    reserved(id);
  for (std::uint32_t id = 200013; id < 201088; ++id)
    reserved(id);
  return specials;
}

EncodingPtr make(std::string_view name, const std::shared_ptr<const LazyVocabulary>& vocabulary) {
  Builtin data = *builtin(name);
  return std::make_shared<RankEncoding>(std::string(name), data.pattern, Specials(std::move(data.specials)),
                                        vocabulary);
}

}  // namespace

std::optional<Builtin> tokens_detail::builtin(std::string_view name) {
  constexpr Pattern o200k{Family::o200k, 3, false};
  if (name == "o200k_base") return Builtin{name, o200k, {{"<|endoftext|>", 199999}, {"<|endofprompt|>", 200018}}};
  if (name == "o200k_harmony") return Builtin{name, o200k, harmony_specials()};
  if (name == "cl100k_base") {
    return Builtin{name,
                   {Family::cl100k, 3, true},
                   {{"<|endoftext|>", 100257},
                    {"<|fim_prefix|>", 100258},
                    {"<|fim_middle|>", 100259},
                    {"<|fim_suffix|>", 100260},
                    {"<|endofprompt|>", 100276}}};
  }
  // Compiled in as a way of splitting only: files may be like it.
  if (name == "gpt2") return Builtin{name, {Family::gpt2, 0, false}, {{"<|endoftext|>", 50256}}};
  return std::nullopt;
}

EncodingPtr Encoding::find(std::string_view name) {
  static const auto o200k = std::make_shared<const LazyVocabulary>(&embedded::o200k_base);
  static const auto cl100k = std::make_shared<const LazyVocabulary>(&embedded::cl100k_base);
  static const EncodingPtr all[] = {make("o200k_base", o200k), make("o200k_harmony", o200k),
                                    make("cl100k_base", cl100k)};
  for (const EncodingPtr& each : all) {
    if (each->name() == name) return each;
  }
  return nullptr;
}

std::string_view encoding_name_for_model(std::string_view model) {
  // "openai/gpt-4o", "ft:gpt-4o:org:name:id": the part that names the base.
  if (const std::size_t slash = model.rfind('/'); slash != std::string_view::npos) model.remove_prefix(slash + 1);
  if (model.starts_with("ft:")) model.remove_prefix(3);
  model = model.substr(0, model.find(':'));
  for (const Prefix& each : models) {
    if (!model.starts_with(each.begins)) continue;
    const bool ended = model.size() == each.begins.size() || each.begins.ends_with('.');
    if (ended || !goes_on(model[each.begins.size()])) return each.encoding;
  }
  return "";
}

EncodingPtr encoding_for_model(std::string_view model) {
  return Encoding::find(encoding_name_for_model(model));
}

}  // namespace farthing
