#include "store/file/log_file.h"

#include <sqlite3.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <new>
#include <string>
#include <string_view>

namespace farthing {

namespace {

// A frame of the log is a header and a page. The second number of the header is the size of the database in pages
// where the frame commits, else zero.
constexpr int frame_header = 24;
constexpr std::size_t commit_mark = 4;
constexpr std::string_view no_commit = {"\0\0\0\0", 4};
/// A transaction that changes more pages than this is written in several parts.
constexpr std::size_t most_kept = std::size_t{1} << 20;
/// Of larger pieces SQLite's own VFS writes 17 bits of the size, and takes the rest for a full disk (seekAndWriteFd).
constexpr std::size_t most_written = std::size_t{64} << 10;
/// Of sqlite3_vfs and sqlite3_io_methods: later ones have functions that are not passed on here.
constexpr int known_version = 3;
/// Of the locks of a database with a log: its writer's (the file format, "WAL locks").
constexpr int writers_lock = 0;

/// What SQLite sees of an open file. The real one lies behind it, in the same piece of memory.
struct File {
  sqlite3_file base;
  sqlite3_io_methods methods;
  /// Of a database: its log, while it is open.
  File* log;
  /// Of a log: the database.
  File* database;
  /// Of a log: bytes that belong at `kept_from`, and not written yet.
  std::string kept;
  sqlite3_int64 kept_from;
  /// Where this transaction's frames end. What is written before is a frame changed after the fact: not kept back.
  sqlite3_int64 end;
  bool page_follows;
  bool commits;
  /// Whether frames may be kept back at all, and whether its connection is the writer.
  bool keeps;
  bool writing;
  /// Why bytes that SQLite takes for written are not: no frame of this transaction can be written after that.
  int failed;

