#include <filesystem>
#include <random>

#include "store/file/file_tables.h"
#include "store/local_store.h"
#include "store/memory_tables.h"
#include "store/store.h"

namespace farthing {

Result<std::shared_ptr<Store>> open_store(const std::string& location, const StoreOptions& given) {
  StoreOptions options = given;
  if (!options.clock) options.clock = system_clock();
  StoreInfo info;
  info.location = location;
  if (location == "memory:") {
    info.kind = "memory";
    std::random_device random;
    for (int i = 0; i < 32; ++i)
      info.store_id += "0123456789abcdef"[random() & 15U];
    return std::shared_ptr<Store>(std::make_shared<LocalStore>(info, options, std::make_unique<MemoryTables>()));
  }
  constexpr std::string_view file = "file:";
  if (location.rfind(file, 0) != 0 || !std::filesystem::path(location.substr(file.size())).is_absolute()) {
    return Error{Code::invalid_argument,
                 "\"" + location + "\" is no store; accepted are memory: and file:/ABSOLUTE/PATH"};
  }
  auto tables = FileTables::open(location.substr(file.size()), options);
  if (!tables) return tables.error();
  info.kind = "file";
  info.store_id = (*tables)->store_id();
  return std::shared_ptr<Store>(std::make_shared<LocalStore>(info, options, std::move(*tables)));
}

}  // namespace farthing
