import type { SyncFileSystem } from './file-system.ts'

/** What a file system throws: an error with node's `code`. */
export function systemErrorCode(error: unknown): string | undefined {
  if (typeof error !== 'object' || error === null || !('code' in error)) return undefined
  return typeof error.code === 'string' ? error.code : undefined
}

/** Writes `bytes` to a new file and syncs it. The file must not exist. */
export function writeNewFile(fs: SyncFileSystem, path: string, bytes: Uint8Array): void {
  const fd = fs.openSync(path, 'wx')
  try {
    let written = 0
    while (written < bytes.length) {
      written += fs.writeSync(fd, bytes, written, bytes.length - written, written)
    }
    fs.fsyncSync(fd)
  } finally {
    fs.closeSync(fd)
  }
}

/** The whole content of a small file, or undefined when there is none of that name. */
export function readSmallFile(fs: SyncFileSystem, path: string): Uint8Array | undefined {
  let fd: number
  try {
    fd = fs.openSync(path, 'r')
  } catch (error) {
    if (systemErrorCode(error) === 'ENOENT') return undefined
    throw error
  }
  try {
    const bytes = new Uint8Array(fs.fstatSync(fd).size)
    let length = 0
    while (length < bytes.length) {
      const count = fs.readSync(fd, bytes, length, bytes.length - length, length)
      if (count === 0) break
      length += count
    }
    return bytes.subarray(0, length)
  } finally {
    fs.closeSync(fd)
  }
}

/** Makes the names in a folder durable. Systems that cannot sync a folder keep names by themselves. */
export function syncFolder(fs: SyncFileSystem, path: string): void {
  let fd: number
  try {
    fd = fs.openSync(path, 'r')
  } catch (error) {
    if (isFolderSyncRefusal(error)) return
    throw error
  }
  try {
    fs.fsyncSync(fd)
  } catch (error) {
    if (!isFolderSyncRefusal(error)) throw error
  } finally {
    fs.closeSync(fd)
  }
}

/**
 * As `syncFolder`, where another thread syncs: only that is waited for, because to open a folder, and to close it, costs
 * less than to ask a thread to do it.
 */
export async function syncFolderAside(
  fs: Pick<SyncFileSystem, 'openSync' | 'closeSync'>,
  sync: (fd: number) => Promise<void>,
  path: string,
): Promise<void> {
  let fd: number | undefined
  try {
    fd = fs.openSync(path, 'r')
    await sync(fd)
  } catch (error) {
    if (!isFolderSyncRefusal(error)) throw error
  } finally {
    if (fd !== undefined) fs.closeSync(fd)
  }
}

/** Windows and some in-memory file systems open no folders, or do not sync them. */
function isFolderSyncRefusal(error: unknown): boolean {
  const code = systemErrorCode(error)
  return code === 'EISDIR' || code === 'EPERM' || code === 'EACCES' || code === 'EINVAL'
}

/** Removes a file if it is there. */
export function unlinkIfThere(fs: SyncFileSystem, path: string): void {
  try {
    fs.unlinkSync(path)
  } catch (error) {
    if (systemErrorCode(error) !== 'ENOENT') throw error
  }
}

/** Removes a file or a folder with all that is in it, if it is there. Symbolic links are removed, never followed. */
export function removeTree(fs: SyncFileSystem, path: string): void {
  let stat
  try {
    stat = fs.lstatSync(path)
  } catch (error) {
    if (systemErrorCode(error) === 'ENOENT') return
    throw error
  }
  if (!stat.isDirectory()) {
    unlinkIfThere(fs, path)
    return
  }
  for (const name of fs.readdirSync(path)) removeTree(fs, `${path}/${String(name)}`)
  // Empty by now; but memfs miscounts the names of a folder after renames in it, and then refuses `rmdir`.
  fs.rmSync(path, { recursive: true })
}
