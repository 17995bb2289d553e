// The extension module `farthing._farthing`: converts, calls the core, converts back. The package python/farthing/ is what
// people use.
#include "convert.h"

#include <functional>

#include "farthing/count.h"
#include "farthing/guard.h"
#include "farthing/labels.h"
#include "farthing/moment.h"
#include "farthing/policy.h"
#include "farthing_command.h"

namespace farthing::python {

namespace {

py::tuple counted(Result<InputCount> result) {
  const InputCount count = value_or_raise(std::move(result));
  py::list parts;
  for (const CountPart& part : count.parts)
    parts.append(py::make_tuple(text(part.what), part.tokens));
  return py::make_tuple(count.tokens, text(confidence_of(count)), parts);
}

/// "": what is built in.
Result<KnownModels> models_of(const std::string& policy_file) {
  if (policy_file.empty()) return KnownModels{};
  const PolicyOrProblems read = policy_from_file(policy_file);
  if (!read.ok()) raise_problems(read.problems);
  return unlocked([&] { return known_models(*read.policy); });
}

py::tuple count(const std::string& policy_file, const std::function<Result<InputCount>(const KnownModels&)>& with) {
  const KnownModels known = value_or_raise(models_of(policy_file));
  return counted(unlocked([&] { return with(known); }));
}

}  // namespace

}  // namespace farthing::python

PYBIND11_MODULE(_farthing, m) {
  using namespace farthing;
  m.attr("__version__") = FARTHING_VERSION;
  pybind11::tuple set_names(set_kinds.size() + 1);
  for (std::size_t i = 0; i < set_kinds.size(); ++i)
    set_names[i] = python::text(set_kinds[i]);
  set_names[set_kinds.size()] = "api_key";
  m.attr("SET_BY_FARTHING") = set_names;
  m.def(
      "parse_usd", [](std::string_view amount) { return to_text(python::value_or_raise(parse_usd(amount))); },
      pybind11::arg("text"));
  m.def(
      "parse_rate", [](std::string_view rate) { return to_text(python::value_or_raise(parse_rate(rate))); },
      pybind11::arg("text"));
  m.def(
      "parse_moment",
      [](std::string_view text, std::int64_t now_ms, std::string_view zone, bool past) {
        return python::value_or_raise(parse_moment(text, {.now_ms = now_ms, .zone = zone, .past = past}));
      },
      pybind11::arg("text"), pybind11::arg("now_ms"), pybind11::arg("zone"), pybind11::arg("past"));
  m.def(
      "default_store", [](const std::string& folder) { return python::value_or_raise(default_store(folder)); },
      pybind11::arg("main_folder"));
  m.def(
      "count_text",
      [](const std::string& model, const std::string& text, const std::string& policy) {
        return python::count(policy, [&](const KnownModels& known) { return count_text(model, text, known); });
      },
      pybind11::arg("model"), pybind11::arg("text"), pybind11::arg("policy"));
  m.def(
      "count_request",
      [](const std::string& model, const std::string& body, const std::string& endpoint, const std::string& policy) {
        return python::count(policy,
                             [&](const KnownModels& known) { return count_request(model, body, endpoint, known); });
      },
      pybind11::arg("model"), pybind11::arg("body"), pybind11::arg("endpoint"), pybind11::arg("policy"));
  m.def(
      "run_command",
      [](const pybind11::typing::List<pybind11::bytes>& arguments) {
        std::vector<std::string> texts;
        for (const pybind11::handle& argument : arguments)
          texts.push_back(argument.cast<std::string>());
        std::vector<const char*> words;
        words.reserve(texts.size());
        for (const std::string& text : texts)
          words.push_back(text.c_str());
        return python::unlocked([&] { return cli::run_command(static_cast<int>(words.size()), words.data()); });
      },
      pybind11::arg("arguments"));
  python::bind_guard(m);
  python::bind_attempt(m);
}
