// Who changes something, for the change log. Thread-safety: free functions.
#pragma once

#include <string>

#include "farthing/control.h"

namespace farthing::report {

/// As the note says; else user@host of this process.
std::string who_of(const ChangeNote& note);

}  // namespace farthing::report
