#include <algorithm>
#include <sstream>

#include "prices/compiler/fields.h"
#include "prices/compiler/lint.h"
#include "prices/names.h"

namespace farthing::prices_detail {
namespace {

bool is_decimal(std::string_view text) {
  return !text.empty() && text.find_first_not_of("0123456789.") == std::string_view::npos;
}

/// "01:30" as minutes; -1 when it is none.
int minutes_of(std::string_view text) {
  if (text.size() != 5 || text[2] != ':') return -1;
  for (const std::size_t i : {0, 1, 3, 4}) {
    if (text[i] < '0' || text[i] > '9') return -1;
  }
  const int hour = (text[0] - '0') * 10 + (text[1] - '0');
  const int minute = (text[3] - '0') * 10 + (text[4] - '0');
  return hour < 24 && minute < 60 ? hour * 60 + minute : -1;
}

void read_hours(Fields& fields, const toml::table& table, SourceRow& row) {
  const std::string text = fields.text("hours");
  if (text.empty()) return;
  const int from = text.size() == 11 ? minutes_of(text.substr(0, 5)) : -1;
  const int until = text.size() == 11 ? minutes_of(text.substr(6)) : -1;
  if (from < 0 || until < 0 || text[5] != '-' || from == until) {
    return fields.problem(table, "hours is \"" + text + "\"", "two times of the day in UTC, \"01:00-04:00\"");
  }
  row.minute_from = static_cast<std::uint16_t>(from);
  row.minute_until = static_cast<std::uint16_t>(until);
}

void read_per(Fields& fields, const toml::table& table, SourceRow& row) {
  row.per_text = fields.text("per", true);
  if (row.per_text.empty()) return;
  const auto rate = parse_rate("0 USD " + (row.per_text == "each" ? row.per_text : "per " + row.per_text));
  if (rate) {
    row.per = rate->per;
  } else {
    fields.problem(table, "per is \"" + row.per_text + "\"",
                   "each, thousand, million, second, minute, hour or a whole number in double quotes");
  }
}

void read_price(Fields& fields, std::string_view key, const toml::node& node, SourceRow& row) {
  const auto quantity = quantity_of(key);
  if (!quantity) {
    return fields.problem(
        node, "\"" + std::string(key) + "\" is neither a condition nor a quantity",
        "tier, context_above, hours, region, size, quality, resolution, search_context, from, until, per, "
        "or a quantity such as input_tokens, cache_read_tokens, cache_write_tokens, output_tokens");
  }
  const auto* text = node.as_string();
  const auto atto = text != nullptr ? decimal_atto(text->get()) : std::nullopt;
  if (!atto) {
    return fields.problem(node, std::string(key) + " is " + (text != nullptr ? "\"" + text->get() + "\"" : "no text"),
                          "USD as decimal text in double quotes, \"0.25\": at most 18 decimals, no sign, no exponent");
  }
  row.prices.push_back({*quantity, text->get(), *atto});
}

SourceRow read_row(const toml::table& table, const std::string& file, const std::string& who, Problems& problems) {
  Fields fields(table, file, who, problems);
  SourceRow row;
  row.place = fields.place();
  row.tier = fields.text("tier");
  row.region = fields.text("region");
  row.size = fields.text("size");
  row.quality = fields.text("quality");
  row.resolution = fields.text("resolution");
  row.search_context = fields.text("search_context");
  row.context_above = fields.number("context_above");
  read_hours(fields, table, row);
  row.from_ms = fields.instant("from").value_or(always_from);
  row.until_ms = fields.instant("until").value_or(always_until);
  if (row.from_ms >= row.until_ms) fields.problem(table, "until is not after from", "a later until");
  read_per(fields, table, row);
  fields.each_other([&](std::string_view key, const toml::node& node) { read_price(fields, key, node, row); });
  if (row.prices.empty()) fields.problem(table, "there is no price", "at least one quantity");
  return row;
}

SourceModel read_model(const toml::table& table, const std::string& file, const SourceProvider& provider, bool imported,
                       Problems& problems) {
  const auto* named = table.get_as<std::string>("name");
  const std::string who = "model " + (named != nullptr ? named->get() : "without a name");
  Fields fields(table, file, who, problems);
  SourceModel model;
  model.place = fields.place();
  model.provider = provider.name;
  model.imported = imported;
  model.name = fields.text("name", true);
  model.aliases = fields.texts("aliases");
  model.dated = fields.texts("dated");
  model.family = fields.text("family", true);
  model.modality = fields.text("modality", true);
  model.accepts = fields.texts("accepts");
  model.encoding = fields.text("encoding");
  model.overhead = fields.text("overhead");
  model.image_rule = fields.text("image_rule");
  model.context = fields.number("context");
  model.output = fields.number("output");
  model.tokens_per_second = fields.number("tokens_per_second");
  if (model.tokens_per_second == 0) model.tokens_per_second = provider.tokens_per_second;
  model.reasoning = fields.boolean("reasoning");
  model.preview = fields.boolean("preview");
  model.free = fields.boolean("free");
  model.deprecated = fields.date("deprecated");
  model.regions = fields.text_map("regions");
  model.waive = fields.text_map("waive");
  model.source = fields.text("source");
  if (model.source.empty()) model.source = provider.source;
  model.date = fields.date("date");
  if (model.date.empty()) model.date = provider.date;
  // For readers and for prices/check.py, nothing to compile.
  fields.text("note");
  if (model.imported) fields.text("key");  // its name in the table it is from
  fields.text_map("differs");
  fields.tables("rates", [&](const toml::table& row) { model.rows.push_back(read_row(row, file, who, problems)); });
  fields.finish();
  return model;
}

SourceProvider read_provider(const toml::table& table, const std::string& file, Problems& problems) {
  Fields fields(table, file, "provider", problems);
  SourceProvider provider;
  provider.place = fields.place();
  provider.name = fields.text("name", true);
  provider.source = fields.text("source", true);
  provider.date = fields.date("date", true);
  provider.tokens_per_second = fields.number("tokens_per_second", true);
  provider.tiers = fields.texts_map("tiers");
  provider.tier_names = fields.text_map("tier_names");
  provider.aliases = fields.text_map("aliases");
  fields.text("note");
  fields.text_map("tables");  // its names in the public tables, for prices/check.py
  fields.tables("prices_of", [&](const toml::table& inner) {
    Fields of(inner, file, "prices_of of " + provider.name, problems);
    SourcePricesOf taken;
    taken.place = of.place();
    taken.provider = of.text("provider", true);
    taken.prefix = of.text("prefix");
    taken.only = of.texts("only");
    of.text_map("differs");  // for prices/check.py
    of.finish();
    provider.prices_of.push_back(std::move(taken));
  });
  fields.finish();
  return provider;
}

/// The head of an imported file. Where the provider has a file of its own, that one says what the provider does.
SourceProvider read_imported(const toml::table& table, const std::string& file, Problems& problems) {
  Fields fields(table, file, "imported", problems);
  SourceProvider provider;
  provider.place = fields.place();
  provider.name = fields.text("provider", true);
  provider.source = fields.text("source", true);
  provider.date = fields.date("date", true);
  provider.tokens_per_second = fields.number("tokens_per_second");
  provider.tiers = fields.texts_map("tiers");
  provider.tier_names = fields.text_map("tier_names");
  fields.texts("tables");  // what it is from, for readers
  fields.finish();
  return provider;
}

bool has_name(const SourceModel& model, std::string_view name) {
  return model.name == name || std::find(model.aliases.begin(), model.aliases.end(), name) != model.aliases.end();
}

bool taken_by(const Source& source, std::string_view provider, std::string_view name) {
  return std::any_of(source.models.begin(), source.models.end(),
                     [&](const SourceModel& model) { return model.provider == provider && has_name(model, name); });
}

void copy_model(const SourceModel& original, const SourcePricesOf& taken, const SourceProvider& to, Source& source) {
  const std::string name = taken.prefix + original.name;
  if (taken_by(source, to.name, name)) return;  // its own entry wins
  SourceModel copy = original;
  copy.copied = true;
  copy.provider = to.name;
  copy.name = name;
  copy.regions.clear();  // regions are a provider's own, and so are tools
  for (SourceRow& row : copy.rows)
    std::erase_if(row.prices, [](const SourcePrice& price) { return !is_tokens(price.quantity); });
  std::erase_if(copy.rows, [](const SourceRow& row) { return row.prices.empty(); });
  if (copy.rows.empty()) return;  // nothing that is billed by tokens
  copy.tokens_per_second = std::max(copy.tokens_per_second, to.tokens_per_second);
  copy.aliases.clear();
  for (const std::string& alias : original.aliases) {
    if (!taken_by(source, to.name, taken.prefix + alias)) copy.aliases.push_back(taken.prefix + alias);
  }
  source.models.push_back(std::move(copy));
}

void expand_prices_of(Source& source, Problems& problems) {
  for (SourceProvider& provider : source.providers) {
    for (const SourcePricesOf& taken : provider.prices_of) {
      const auto from = std::find_if(source.providers.begin(), source.providers.end(),
                                     [&](const SourceProvider& other) { return other.name == taken.provider; });
      if (from == source.providers.end() || from->name == provider.name) {
        problems.push_back(at(taken.place) + ": prices_of: there is no other provider \"" + taken.provider +
                           "\"; accepted: the name of a provider with a file of its own");
        continue;
      }
      if (provider.tiers.empty()) {
        provider.tiers = from->tiers;
        provider.tier_names = from->tier_names;
      }
      for (const std::string& name : taken.only) {
        if (!taken_by(source, taken.provider, name)) {
          problems.push_back(at(taken.place) + ": prices_of: " + taken.provider + " has no model \"" + name +
                             "\"; accepted: names of its models");
        }
      }
      const std::size_t count = source.models.size();
      source.models.reserve(2 * count);
      for (std::size_t i = 0; i < count; ++i) {
        const SourceModel& model = source.models[i];
        const bool chosen =
            taken.only.empty() || std::find(taken.only.begin(), taken.only.end(), model.name) != taken.only.end();
        if (model.provider == taken.provider && !model.copied && chosen) copy_model(model, taken, provider, source);
      }
    }
  }
}

void add_provider_aliases(Source& source, Problems& problems) {
  for (const SourceProvider& provider : source.providers) {
    for (const auto& [alias, name] : provider.aliases) {
      const auto model = std::find_if(
          source.models.begin(), source.models.end(),
          [&, &wanted = name](const SourceModel& m) { return m.provider == provider.name && m.name == wanted; });
      if (model == source.models.end()) {
        problems.push_back(at(provider.place) + ": alias " + alias + ": there is no model \"" + name +
                           "\"; accepted: the name of a model of " + provider.name);
      } else if (!has_name(*model, alias)) {
        model->aliases.push_back(alias);
      }
    }
  }
}

void read_file(const SourceFile& file, Source& source, Problems& problems) {
  const toml::parse_result parsed = toml::parse(file.text, file.name);
  if (!parsed) {
    const auto& where = parsed.error().source().begin;
    problems.push_back(at({file.name, static_cast<std::uint32_t>(where.line)}) + ": " +
                       std::string(parsed.error().description()) + "; accepted: TOML");
    return;
  }
  Fields fields(parsed.table(), file.name, "file", problems);
  if (const toml::table* book = parsed.table()["book"].as_table()) {
    Fields of(*book, file.name, "book", problems);
    source.date = of.date("date", true);
    of.finish();
  }
  SourceProvider provider;
  const toml::table* own = parsed.table()["provider"].as_table();
  const toml::table* imported = own == nullptr ? parsed.table()["imported"].as_table() : nullptr;
  if (own != nullptr) {
    provider = read_provider(*own, file.name, problems);
    source.providers.push_back(provider);
  } else if (imported != nullptr) {
    provider = read_imported(*imported, file.name, problems);
    source.imported_providers.push_back(provider);
  }
  fields.tables("model", [&](const toml::table& table) {
    if (own == nullptr && imported == nullptr)
      return fields.problem(table, "a model without a provider", "[provider] at the top of the file");
    auto& models = imported != nullptr ? source.imported_models : source.models;
    models.push_back(read_model(table, file.name, provider, imported != nullptr, problems));
  });
  fields.each_other([&](std::string_view key, const toml::node& node) {
    if (key != "book" && key != "provider" && (key != "imported" || imported == nullptr)) {
      fields.problem(node, "the key " + std::string(key) + " is not known",
                     "[book], [provider] or [imported], [[model]]");
    }
  });
}

}  // namespace

const SourcePrice* SourceRow::price(Quantity quantity) const {
  for (const SourcePrice& price : prices) {
    if (price.quantity == quantity) return &price;
  }
  return nullptr;
}

std::optional<Int128> decimal_atto(std::string_view text) {
  if (!is_decimal(text)) return std::nullopt;
  const auto rate = parse_rate(std::string(text) + " USD each");
  if (!rate) return std::nullopt;
  return rate->atto;
}

std::string at(const Place& place) {
  return place.file + ":" + std::to_string(place.line);
}

Source read_source(const std::vector<SourceFile>& files, Problems& problems) {
  Source source;
  for (const SourceFile& file : files)
    read_file(file, source, problems);
  if (source.date.empty())
    problems.emplace_back("price book: [book] is missing; accepted: [book] date = 2026-11-21 in one file");
  expand_prices_of(source, problems);
  add_provider_aliases(source, problems);
  join_imported(source, problems);
  return source;
}

}  // namespace farthing::prices_detail
