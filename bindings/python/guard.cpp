// `_farthing.Guard` and `_farthing.Scope`: opening, binding clients, estimates, receipts (farthing/guard.h, scope.h).
#include <pybind11/functional.h>
#include <pybind11/stl.h>

#include "convert.h"
#include "events.h"

namespace farthing::python {
void raise_problems(const std::vector<Problem>& problems) {
  py::list list;
  for (const Problem& problem : problems) {
    list.append(py::make_tuple(text(code_text(problem.code)), text(problem.where), text(problem.message)));
  }
  const py::object made = py::module_::import("farthing.errors").attr("policy_error")(list);
  PyErr_SetObject(reinterpret_cast<PyObject*>(Py_TYPE(made.ptr())), made.ptr());
  throw py::error_already_set();
}

namespace {

using Deployments = std::map<std::string, std::string>;

/// R42: a wait for the store's gate gives the interpreter lock away, where this thread has it.
void blocking(const std::function<void()>& wait) {
  if (PyGILState_Check() == 0) return wait();
  const py::gil_scoped_release release;
  wait();
}

GuardRef open(PolicyOrProblems read, const std::string& store, const std::string& main_folder) {
  if (!read.ok()) raise_problems(read.problems);
  auto events = std::make_shared<Events>();
  GuardOptions options;
  options.store = store;
  options.main_folder = main_folder;
  options.blocking = blocking;
  options.on_alert = [events](const AlertEvent& alert) { events->put({"alert", alert.to_json()}); };
  options.on_warning = [events](const std::string& warning) { events->put({"warning", warning}); };
  for (const Problem& problem : read.problems)
    events->put({"warning", problem.where + ": " + problem.message});
  auto guard = unlocked([&] { return Guard::open(std::move(*read.policy), std::move(options)); });
  return {value_or_raise(std::move(guard)), std::move(events)};
}

GuardRef open_file(const std::string& path, const std::string& store, const std::string& main_folder) {
  return open(policy_from_file(path), store, main_folder);
}

GuardRef open_code(std::string_view json, const std::string& name, const std::string& store,
                   const std::string& main_folder) {
  PolicyOrProblems read = policy_from_json(json, "", process_environment());
  if (read.ok()) {
    read.policy->origin = Origin::code;
    read.policy->name = name;
  }
  return open(std::move(read), store, main_folder);
}

py::dict receipt_dict(const Receipt& receipt) {
  py::dict dict;
  dict["attempt"] = text(receipt.attempt);
  dict["call"] = text(receipt.call);
  dict["response_id"] = text(receipt.response_id);
  dict["model"] = text(receipt.model);
  dict["model_served"] = text(receipt.model_served);
  dict["cost"] = usd(receipt.cost);
  dict["likely"] = usd(receipt.likely);
  dict["ceiling"] = usd(receipt.ceiling);
  dict["quantities"] = quantities(receipt.quantities);
  dict["how"] = text(how_text(receipt.how));
  dict["output_limit_asked"] = receipt.output_limit_asked;
  dict["output_limit"] = receipt.output_limit;
  dict["left"] = caps_left(receipt.left);
  return dict;
}

py::list parts(const std::vector<EstimatePart>& parts) {
  py::list list;
  for (const EstimatePart& part : parts) {
    list.append(py::make_tuple(text(part.what), text(quantity_text(part.quantity)), part.count, usd(part.cost),
                               part.rate ? py::object(text(part.rate_text())) : py::none()));
  }
  return list;
}

py::dict estimate(const GuardRef& self, const std::string& endpoint, const std::string& body, const Pairs& labels,
                  const ScopeRef& scope, const std::string& host, std::int64_t count) {
  const Labels given = labels_of(labels);
  const Estimate made =
      value_or_raise(unlocked([&] { return self.guard->estimate(endpoint, body, given, scope.scope, host, count); }));
  py::dict dict;
  dict["model"] = text(made.model);
  dict["provider"] = text(made.provider);
  dict["endpoint"] = text(made.endpoint);
  dict["likely"] = usd(made.likely);
  dict["ceiling"] = usd(made.ceiling);
  dict["no_ceiling"] = text(made.no_ceiling);
  dict["hold"] = usd(made.hold);
  dict["likely_meters"] = amounts(made.likely_meters);
  dict["ceiling_meters"] = amounts(made.ceiling_meters);
  dict["confidence"] = text(made.confidence);
  dict["learned_calls"] = made.learned_calls;
  dict["output_p90"] = made.output_p90;
  dict["unbounded_by"] = py::cast(made.unbounded_by);
  dict["likely_parts"] = parts(made.likely_parts);
  dict["ceiling_parts"] = parts(made.ceiling_parts);
  dict["output_limit"] = made.output_limit;
  dict["fits_output_limit"] = made.fits_output_limit;
  dict["no_fit"] = text(made.no_fit);
  dict["left"] = caps_left(made.left);
  dict["count"] = made.count;
  return dict;
}

ScopeRef scope_or_raise(Result<std::shared_ptr<const Scope>> result) {
  return {value_or_raise(std::move(result))};
}

py::list runs(const ScopeRef& self) {
  py::list list;
  for (const Run& run : self.scope->runs())
    list.append(py::make_tuple(text(run.id), text(run.task)));
  return list;
}

void bind_scope(py::module_& module) {
  py::class_<ScopeRef>(module, "Scope", plain_type())
      .def_static("root", [] { return ScopeRef{Scope::root()}; })
      .def_static(
          "join", [](std::string_view token) { return scope_or_raise(Scope::join(token)); }, py::arg("token"))
      .def("within",
           [](const ScopeRef& self, const ScopeRef& outer) { return scope_or_raise(self.scope->within(*outer.scope)); })
      .def(
          "with_labels",
          [](const ScopeRef& self, const Pairs& labels) { return scope_or_raise(self.scope->with(labels_of(labels))); },
          py::arg("labels"))
      .def(
          "enter_task",
          [](const ScopeRef& self, std::string_view name, const std::optional<std::string>& limit) {
            std::optional<Usd> amount;
            if (limit) amount = value_or_raise(parse_usd(*limit));
            return scope_or_raise(self.scope->enter_task(name, amount));
          },
          py::arg("name"), py::arg("limit"))
      .def("enter_action", [](const ScopeRef& self) { return ScopeRef{self.scope->enter_action()}; })
      .def("token", [](const ScopeRef& self) { return self.scope->token(); })
      .def_property_readonly("labels", [](const ScopeRef& self) { return dict_of(self.scope->labels().entries()); })
      .def_property_readonly("runs", runs)
      .def_property_readonly("action", [](const ScopeRef& self) { return self.scope->action(); });
}

}  // namespace

void bind_guard(py::module_& module) {
  bind_scope(module);
  const py::class_<BindingRef> binding(module, "Binding", plain_type());
  py::class_<GuardRef> guard(module, "Guard", plain_type());
  guard.def_static("open_file", open_file, py::arg("path"), py::arg("store"), py::arg("main_folder"))
      .def_static("open_code", open_code, py::arg("document"), py::arg("name"), py::arg("store"),
                  py::arg("main_folder"))
      .def(
          "bind",
          [](const GuardRef& self, const Pairs& labels, const Deployments& deployments, bool install) {
            return BindingRef{self.guard, value_or_raise(self.guard->bind(labels_of(labels), deployments, install))};
          },
          py::arg("labels"), py::arg("deployments"), py::arg("install"))
      .def(
          "is_call",
          [](const GuardRef& self, std::string_view method, std::string_view host, std::string_view path) {
            return self.guard->is_call(method, host, path);
          },
          py::arg("method"), py::arg("host"), py::arg("path"))
      .def("estimate", estimate, py::arg("endpoint"), py::arg("body"), py::arg("labels"), py::arg("scope"),
           py::arg("host"), py::arg("count"))
      .def(
          "receipt",
          [](const GuardRef& self, std::string_view id) -> py::object {
            const std::optional<Receipt> receipt = self.guard->receipt(id);
            if (!receipt) return py::none();
            return receipt_dict(*receipt);
          },
          py::arg("id"))
      .def(
          "run",
          [](const GuardRef& self, const std::string& run_id) {
            return cap_left(value_or_raise(unlocked([&] { return self.guard->run(run_id); })));
          },
          py::arg("run_id"))
      .def_property_readonly("store", [](const GuardRef& self) { return self.guard->store_location(); })
      .def_property_readonly("store_id", [](const GuardRef& self) { return self.guard->store_id(); })
      .def_property_readonly("timezone", [](const GuardRef& self) { return self.guard->policy().timezone; })
      .def_property_readonly("policy_json", [](const GuardRef& self) { return self.guard->policy().to_json(); })
      .def_property_readonly("warnings", [](const GuardRef& self) { return self.guard->warnings(); })
      .def_property_readonly("queued", [](const GuardRef& self) { return self.guard->queued(); })
      .def(
          "flush",
          [](const GuardRef& self, std::int64_t wait_ms) {
            check(unlocked([&] { return self.guard->flush(wait_ms); }));
          },
          py::arg("wait_ms"))
      .def("close",
           [](const GuardRef& self) {
             unlocked([&] { self.guard->close(); });
             self.events->close();
           })
      .def(
          "next_event",
          [](const GuardRef& self, int wait_ms) -> std::optional<std::pair<std::string, std::string>> {
            const auto event = unlocked([&] { return self.events->next(wait_ms); });
            if (!event) return std::nullopt;
            return std::pair{event->kind, event->text};
          },
          py::arg("wait_ms"))
      .def_property_readonly("events_over", [](const GuardRef& self) { return self.events->closed(); });
  bind_control(guard);
}

}  // namespace farthing::python
