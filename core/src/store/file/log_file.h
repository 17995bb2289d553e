// LogFile: SQLite's write-ahead log, written once a commit.
//
// SQLite writes each page of a commit to its log in two writes: 24 bytes that say what the page is, and the page. The system call
// costs several times what copying the bytes does, so this VFS keeps the frames of a transaction back and writes them in one, or in pieces of
// 64 KB, when the frame that commits is there: before SQLite says to anybody that they are.
//
// Nothing else changes: the format of the file, locks, what is synced. A process that dies before the write leaves a log without
// the transaction, as it did before; an error of the write is the error of the commit.
//
// Format: https://www.sqlite.org/fileformat2.html#the_write_ahead_log
#pragma once

namespace farthing {

/// The VFS to open a database with: SQLite's own, with such a log. Null where the default is another: then that is used as it is.
/// Thread-safe.
const char* log_file_vfs();

}  // namespace farthing