  /// Behind this.
  sqlite3_file* real;
};
static_assert(alignof(File) <= 8 && sizeof(File) % 8 == 0, "SQLite aligns to 8, and the real file lies behind");

File& of(sqlite3_file* file) {
  return *reinterpret_cast<File*>(file);
}

const sqlite3_io_methods& real_methods(File& file) {
  return *file.real->pMethods;
}

int write_kept(File& log) {
  int code = SQLITE_OK;
  for (std::size_t done = 0; code == SQLITE_OK && done < log.kept.size(); done += most_written) {
    const std::size_t size = std::min(log.kept.size() - done, most_written);
    code = real_methods(log).xWrite(log.real, log.kept.data() + done, static_cast<int>(size),
                                    log.kept_from + static_cast<sqlite3_int64>(done));
  }
  log.kept.clear();
  if (code != SQLITE_OK) log.failed = code;
  return code;
}

/// Frames of a transaction that did not commit: nobody may find them, and the place is the next writer's.
void forget_kept(File& log) {
  log.kept.clear();
  log.end = 0;
  log.page_follows = false;
  log.failed = SQLITE_OK;
}

/// False where there is no memory for it.
bool keep(File& log, const char* bytes, int size, sqlite3_int64 offset) {
  try {
    log.kept.append(bytes, static_cast<std::size_t>(size));
  } catch (const std::bad_alloc&) {  // nothing may be thrown through SQLite
    return false;
  }
  log.kept_from = offset + size - static_cast<sqlite3_int64>(log.kept.size());
  return true;
}

int write(sqlite3_file* file, const void* data, int size, sqlite3_int64 offset) {
  File& log = of(file);
  if (log.failed != SQLITE_OK) return log.failed;
  const auto* bytes = static_cast<const char*>(data);
  const sqlite3_int64 next = log.kept_from + static_cast<sqlite3_int64>(log.kept.size());
  const bool header = log.keeps && log.writing && size == frame_header && offset >= log.end;
  const bool page = log.page_follows && offset == next;
  if (!log.kept.empty() && (offset != next || !(header || page))) {
    if (const int code = write_kept(log); code != SQLITE_OK) return code;
  }
  const bool kept = (header || page) && keep(log, bytes, size, offset);
  log.end = std::max(log.end, offset + size);
  if (!kept) {
    log.page_follows = false;
    if (const int code = write_kept(log); code != SQLITE_OK) return code;
    return real_methods(log).xWrite(log.real, data, size, offset);
  }
  log.page_follows = header;
  if (header) {
    log.commits = std::string_view(bytes + commit_mark, no_commit.size()) != no_commit;
    return SQLITE_OK;
  }
  return log.commits || log.kept.size() >= most_kept ? write_kept(log) : SQLITE_OK;
}

int close(sqlite3_file* file) {
  File& self = of(file);
  if (self.database != nullptr && self.database->log == &self) self.database->log = nullptr;
  if (self.log != nullptr) self.log->database = nullptr;
  const int code = real_methods(self).xClose(self.real);
  self.~File();
  file->pMethods = nullptr;
  return code;
}

int read(sqlite3_file* file, void* room, int size, sqlite3_int64 offset) {
  if (const int code = write_kept(of(file)); code != SQLITE_OK) return code;
  return real_methods(of(file)).xRead(of(file).real, room, size, offset);
}

int truncate(sqlite3_file* file, sqlite3_int64 size) {
  if (const int code = write_kept(of(file)); code != SQLITE_OK) return code;
  return real_methods(of(file)).xTruncate(of(file).real, size);
}

int sync(sqlite3_file* file, int flags) {
  if (const int code = write_kept(of(file)); code != SQLITE_OK) return code;
  return real_methods(of(file)).xSync(of(file).real, flags);
}

int size_of(sqlite3_file* file, sqlite3_int64* size) {
  if (const int code = write_kept(of(file)); code != SQLITE_OK) return code;
  return real_methods(of(file)).xFileSize(of(file).real, size);
}

// Of the database, where the locks of its log are.
int lock_shared_memory(sqlite3_file* file, int first, int count, int flags) {
  File& database = of(file);
  File* log = first == writers_lock ? database.log : nullptr;
  // Before the lock is given away: after that the place in the log is another's.
  if (log != nullptr) forget_kept(*log);
  const int code = real_methods(database).xShmLock(database.real, first, count, flags);
  if (log != nullptr) log->writing = code == SQLITE_OK && (flags & SQLITE_SHM_LOCK) != 0;
  return code;
}

// What is passed on as it is.
int write_through(sqlite3_file* file, const void* data, int size, sqlite3_int64 offset) {
  return real_methods(of(file)).xWrite(of(file).real, data, size, offset);
}
int read_through(sqlite3_file* file, void* room, int size, sqlite3_int64 offset) {
  return real_methods(of(file)).xRead(of(file).real, room, size, offset);
}
int truncate_through(sqlite3_file* file, sqlite3_int64 size) {
  return real_methods(of(file)).xTruncate(of(file).real, size);
}
int sync_through(sqlite3_file* file, int flags) {
  return real_methods(of(file)).xSync(of(file).real, flags);
}
int size_through(sqlite3_file* file, sqlite3_int64* size) {
  return real_methods(of(file)).xFileSize(of(file).real, size);
}
int lock(sqlite3_file* file, int level) {
  return real_methods(of(file)).xLock(of(file).real, level);
}
int unlock(sqlite3_file* file, int level) {
  return real_methods(of(file)).xUnlock(of(file).real, level);
}
int check_reserved_lock(sqlite3_file* file, int* locked) {
  return real_methods(of(file)).xCheckReservedLock(of(file).real, locked);
}
int control(sqlite3_file* file, int what, void* argument) {
  return real_methods(of(file)).xFileControl(of(file).real, what, argument);
}
int sector_size(sqlite3_file* file) {
  return real_methods(of(file)).xSectorSize(of(file).real);
}
int characteristics(sqlite3_file* file) {
  return real_methods(of(file)).xDeviceCharacteristics(of(file).real);
}
int map_shared_memory(sqlite3_file* file, int page, int size, int extend, void volatile** place) {
  return real_methods(of(file)).xShmMap(of(file).real, page, size, extend, place);
}
void shared_memory_barrier(sqlite3_file* file) {
  real_methods(of(file)).xShmBarrier(of(file).real);
}
int unmap_shared_memory(sqlite3_file* file, int erase) {
  return real_methods(of(file)).xShmUnmap(of(file).real, erase);
}
int fetch(sqlite3_file* file, sqlite3_int64 offset, int size, void** place) {
  return real_methods(of(file)).xFetch(of(file).real, offset, size, place);
}
int unfetch(sqlite3_file* file, sqlite3_int64 offset, void* place) {
  return real_methods(of(file)).xUnfetch(of(file).real, offset, place);
}

/// The default VFS under a name of its own, but for opening.
struct LogFileVfs : sqlite3_vfs {
  explicit LogFileVfs(sqlite3_vfs* default_vfs);

