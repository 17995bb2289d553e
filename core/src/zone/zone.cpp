#include "zone/zone.h"

#include <algorithm>
#include <bit>
#include <cassert>
#include <cstring>
#include <numeric>
#include <vector>

#include "embedded/zones.h"

namespace farthing {
namespace {

static_assert(std::endian::native == std::endian::little, "the table is read in place");

// The rows of make_zones.py.
struct Header {
  char magic[8];
  std::uint32_t names, zones, spans, moments, offsets, text;
  char version[16];
};
struct NameRow {
  std::uint32_t text;
  std::uint16_t length, zone;
};
struct ZoneRow {
  std::int32_t first_offset;
  std::uint32_t old_span, new_span;
};
struct SpanRow {
  std::uint32_t first, count;
};

template <class Row>
class Column {
 public:
  Column(const char*& place, std::uint32_t count) : begin_(place), count_(count) {
    place += std::size_t{count} * sizeof(Row);
  }
  std::uint32_t size() const { return count_; }
  Row operator[](std::uint32_t i) const {
    assert(i < count_);
    Row row;
    std::memcpy(&row, begin_ + std::size_t{i} * sizeof(Row), sizeof(Row));
    return row;
  }
  const char* data() const { return begin_; }

 private:
  const char* begin_;
  std::uint32_t count_;
};

struct Table {
  explicit Table(const char* place)
      : header([&] {
          Header h;
          std::memcpy(&h, place, sizeof h);
          place += sizeof h;
          return h;
        }()),
        moments(place, header.moments),
        names(place, header.names),
        zones(place, header.zones),
        spans(place, header.spans),
        offsets(place, header.offsets),
        which(place, header.moments),
        text(place, header.text) {
    assert(std::string_view(header.magic, 8) == "FZONES01");
    assert(place == embedded::zones().data() + embedded::zones().size());
  }

  std::string_view name(std::uint32_t i) const {
    const NameRow row = names[i];
    return {text.data() + row.text, row.length};
  }
  /// How many moments of a span are not after `at`.
  std::uint32_t passed(SpanRow span, std::int64_t at) const {
    std::uint32_t low = 0;
    std::uint32_t high = span.count;
    while (low < high) {
      const std::uint32_t middle = low + (high - low) / 2;
      if (moments[span.first + middle] <= at) {
        low = middle + 1;
      } else {
        high = middle;
      }
    }
    return low;
  }
  std::int64_t offset_of(std::uint32_t moment) const { return offsets[which[moment]]; }

  Header header;
  Column<std::int64_t> moments;
  Column<NameRow> names;
  Column<ZoneRow> zones;
  Column<SpanRow> spans;
  Column<std::int32_t> offsets;
  Column<std::uint16_t> which;
  Column<char> text;
};

const Table& table() {
  static const Table it(embedded::zones().data());
  return it;
}

/// A stretch of time with one offset: from `begin` to before `end`.
struct Stretch {
  std::int64_t begin, end, offset;
};

constexpr std::int64_t forever = std::int64_t{1} << 60;

/// The stretches of a zone that overlap [from, until], in order.
std::vector<Stretch> stretches(const Table& t, ZoneRow zone, std::int64_t from, std::int64_t until) {
  std::vector<Stretch> found;
  std::int64_t begin = -forever;
  std::int64_t offset = zone.first_offset;
  for (const std::uint32_t span_number : {zone.old_span, zone.new_span}) {
    const SpanRow span = t.spans[span_number];
    std::uint32_t i = t.passed(span, from);
    if (i > 0) {
      begin = t.moments[span.first + i - 1];
      offset = t.offset_of(span.first + i - 1);
    }
    for (; i < span.count && t.moments[span.first + i] <= until; ++i) {
      const std::int64_t at = t.moments[span.first + i];
      found.push_back({begin, at, offset});
      begin = at;
      offset = t.offset_of(span.first + i);
    }
  }
  found.push_back({begin, forever, offset});
  return found;
}

char lower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

/// Edits (insert, delete, replace) from one word to the other; case does not count.
std::size_t distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> row(b.size() + 1);
  std::iota(row.begin(), row.end(), std::size_t{0});
  for (std::size_t i = 0; i < a.size(); ++i) {
    std::size_t diagonal = row[0];
    row[0] = i + 1;
    for (std::size_t j = 0; j < b.size(); ++j) {
      const std::size_t replaced = diagonal + (lower(a[i]) == lower(b[j]) ? 0 : 1);
      diagonal = row[j + 1];
      row[j + 1] = std::min({replaced, row[j] + 1, row[j + 1] + 1});
    }
  }
  return row.back();
}

}  // namespace

std::optional<Zone> Zone::find(std::string_view name) {
  const Table& t = table();
  std::uint32_t low = 0;
  std::uint32_t high = t.names.size();
  while (low < high) {
    const std::uint32_t middle = low + (high - low) / 2;
    if (t.name(middle) < name) {
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  if (low == t.names.size() || t.name(low) != name) return std::nullopt;
  return Zone(t.name(low), t.names[low].zone);
}

Zone Zone::utc() {
  return *find("UTC");
}

std::string_view Zone::data_version() {
  const char* version = table().header.version;
  return {version, strnlen(version, sizeof(Header::version))};
}

std::string Zone::suggest(std::string_view unknown) {
  const Table& t = table();
  std::string_view best;
  std::size_t best_distance = unknown.size() / 3 + 2;  // farther is not near
  for (std::uint32_t i = 0; i < t.names.size(); ++i) {
    const std::string_view name = t.name(i);
    const std::string_view city = name.substr(name.rfind('/') + 1);  // "Berlin" and "germany/berlin" mean Europe/Berlin
    const std::string_view given_city = unknown.substr(unknown.rfind('/') + 1);
    std::size_t d = distance(name, unknown);
    if (given_city.size() > 2) d = std::min(d, distance(city, given_city) + 1);
    if (d < best_distance) {
      best_distance = d;
      best = name;
    }
  }
  return std::string(best);
}

std::int64_t Zone::utc_offset_at(std::int64_t unix_seconds) const {
  const Table& t = table();
  const ZoneRow zone = t.zones[row_];
  for (const std::uint32_t span_number : {zone.new_span, zone.old_span}) {
    const SpanRow span = t.spans[span_number];
    const std::uint32_t passed = t.passed(span, unix_seconds);
    if (passed > 0) return t.offset_of(span.first + passed - 1);
  }
  return zone.first_offset;
}

std::int64_t Zone::to_unix(int year, int month, int day, int hour, int minute, int second) const {
  const std::int64_t local = days_from_civil(year, month, day) * 86400 + hour * 3600 + minute * 60 + second;
  constexpr std::int64_t largest_offset = 26 * 3600;
  const Table& t = table();
  const auto found = stretches(t, t.zones[row_], local - largest_offset, local + largest_offset);
  for (const Stretch& stretch : found) {
    const std::int64_t at = local - stretch.offset;
    // Before the beginning and not in an earlier stretch: it fell into the gap at the beginning.
    if (at < stretch.end) return std::max(at, stretch.begin);
  }
  return local - found.back().offset;
}

}  // namespace farthing
