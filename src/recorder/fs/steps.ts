/**
 * Calls of the recorded file system are written once, as steps: generators that ask for what they need and are answered
 * with it. Who drives them decides how it is got: by the synchronous functions of the underlying file system, or by its
 * promises. So the synchronous, the callback and the promise face are one thing.
 */

/** A call of the underlying file system: the plain name, `lstat` for `lstatSync` and for `promises.lstat`. */
export interface DiskRequest {
  readonly kind: 'call'
  readonly method: string
  readonly args: readonly unknown[]
}

/**
 * Room for `bytes` in the queue of the recorder: asked for by every call that records, before it changes anything.
 * `isOptional`: in the middle of a call that is too large for one append; answered with whether there is room for a part.
 */
export interface RoomRequest {
  readonly kind: 'room'
  readonly bytes: number
  readonly isOptional: boolean
}

export type Request = DiskRequest | RoomRequest

export type Steps<T> = Generator<Request, T, unknown>

/** File descriptors are numbers, whatever the underlying file system opens. */
export interface DiskCalls {
  chmod(path: string, mode: unknown): void
  close(fd: number): void
  copyFile(from: string, to: string, mode: number): void
  fstat(fd: number): DiskStats
  ftruncate(fd: number, length: number): void
  link(from: string, to: string): void
  lstat(path: string): DiskStats
  mkdir(path: string, options: { mode?: unknown }): void
  mkdtemp(prefix: string): string
  open(path: string, flags: number, mode: unknown): number
  read(fd: number, buffer: Uint8Array, offset: number, length: number, position: number): number
  readdir(path: string): string[]
  readlink(path: string): string
  readv(fd: number, buffers: readonly ArrayBufferView[], position: number): number
  rename(from: string, to: string): void
  rmdir(path: string): void
  stat(path: string): DiskStats
  unlink(path: string): void
  utimes(path: string, accessed: unknown, modified: unknown): void
  write(fd: number, buffer: Uint8Array, offset: number, length: number, position: number | null): number
  writev(fd: number, buffers: readonly ArrayBufferView[], position: number | null): number
}

/** What is read of `fs.Stats`. */
export interface DiskStats {
  readonly dev: number
  readonly ino: number
  readonly mode: number
  readonly nlink: number
  readonly size: number
  readonly atime: Date
  readonly mtime: Date
  isFile(): boolean
  isDirectory(): boolean
  isSymbolicLink(): boolean
  isFIFO(): boolean
  isSocket(): boolean
}

/** Calls the underlying file system. Errors come with `/`-rooted paths. */
export function* ask<Method extends keyof DiskCalls>(
  method: Method,
  ...args: Parameters<DiskCalls[Method]>
): Steps<ReturnType<DiskCalls[Method]>> {
  return (yield { kind: 'call', method, args }) as ReturnType<DiskCalls[Method]>
}

/** Calls the underlying file system with what the caller gave, whatever that answers. */
export function* pass(method: string, args: readonly unknown[]): Steps<unknown> {
  return yield { kind: 'call', method, args }
}

/** Waits for room, flushes, or throws `BACKLOGGED`: as the face allows. Throws the first cause of a failed recorder. */
export function* reserve(bytes: number): Steps<void> {
  yield { kind: 'room', bytes, isOptional: false }
}

/**
 * Room for a part of a call. False where nobody can wait and nothing can be flushed: then the whole has to go alone into
 * an empty queue, for which room was made before the call changed anything.
 */
export function* reservePart(bytes: number): Steps<boolean> {
  return (yield { kind: 'room', bytes, isOptional: true }) as boolean
}

/**
 * The result of a call that is a durable point: a promise of it waits for what was recorded so far, the synchronous form
 * flushes.
 */
export class Durable {
  readonly value: unknown

  constructor(value: unknown) {
    this.value = value
  }
}
