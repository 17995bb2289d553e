// [[price]]: own models, locked and future prices, discounts, prices in another currency.
#include <algorithm>
#include <array>
#include <tuple>

#include "policy/reading.h"
#include "policy/text.h"

namespace farthing::policy {
namespace {

constexpr std::array<std::string_view, 22> price_keys = {
    "provider",   "model",         "aliases",       "rates",          "from",
    "until",      "service_tier",  "context_above", "context_window", "max_output_tokens",
    "reasoning",  "discount",      "waive",         "currency",       "rate",
    "rate_date",  "volume",        "volume_from",   "size",           "quality",
    "resolution", "search_context"};
/// What a call says, and its price may go by.
constexpr std::array<std::pair<std::string_view, std::string PriceOverlay::*>, 4> said = {{
    {"size", &PriceOverlay::size},
    {"quality", &PriceOverlay::quality},
    {"resolution", &PriceOverlay::resolution},
    {"search_context", &PriceOverlay::search_context},
}};
constexpr std::array<std::string_view, 3> price_keys_later = {"region", "cache_ttl", "batch"};
/// Not where the price is a discount: it is of the book's prices, on all their terms.
constexpr std::array<std::string_view, 17> not_of_discounts = {
    "rates",       "aliases",  "service_tier", "context_above", "context_window", "max_output_tokens",
    "reasoning",   "currency", "rate",         "rate_date",     "waive",          "volume",
    "volume_from", "size",     "quality",      "resolution",    "search_context"};
/// Those lints of the book (prices/README.md) that one row shows by itself, and that of own prices by what a call says.
constexpr std::array<std::string_view, 7> lints = {"unsaid",
                                                   "digits",
                                                   "absurd",
                                                   "read_at_most_input",
                                                   "read_at_most_write",
                                                   "write_at_most_1h",
                                                   "write_at_most_3_inputs"};
constexpr std::string_view rate_example = R"("0.25 USD per million")";
constexpr std::int64_t most_tokens = 1'000'000'000;
constexpr std::size_t digits_max = 9;
constexpr Rate absurd{1'000 * atto_per_usd, 1'000'000};

/// What one unit of the currency that prices are written in is worth.
struct Currency {
  std::string code = "USD";
  Int128 atto = atto_per_usd;
  std::string rate_text, date;
  bool foreign() const { return code != "USD"; }
};

bool names_a_span(std::string_view rate) {
  return rate.ends_with("second") || rate.ends_with("minute") || rate.ends_with("hour");
}

std::size_t significant_digits(Int128 value) {
  while (value != 0 && value % 10 == 0)
    value /= 10;
  std::size_t digits = 1;
  for (; value >= 10; value /= 10)
    ++digits;
  return digits;
}

/// a x b / 10^18, exact; nothing where it has more decimals or does not fit.
std::optional<Int128> product(Int128 a, Int128 b) {
  Int128 divisor = atto_per_usd;
  for (Int128* factor : {&a, &b}) {
    while (divisor > 1 && *factor != 0 && *factor % 10 == 0) {
      *factor /= 10;
      divisor /= 10;
    }
  }
  Int128 out = 0;
  if (__builtin_mul_overflow(a, b, &out) || out % divisor != 0) return std::nullopt;
  return out / divisor;
}

/// A rate as written, in its currency, and in USD.
struct Written {
  Rate own;
  Rate usd;
};

Result<Written> parse_written(std::string text, const Currency& currency) {
  if (currency.foreign()) {
    const auto at = text.find(currency.code);
    if (at == std::string::npos || text.find('$') != std::string::npos || text.find("USD") != std::string::npos) {
      return Error{Code::invalid_money, "found " + in_quotes(text) + "; accepted: a price in " + currency.code +
                                            ", such as \"0.25 " + currency.code + " per million\""};
    }
    text.replace(at, currency.code.size(), "USD");
  }
  const Result<Rate> own = parse_rate(text);
  if (!own) return own.error();
  const auto usd = product(own->atto, currency.atto);
  if (!usd) {
    return Error{Code::invalid_money, "is in USD no decimal of 18 places at most; write `rate` with fewer decimals"};
  }
  return Written{*own, {*usd, own->per}};
}

void read_rate(Reading& reading, const Node& member, const std::string& path, const Currency& currency,
               PriceOverlay& price) {
  const auto fail = [&](std::string message, Code code = Code::invalid_policy) {
    reading.error(code, member.line, path, std::move(message));
  };
  const auto name = quantity_named(member.key);
  if (!name) {
    const auto words = quantity_words();
    return fail("unknown quantity." + suggestion(member.key, words) + " Accepted here: " + one_of(words));
  }
  if (member.kind != Node::Kind::text) {
    return fail("found " + member.shown() + "; accepted: text such as " + std::string(rate_example));
  }
  const auto text = reading.expand(member, path);
  if (!text) return;
  const Result<Written> rate = parse_written(*text, currency);
  if (!rate) return fail(rate.error().message, rate.error().code);
  // Seconds are counted in ms; a rate for them names a span, and no other does.
  const bool timed = *name == Quantity::video_ms || *name == Quantity::audio_ms;
  if (timed != names_a_span(*text)) {
    return fail("found " + in_quotes(*text) + "; accepted: a price " +
                (timed ? "per second, minute or hour" : "each, or per thousand or million"));
  }
  if (significant_digits(rate->own.atto) > digits_max && !price.waive.contains("digits")) {
    return fail("found " + in_quotes(*text) +
                "; accepted: at most 9 significant digits, as prices are published, or waive = { digits = \"why\" }");
  }
  const bool tokens = quantity_text(*name).ends_with("_tokens");
  if (tokens && dearer(rate->usd, absurd) && !price.waive.contains("absurd")) {
    return fail("found " + in_quotes(*text) +
                "; accepted: at most 1000 USD per million tokens, or waive = { absurd = \"why\" }");
  }
  const auto same = [&](const auto& other) { return other.first == *name; };
  if (std::any_of(price.rates.begin(), price.rates.end(), same)) return fail("is written twice");
  price.rates.emplace_back(*name, rate->usd);
}

std::optional<std::int64_t> read_date(Fields& fields, std::string_view key) {
  const Node* node = fields.find(key);
  if (node == nullptr) return std::nullopt;
  const bool date = node->kind == Node::Kind::date || node->kind == Node::Kind::text;
  const auto at = date ? date_ms(node->text, fields.reading().timezone) : std::nullopt;
  if (!at) {
    fields.bad(key, "found " + node->shown() + "; accepted: a date such as 2026-12-01, or a time such as " +
                        "2026-12-01T08:00:00Z");
  }
  return at;
}

/// Prices of caches against those of input, within one price: as the book's (prices/README.md).
void check_caches(Fields& fields, const PriceOverlay& price) {
  const auto rate = [&](Quantity quantity) -> const Rate* {
    for (const auto& [each, value] : price.rates) {
      if (each == quantity) return &value;
    }
    return nullptr;
  };
  const auto order = [&](std::string_view lint, Quantity low, Quantity high, int times) {
    const Rate* a = rate(low);
    const Rate* b = rate(high);
    if (a == nullptr || b == nullptr || price.waive.contains(std::string(lint))) return;
    if (!dearer(*a, {b->atto * times, b->per})) return;
    fields.bad("rates", std::string(quantity_text(low)) + " " + to_text(*a) + " is above " +
                            (times == 1 ? "" : std::to_string(times) + " times ") + std::string(quantity_text(high)) +
                            " " + to_text(*b) + "; accepted: at most that, or waive = { " + std::string(lint) +
                            " = \"why\" }");
  };
  order("read_at_most_input", Quantity::cache_read_tokens, Quantity::input_tokens, 1);
  order("read_at_most_write", Quantity::cache_read_tokens, Quantity::cache_write_tokens, 1);
  order("write_at_most_1h", Quantity::cache_write_tokens, Quantity::cache_write_1h_tokens, 1);
  order("write_at_most_3_inputs", Quantity::cache_write_tokens, Quantity::input_tokens, 3);
  order("write_at_most_3_inputs", Quantity::cache_write_1h_tokens, Quantity::input_tokens, 3);
}

void read_waive(Fields& fields, PriceOverlay& price) {
  for (const Node* member : fields.members("waive", R"({ absurd = "why" })")) {
    const std::string path = fields.path("waive") + "." + member->key;
    Reading& reading = fields.reading();
    if (std::find(lints.begin(), lints.end(), member->key) == lints.end()) {
      reading.error(Code::invalid_policy, member->line, path, "unknown lint; " + not_among(member->key, lints));
    } else if (member->kind != Node::Kind::text || member->text.empty()) {
      reading.error(Code::invalid_policy, member->line, path, "accepted: why a person accepts it, as text");
    } else if (auto why = reading.expand(*member, path)) {
      price.waive.emplace(member->key, std::move(*why));
    }
  }
}

/// `currency`, `rate` and `rate_date` belong together.
std::optional<Currency> read_currency(Fields& fields) {
  Currency currency;
  const auto code = fields.filled("currency", "\"EUR\"");
  const auto rate = fields.filled("rate", "\"1.08 USD\"");
  const bool dated = read_date(fields, "rate_date").has_value();
  if (!fields.has("currency")) {
    if (fields.has("rate")) fields.missing("currency", "currency = \"EUR\"");
    if (fields.has("rate_date")) fields.missing("currency", "currency = \"EUR\"");
    return fields.has("rate") || fields.has("rate_date") ? std::nullopt : std::optional(currency);
  }
  const auto capital = [](char c) { return c >= 'A' && c <= 'Z'; };
  bool good = code && code->size() == 3 && std::all_of(code->begin(), code->end(), capital) && *code != "USD";
  if (code && !good) {
    fields.bad("currency",
               "found " + in_quotes(*code) + "; accepted: three capital letters other than USD, such as \"EUR\"");
  }
  if (!fields.has("rate")) fields.missing("rate", "rate = \"1.08 USD\", what one of it is worth");
  if (!fields.has("rate_date")) fields.missing("rate_date", "rate_date = 2026-11-20, the day of that rate");
  good = good && rate && dated;
  if (rate) {
    const Result<Rate> worth = parse_rate(*rate + " each");
    if (!worth || worth->atto <= 0 || significant_digits(worth->atto) > digits_max) {
      fields.bad("rate", "found " + in_quotes(*rate) +
                             "; accepted: what one of the currency is worth, more than nothing, with at most 9 "
                             "significant digits, such as \"1.08 USD\"");
      return std::nullopt;
    }
    currency.atto = worth->atto;
    currency.rate_text = *rate;
  }
  if (!good) return std::nullopt;
  currency.code = *code;
  currency.date = fields.find("rate_date")->text;
  return currency;
}

/// "15 %", "12.5%", in millionths; four decimals at most.
std::optional<std::int64_t> percent_ppm(std::string_view text) {
  if (text.empty() || text.back() != '%') return std::nullopt;
  text.remove_suffix(1);
  while (!text.empty() && text.back() == ' ')
    text.remove_suffix(1);
  const std::size_t point = std::min(text.find('.'), text.size());
  const std::string_view decimals = point < text.size() ? text.substr(point + 1) : std::string_view();
  if (point < 1 || point > 2 || decimals.size() > 4 || (point < text.size() && decimals.empty())) return std::nullopt;
  std::string digits(text.substr(0, point));
  digits.append(decimals).append(4 - decimals.size(), '0');
  if (digits.find_first_not_of("0123456789") != std::string::npos) return std::nullopt;
  std::int64_t ppm = 0;
  for (const char c : digits)
    ppm = ppm * 10 + (c - '0');
  return ppm > 0 ? std::optional(ppm) : std::nullopt;
}

/// The cap that counts the volume, and how much of it this price begins at.
void read_volume(Fields& fields, PriceOverlay& price) {
  price.volume_cap = fields.filled("volume", "\"acme-tokens\", the id of a cap").value_or("");
  const auto from = fields.filled("volume_from", "\"100_000_000 tokens\"");
  if (fields.has("volume") != fields.has("volume_from")) {
    return fields.has("volume")
               ? fields.missing("volume_from", "volume_from = \"100_000_000 tokens\"")
               : fields.missing("volume", "volume = \"acme-tokens\", the id of the cap that counts it");
  }
  if (!from) return;
  const auto amount = parse_limit(*from, fields.reading().units);
  if (!amount) return fields.bad("volume_from", amount.error().message, amount.error().code);
  if (amount->value <= 0 || amount->meter == Meter::concurrent) {
    return fields.bad("volume_from", "found " + in_quotes(*from) + "; accepted: more than nothing of what is spent, " +
                                         "such as \"100_000_000 tokens\"");
  }
  price.volume_from = amount->value;
  price.volume_meter = amount->meter;
}

void read_discount(Fields& fields, PriceOverlay& price) {
  const auto text = fields.filled("discount", "\"15 %\"");
  if (text) {
    const auto ppm = percent_ppm(*text);
    if (!ppm) {
      fields.bad("discount", "found " + in_quotes(*text) +
                                 "; accepted: more than 0 and less than 100 percent, four decimals at most, such as "
                                 "\"15 %\"; what costs nothing has rates of \"0 USD per million\"");
    }
    price.discount_ppm = ppm.value_or(1);
  }
  for (const std::string_view key : not_of_discounts) {
    if (fields.has(key))
      fields.bad(key, "a discount is of the book's prices on all their terms; write this in a [[price]] of its own");
  }
}

}  // namespace

std::string percent_text(std::int64_t ppm) {
  std::string text = std::to_string(ppm / 10'000);
  std::string decimals = std::to_string(10'000 + ppm % 10'000).substr(1);
  decimals.erase(decimals.find_last_not_of('0') + 1);
  return text + (decimals.empty() ? "" : "." + decimals) + " %";
}

PriceOverlay read_price(Reading& reading, const Node& node, const std::string& path) {
  Fields fields(reading, node, path, price_keys, price_keys_later);
  PriceOverlay price;
  const bool discount = fields.has("discount");
  for (const auto& [key, value, example] :
       {std::tuple{"provider", &price.provider, "\"acme\""}, std::tuple{"model", &price.model, "\"acme-7b\""}}) {
    *value = fields.filled(key, example).value_or("");
    const bool all = discount && value == &price.model;  // without a model: of all
    if (!fields.has(key) && !all) fields.missing(key, std::string(key) + " = " + example);
  }
  price.from_ms = read_date(fields, "from");
  price.until_ms = read_date(fields, "until");
  if (price.from_ms && price.until_ms && *price.from_ms >= *price.until_ms) {
    fields.bad("until", "is not after `from`");
  }
  if (discount) {
    read_discount(fields, price);
    return price;
  }
  if (price.model.find_first_of("*?") != std::string::npos) {
    fields.bad("model", "found " + in_quotes(price.model) + "; accepted: one model; a pattern only with `discount`");
  }
  price.aliases = fields.texts("aliases", "[\"acme-7b-latest\"]");
  read_waive(fields, price);
  const auto currency = read_currency(fields);
  if (currency) {
    for (const Node* member : fields.members("rates", R"({ input_tokens = "0.20 USD per million" })")) {
      read_rate(reading, *member, fields.path("rates") + "." + member->key, *currency, price);
    }
    check_caches(fields, price);
    if (currency->foreign()) {
      // The document keeps USD, and where they are from.
      price.waive["digits"] = "1 " + currency->code + " = " + currency->rate_text + " of " + currency->date;
    }
  }
  std::sort(price.rates.begin(), price.rates.end(), [](const auto& a, const auto& b) { return a.first < b.first; });
  const Node* rates = fields.find("rates");
  if (rates == nullptr || (rates->kind == Node::Kind::table && rates->items.empty())) {
    fields.missing("rates",
                   R"(rates = { input_tokens = "0.20 USD per million", output_tokens = "0.60 USD per million" }; )"
                   "what costs nothing is written \"0 USD per million\"");
  }
  price.service_tier = fields.filled("service_tier", "\"flex\"").value_or("");
  for (const auto& [key, word] : said)
    price.*word = fields.filled(key, key == "size" ? "\"1024x1024\"" : "\"high\"").value_or("");
  read_volume(fields, price);
  price.context_above = fields.whole("context_above", 0, most_tokens).value_or(0);
  price.context_window = fields.whole("context_window", 1, most_tokens).value_or(0);
  price.max_output_tokens = fields.whole("max_output_tokens", 1, most_tokens).value_or(0);
  price.reasoning = fields.truth("reasoning");
  return price;
}

}  // namespace farthing::policy
