#include "store/memory_tables.h"

#include <algorithm>

namespace farthing {

Status MemoryTables::set_state(const StoreState& state) {
  state_ = state;
  return success();
}

Result<std::int64_t> MemoryTables::find_set(std::string_view key) {
  const auto found = set_of_key_.find(std::string(key));
  return found == set_of_key_.end() ? std::int64_t{0} : found->second;
}

Status MemoryTables::read_set(std::int64_t row, Entries& entries) {
  if (row > 0 && static_cast<std::size_t>(row) <= sets_.size()) {
    entries = sets_[static_cast<std::size_t>(row) - 1].entries;
  } else {
    entries.clear();
  }
  return success();
}

Status MemoryTables::write_set(std::int64_t row, const Entries& entries) {
  sets_[static_cast<std::size_t>(row) - 1].entries = entries;
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

Result<std::optional<How>> MemoryTables::known(AttemptId id) {
  if (holds_.count(id.value) != 0) return std::optional(How::open);
  const auto found = row_of_id_.find(id.value);
  return found == row_of_id_.end() ? std::optional<How>() : ledger_[found->second - dropped_].how;
}

Status MemoryTables::add_hold(HoldRow&& hold, LedgerRow&& draft) {
  const AttemptId id = hold.id;
  if (!holds_.try_emplace(id.value, std::move(hold), std::move(draft)).second) {
    return Error{Code::invalid_argument, "there is a hold of attempt " + to_text(id) + " already"};
  }
  return success();
}

Result<std::optional<std::pair<HoldRow, LedgerRow>>> MemoryTables::find_hold(AttemptId id) {
  const auto found = holds_.find(id.value);
  if (found == holds_.end()) return std::optional<std::pair<HoldRow, LedgerRow>>();
  return std::optional(found->second);
}

Result<std::optional<HoldRow>> MemoryTables::take_hold(AttemptId id) {
  const auto found = holds_.find(id.value);
  if (found == holds_.end()) return std::optional<HoldRow>();
  std::optional<HoldRow> taken(std::move(found->second.first));
  holds_.erase(found);
  return taken;
}

Result<std::vector<std::pair<HoldRow, LedgerRow>>> MemoryTables::holds() {
  std::vector<std::pair<HoldRow, LedgerRow>> result;
  result.reserve(holds_.size());
  for (const auto& [id, hold] : holds_)
    result.push_back(hold);
  std::sort(result.begin(), result.end(), [](const auto& a, const auto& b) { return a.first.id < b.first.id; });
  return result;
}

Status MemoryTables::add_row(LedgerRow&& row) {
  if (!row_of_id_.try_emplace(row.id.value, dropped_ + ledger_.size()).second) {
    return Error{Code::invalid_argument, "there is an entry " + to_text(row.id) + " already"};
  }
  ledger_.push_back(std::move(row));
  if (ledger_.size() > max_rows) {
    row_of_id_.erase(ledger_.front().id.value);
    ledger_.pop_front();
    ++dropped_;
  }
  return success();
}

Result<std::optional<LedgerRow>> MemoryTables::find_row(AttemptId id) {
  const auto found = row_of_id_.find(id.value);
  if (found == row_of_id_.end()) return std::optional<LedgerRow>();
  return std::optional(ledger_[found->second - dropped_]);
}

Result<std::vector<LedgerRow>> MemoryTables::adjustments(AttemptId of) {
  std::vector<LedgerRow> result;
  std::copy_if(ledger_.begin(), ledger_.end(), std::back_inserter(result),
               [of](const LedgerRow& row) { return row.kind == RowKind::adjust && row.of == of; });
  return result;
}

std::optional<std::int64_t> MemoryTables::ledger_from_ms() const {
  return dropped_ == 0 ? std::nullopt : std::optional(ledger_.front().reserved_ms);
}

Result<bool> MemoryTables::booked_before(std::string_view adjustment) {
  return std::any_of(ledger_.begin(), ledger_.end(), [adjustment](const LedgerRow& row) {
    return !adjustment.empty() && row.adjustment == adjustment;
  });
}

Status MemoryTables::scan(const LedgerFilter& filter, const std::function<bool(const LedgerRow&)>& visit) {
  const auto wanted = [&](const LedgerRow& row) {
    return (!filter.since_ms || row.reserved_ms >= *filter.since_ms) &&
           (!filter.until_ms || row.reserved_ms < *filter.until_ms) &&
           (!filter.id || row.id == *filter.id || row.of == *filter.id);
  };
  for (std::size_t i = ledger_.size(); i-- > 0;) {
    if (wanted(ledger_[i]) && !visit(ledger_[i])) break;
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
