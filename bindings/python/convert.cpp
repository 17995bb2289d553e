#include "convert.h"

#include <algorithm>

namespace farthing::python {

void raise(const Error& error) {
  const py::object made =
      py::module_::import("farthing.errors").attr("from_core")(text(code_text(error.code)), text(error.message));
  PyErr_SetObject(reinterpret_cast<PyObject*>(Py_TYPE(made.ptr())), made.ptr());
  throw py::error_already_set();
}

py::object amount(Meter meter, std::int64_t value) {
  if (meter == Meter::usd) return text(to_text(Usd{value}));
  return py::int_(value);
}

py::object usd(const std::optional<Usd>& value) {
  if (!value) return py::none();
  return text(to_text(*value));
}

py::object integer(const std::optional<std::int64_t>& value) {
  if (!value) return py::none();
  return py::int_(*value);
}

py::dict amounts(const Amounts& values) {
  py::dict dict;
  for (std::size_t i = 0; i < meter_count; ++i) {
    const auto meter = static_cast<Meter>(i);
    if (values[meter] != 0) dict[text(meter_text(meter))] = amount(meter, values[meter]);
  }
  return dict;
}

py::dict quantities(const Quantities& values) {
  py::dict dict;
  for (std::size_t i = 0; i < quantity_count; ++i) {
    const auto quantity = static_cast<Quantity>(i);
    if (values[quantity] != 0) dict[text(quantity_text(quantity))] = py::int_(values[quantity]);
  }
  return dict;
}

py::dict cap_left(const CapLeft& left) {
  py::dict dict;
  dict["cap"] = text(left.cap_id);
  dict["run"] = text(left.run);
  dict["counter"] = dict_of(left.counter);
  dict["meter"] = text(meter_text(left.meter));
  dict["per"] = text(per_text(left.per));
  dict["limit"] = left.is_limited() ? amount(left.meter, left.limit) : py::none();
  dict["spent"] = amount(left.meter, left.spent);
  dict["reserved"] = amount(left.meter, left.reserved);
  dict["remaining"] = left.is_limited() ? amount(left.meter, left.remaining()) : py::none();
  dict["resets_at_ms"] = integer(left.resets_at_ms);
  return dict;
}

py::list caps_left(const std::vector<CapLeft>& left) {
  py::list list;
  for (const CapLeft& cap : left)
    list.append(cap_left(cap));
  return list;
}

py::dict dict_of(const Pairs& pairs) {
  py::dict dict;
  for (const auto& [name, value] : pairs)
    dict[text(name)] = text(value);
  return dict;
}

Labels labels_of(const Pairs& pairs) {
  Labels labels;
  for (const auto& [kind, value] : pairs) {
    check(check_label(kind, value));
    labels.set(kind, value);
  }
  return labels;
}

Match match_of(const std::vector<std::pair<std::string, std::vector<std::string>>>& match) {
  Match made{match};
  for (auto& [kind, globs] : made.of)
    std::sort(globs.begin(), globs.end());
  std::sort(made.of.begin(), made.of.end());
  return made;
}

}  // namespace farthing::python
