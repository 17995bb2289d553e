// The extension module `farthing._farthing`: converts, calls the core, converts back. The package python/farthing/ is what
// people use.
#include "convert.h"

PYBIND11_MODULE(_farthing, m) {
  using namespace farthing;
  m.attr("__version__") = FARTHING_VERSION;
  m.def(
      "parse_usd", [](std::string_view amount) { return to_text(python::value_or_raise(parse_usd(amount))); },
      pybind11::arg("text"));
  m.def(
      "parse_rate", [](std::string_view rate) { return to_text(python::value_or_raise(parse_rate(rate))); },
      pybind11::arg("text"));
  m.def("default_store", [](const std::string& folder) { return default_store(folder); }, pybind11::arg("main_folder"));
  python::bind_guard(m);
  python::bind_attempt(m);
}