  sqlite3_vfs* usual;
  std::string name;
};

int open(sqlite3_vfs* vfs, const char* name, sqlite3_file* file, int flags, int* flags_out) {
  File& self = *new (file) File{};
  self.real = reinterpret_cast<sqlite3_file*>(reinterpret_cast<char*>(file) + sizeof(File));
  sqlite3_vfs* usual = static_cast<LogFileVfs*>(vfs)->usual;
  const int code = usual->xOpen(usual, name, self.real, flags, flags_out);
  if (self.real->pMethods == nullptr) {
    self.~File();
    file->pMethods = nullptr;
    return code;
  }
  const sqlite3_io_methods& real = real_methods(self);
  const bool log = (flags & SQLITE_OPEN_WAL) != 0;
  self.methods = {std::min(real.iVersion, known_version),
                  close,
                  log ? read : read_through,
                  log ? write : write_through,
                  log ? truncate : truncate_through,
                  log ? sync : sync_through,
                  log ? size_of : size_through,
                  lock,
                  unlock,
                  check_reserved_lock,
                  control,
                  sector_size,
                  characteristics,
                  real.iVersion >= 2 && real.xShmMap != nullptr ? map_shared_memory : nullptr,
                  lock_shared_memory,
                  shared_memory_barrier,
                  unmap_shared_memory,
                  real.iVersion >= 3 && real.xFetch != nullptr ? fetch : nullptr,
                  unfetch};
  self.base.pMethods = &self.methods;
  if (log) {
    self.database = &of(sqlite3_database_file_object(name));
    self.database->log = &self;
    // Elsewhere SQLite fills the log up to a sector, in pieces that do not say what they are.
    self.keeps = (real_methods(*self.database).xDeviceCharacteristics(self.database->real) &
                  SQLITE_IOCAP_POWERSAFE_OVERWRITE) != 0;
  }
  return code;
}

LogFileVfs::LogFileVfs(sqlite3_vfs* default_vfs)
    : sqlite3_vfs(*default_vfs),
      usual(default_vfs),
      // Another copy of this library in the same process registers its own.
      name("farthing-" + std::to_string(reinterpret_cast<std::uintptr_t>(this))) {
  iVersion = std::min(iVersion, known_version);
  zName = name.c_str();
  szOsFile = static_cast<int>(sizeof(File)) + usual->szOsFile;
  xOpen = open;
}

}  // namespace

const char* log_file_vfs() {
  // Never taken down: connections may be open until the process ends.
  static const char* const name = []() -> const char* {
    sqlite3_vfs* usual = sqlite3_vfs_find(nullptr);
    // Another one, of the program that we are in, may want pages one by one, or carry more than an sqlite3_vfs does.
    if (usual == nullptr || std::string_view(usual->zName) != "unix") return nullptr;
    auto* vfs = new LogFileVfs(usual);
    return sqlite3_vfs_register(vfs, 0) == SQLITE_OK ? vfs->zName : nullptr;
  }();
  return name;
}

}  // namespace farthing
