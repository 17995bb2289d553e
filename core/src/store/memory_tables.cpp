#include "store/memory_tables.h"

#include <algorithm>

#include "ledger/pack.h"

namespace farthing {

namespace {

constexpr std::size_t max_spare_holds = 64;

}  // namespace

Status MemoryTables::set_state(const StoreState& state) {
  state_ = state;
  return success();
}

Result<std::int64_t> MemoryTables::find_set(std::string_view key) {
  const auto found = set_of_key_.find(std::string(key));
  return found == set_of_key_.end() ? std::int64_t{0} : found->second;
}

Result<Tables::Entries*> MemoryTables::read_set(std::int64_t row, Entries& room) {
  if (row > 0 && static_cast<std::size_t>(row) <= sets_.size())
    return &sets_[static_cast<std::size_t>(row) - 1].entries;
  room.clear();
  return &room;
}

Status MemoryTables::write_set(std::int64_t row, const Entries& entries) {
  Entries& own = sets_[static_cast<std::size_t>(row) - 1].entries;
  if (&own != &entries) own = entries;
  return success();
}

Result<std::int64_t> MemoryTables::add_set(std::string_view key, const std::vector<std::string>& each_values,
                                           const Entries& entries) {
  // Rows are never used again, so that a cached number cannot name another set.
  const auto row = static_cast<std::int64_t>(sets_.size()) + 1;
  sets_.push_back({row, std::string(key), each_values, entries});
  set_of_key_.emplace(key, row);
  return row;
}

Result<std::vector<std::string>> MemoryTables::each_values(std::int64_t row) {
  return sets_[static_cast<std::size_t>(row) - 1].each_values;
}

Status MemoryTables::erase_set(std::int64_t row) {
  SetRow& set = sets_[static_cast<std::size_t>(row) - 1];
  set_of_key_.erase(set.key);
  set = SetRow{};
  return success();
}

Result<std::vector<SetRow>> MemoryTables::sets() {
  std::vector<SetRow> result;
  std::copy_if(sets_.begin(), sets_.end(), std::back_inserter(result),
               [](const SetRow& set) { return !set.key.empty(); });
  return result;
}

void MemoryTables::PackedRow::keep(const LedgerRow& row) {
  context = row.context;
  own.clear();
  pack_own(row, own);
}

LedgerRow MemoryTables::PackedRow::whole() const {
  return unpack_own(own, context);
}

std::deque<MemoryTables::Place>::iterator MemoryTables::place_of(std::uint64_t id) {
  if (places_.empty() || places_.back().id < id) return places_.end();
  if (places_.front().id >= id) return places_.begin();
  return std::lower_bound(places_.begin(), places_.end(), id,
                          [](const Place& place, std::uint64_t wanted) { return place.id < wanted; });
}

const MemoryTables::KeptRow* MemoryTables::row_of(AttemptId id) {
  const auto place = place_of(id.value);
  return place == places_.end() || place->id != id.value ? nullptr : &row_at(place->row);
}

Result<std::optional<How>> MemoryTables::known(AttemptId id) {
  if (holds_.count(id.value) != 0) return std::optional(How::open);
  const KeptRow* const row = row_of(id);
  return row == nullptr ? std::optional<How>() : row->how;
}

Status MemoryTables::add_hold(const HoldRow& hold, const LedgerRow& draft) {
  Hold* added = nullptr;
  if (holds_.find(hold.id.value) == holds_.end()) {
    if (spare_holds_.empty()) {
      added = &holds_[hold.id.value];
    } else {
      spare_holds_.back().key() = hold.id.value;
      added = &holds_.insert(std::move(spare_holds_.back())).position->second;
      spare_holds_.pop_back();
    }
  }
  if (added == nullptr)
    return Error{Code::invalid_argument, "there is a hold of attempt " + to_text(hold.id) + " already"};
  added->row = hold;
  added->draft.keep(draft);
  return success();
}

Result<std::optional<std::pair<HoldRow, LedgerRow>>> MemoryTables::find_hold(AttemptId id) {
  const auto found = holds_.find(id.value);
  if (found == holds_.end()) return std::optional<std::pair<HoldRow, LedgerRow>>();
  return std::optional(std::pair(found->second.row, found->second.draft.whole()));
}

Result<bool> MemoryTables::take_hold(AttemptId id, HoldRow& taken) {
  const auto found = holds_.find(id.value);
  if (found == holds_.end()) return false;
  std::swap(taken, found->second.row);
  found->second.draft.context.reset();
  if (spare_holds_.size() < max_spare_holds) {
    spare_holds_.push_back(holds_.extract(found));
  } else {
    holds_.erase(found);
  }
  return true;
}

Result<std::vector<std::pair<HoldRow, LedgerRow>>> MemoryTables::holds() {
  std::vector<std::pair<HoldRow, LedgerRow>> result;
  result.reserve(holds_.size());
  for (const auto& [id, hold] : holds_)
    result.emplace_back(hold.row, hold.draft.whole());
  std::sort(result.begin(), result.end(), [](const auto& a, const auto& b) { return a.first.id < b.first.id; });
  return result;
}

MemoryTables::KeptRow& MemoryTables::next_row() {
  if (ledger_.size() < max_rows) return ledger_.emplace_back();
  KeptRow& oldest = ledger_[dropped_++ % max_rows];
  places_.erase(place_of(oldest.id.value));
  return oldest;
}

Status MemoryTables::add_row(const LedgerRow& row) {
  const auto place = place_of(row.id.value);
  if (place != places_.end() && place->id == row.id.value)
    return Error{Code::invalid_argument, "there is an entry " + to_text(row.id) + " already"};
  places_.insert(place, {row.id.value, end_of_rows()});
  KeptRow& kept = next_row();
  kept.id = row.id;
  kept.of = row.of;
  kept.reserved_ms = row.reserved_ms;
  kept.kind = row.kind;
  kept.how = row.how;
  kept.row.keep(row);
  return success();
}

Result<std::optional<LedgerRow>> MemoryTables::find_row(AttemptId id) {
  const KeptRow* const row = row_of(id);
  return row == nullptr ? std::optional<LedgerRow>() : row->row.whole();
}

Result<std::vector<LedgerRow>> MemoryTables::adjustments(AttemptId of) {
  std::vector<LedgerRow> result;
  for (std::uint64_t place = dropped_; place < end_of_rows(); ++place) {
    const KeptRow& row = row_at(place);
    if (row.kind == RowKind::adjust && row.of == of) result.push_back(row.row.whole());
  }
  return result;
}

std::optional<std::int64_t> MemoryTables::ledger_from_ms() const {
  return dropped_ == 0 ? std::nullopt : std::optional(row_at(dropped_).reserved_ms);
}

Result<bool> MemoryTables::booked_before(std::string_view adjustment) {
  return !adjustment.empty() && std::any_of(ledger_.begin(), ledger_.end(), [adjustment](const KeptRow& row) {
    return row.kind != RowKind::attempt && row.row.whole().adjustment == adjustment;
  });
}

Status MemoryTables::scan(const LedgerFilter& filter, const std::function<bool(const LedgerRow&)>& visit) {
  const auto wanted = [&](const KeptRow& row) {
    return (!filter.since_ms || row.reserved_ms >= *filter.since_ms) &&
           (!filter.until_ms || row.reserved_ms < *filter.until_ms) &&
           (!filter.id || row.id == *filter.id || row.of == *filter.id);
  };
  for (std::uint64_t place = end_of_rows(); place-- > dropped_;) {
    if (wanted(row_at(place)) && !visit(row_at(place).row.whole())) break;
  }
  return success();
}

Result<std::optional<std::string>> MemoryTables::fact(std::string_view kind, std::string_view key) {
  const auto found = facts_.find(std::pair(std::string(kind), std::string(key)));
  return found == facts_.end() ? std::optional<std::string>() : found->second;
}

Status MemoryTables::put_fact(std::string_view kind, std::string_view key, std::string_view value) {
  facts_[{std::string(kind), std::string(key)}] = value;
  return success();
}

Status MemoryTables::erase_fact(std::string_view kind, std::string_view key) {
  facts_.erase({std::string(kind), std::string(key)});
  return success();
}

Result<std::vector<std::pair<std::string, std::string>>> MemoryTables::facts(std::string_view kind) {
  std::vector<std::pair<std::string, std::string>> result;
  for (auto fact = facts_.lower_bound(std::pair(std::string(kind), std::string()));
       fact != facts_.end() && fact->first.first == kind; ++fact) {
    result.emplace_back(fact->first.second, fact->second);
  }
  return result;
}

Result<std::optional<Learned>> MemoryTables::learned(std::uint64_t key) {
  const auto found = learned_.find(key);
  return found == learned_.end() ? std::optional<Learned>() : found->second;
}

Status MemoryTables::put_learned(std::uint64_t key, const Learned& row) {
  learned_[key] = row;
  return success();
}

Status MemoryTables::erase_oldest_learned(std::int64_t count) {
  std::vector<std::pair<std::int64_t, std::uint64_t>> used;
  used.reserve(learned_.size());
  for (const auto& [key, row] : learned_)
    used.emplace_back(row.used_ms, key);
  const auto end = used.begin() + std::min<std::int64_t>(count, static_cast<std::int64_t>(used.size()));
  std::partial_sort(used.begin(), end, used.end());
  std::for_each(used.begin(), end, [this](const auto& oldest) { learned_.erase(oldest.second); });
  return success();
}

}  // namespace farthing
