/**
 * The file system that is handed in: any object of the shape of `node:fs`, so also memfs. Only what this package calls
 * is asked for. Buffers are plain `Uint8Array`s; paths are absolute strings with `/`.
 */
export interface FileStat {
  readonly size: number
  /** Milliseconds since 1970, where it is told. */
  readonly mtimeMs?: number
  readonly ino: number
  readonly dev: number
  readonly nlink: number
  isFile(): boolean
  isDirectory(): boolean
  isSymbolicLink(): boolean
}

export interface SyncFileSystem {
  openSync(path: string, flags: string | number, mode?: number): number
  closeSync(fd: number): void
  readSync(fd: number, buffer: Uint8Array, offset: number, length: number, position: number | null): number
  writeSync(fd: number, buffer: Uint8Array, offset: number, length: number, position: number | null): number
  fstatSync(fd: number): FileStat
  statSync(path: string): FileStat
  lstatSync(path: string): FileStat
  mkdirSync(path: string, options?: { recursive?: boolean; mode?: number }): unknown
  rmdirSync(path: string): void
  rmSync(path: string, options?: { recursive?: boolean; force?: boolean }): void
  readdirSync(path: string): unknown[]
  renameSync(from: string, to: string): void
  linkSync(from: string, to: string): void
  unlinkSync(path: string): void
  ftruncateSync(fd: number, length?: number): void
  fsyncSync(fd: number): void
  fdatasyncSync(fd: number): void
}
