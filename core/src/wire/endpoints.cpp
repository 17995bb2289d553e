// The endpoints that a policy describes, as rows of the table of dialects.
#include "money/glob.h"
#include "wire/described/described.h"
#include "wire/wire.h"

namespace farthing {

struct EndpointTable::Row {
  EndpointRule rule;
  Dialect dialect;

  explicit Row(EndpointRule described) : rule(std::move(described)) {
    dialect.endpoint = rule.name;
    dialect.modality = rule.modality;
    dialect.operation = rule.operation;
    dialect.has_output = false;
    dialect.path = rule.path;
    dialect.rule = &rule;
  }
};

EndpointTable::EndpointTable() = default;
EndpointTable::EndpointTable(const std::vector<EndpointRule>& rules) {
  for (const EndpointRule& rule : rules)
    rows_.push_back(std::make_shared<const Row>(rule));
}

const Dialect* EndpointTable::find(std::string_view host, std::string_view path) const {
  for (const auto& row : rows_) {
    if (glob_matches(row->rule.host, host) && glob_matches("*" + row->rule.path, path)) return &row->dialect;
  }
  return nullptr;
}

const Dialect* EndpointTable::of(std::string_view name) const {
  for (const auto& row : rows_) {
    if (row->rule.name == name) return &row->dialect;
  }
  return nullptr;
}

std::vector<std::string_view> EndpointTable::names() const {
  std::vector<std::string_view> names;
  for (const auto& row : rows_)
    names.push_back(row->rule.name);
  return names;
}

HostFacts Dialect::host_facts(std::string_view host, const HostTable& hosts) const {
  HostFacts facts = hosts.find(host);
  if (rule == nullptr) return facts;
  if (!rule->provider.empty()) facts.provider = rule->provider;
  if (facts.provider.empty()) facts.provider = rule->host;
  facts.reports_cost = !rule->cost.empty();
  return facts;
}

Result<RequestFacts> Dialect::scan_request(std::string_view body) const {
  return rule != nullptr ? wire::scan_described(*rule, body) : scan(body);
}

AnswerFacts Dialect::read_answer(std::string_view body, const RequestFacts& request) const {
  return rule != nullptr ? wire::read_described(*rule, body, request.asked.value_or(Quantities{})) : read(body);
}

}  // namespace farthing
