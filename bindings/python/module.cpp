// The extension module `farthing._farthing`.
#include <pybind11/pybind11.h>

PYBIND11_MODULE(_farthing, m) { m.attr("__version__") = FARTHING_VERSION; }
