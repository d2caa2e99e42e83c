/** SQLite's numbers, as far as a VFS needs them (sqlite3.h). They are part of its ABI and never change. */

export const SQLITE_OK = 0
export const SQLITE_BUSY = 5
export const SQLITE_NOTFOUND = 12
export const SQLITE_FULL = 13
export const SQLITE_CANTOPEN = 14
export const SQLITE_IOERR_READ = 266
export const SQLITE_IOERR_SHORT_READ = 522
export const SQLITE_IOERR_WRITE = 778
export const SQLITE_IOERR_FSYNC = 1034
export const SQLITE_IOERR_TRUNCATE = 1546
export const SQLITE_IOERR_FSTAT = 1802
export const SQLITE_IOERR_DELETE = 2570
export const SQLITE_IOERR_ACCESS = 3338
export const SQLITE_IOERR_CLOSE = 4106
export const SQLITE_IOERR_DELETE_NOENT = 5898

export const SQLITE_OPEN_READONLY = 0x1
export const SQLITE_OPEN_CREATE = 0x4
export const SQLITE_OPEN_DELETEONCLOSE = 0x8
export const SQLITE_OPEN_EXCLUSIVE = 0x10

export const SQLITE_LOCK_NONE = 0
export const SQLITE_LOCK_SHARED = 1
export const SQLITE_LOCK_RESERVED = 2
export const SQLITE_LOCK_PENDING = 3
export const SQLITE_LOCK_EXCLUSIVE = 4

/** An append is on the disk, and in the log, before the file's size tells of it. */
export const SQLITE_IOCAP_SAFE_APPEND = 0x200
/** A file that is open can be unlinked, and lives until it is closed. */
export const SQLITE_IOCAP_UNDELETABLE_WHEN_OPEN = 0x800
/** A write changes no byte outside of its range, also when power is lost. */
export const SQLITE_IOCAP_POWERSAFE_OVERWRITE = 0x1000
