import type { Layout } from './layout.ts'

/**
 * What operations are done to. A fnode's file is made without a name; names come at the end.
 *
 * The calls of the hot loop (`create`, `write`, `remove`) are synchronous. A target that cannot take more now says so
 * by `write` answering false; the same call is made again once `room` has resolved.
 */
export interface Target {
  /** Makes sure that the place is free, and touches nothing. Throws `TARGET_NOT_EMPTY`. */
  check(): void
  /** Takes the place, once hints and heads are known to be good. */
  prepare(): void
  create(fnode: number): void
  /** Writes `bytes[begin, end)`, at least one, at `offset` of the fnode. They are borrowed until `release`. */
  write(fnode: number, offset: number, bytes: Uint8Array, begin: number, end: number): boolean
  /** The last link of the fnode is gone. */
  remove(fnode: number): void
  /** Resolves when a refused `write` may be tried again. Rejects when writing has failed. */
  room(): Promise<void>
  /** Once this has resolved, nothing of `bytes` is borrowed any more; undefined when nothing is. Rejects as `room`. */
  release(bytes: Uint8Array): Promise<void> | undefined
  /** How many bytes the fnode's file has. */
  sizeOf(fnode: number): number
  /** Of these names of one folder, none equal to another, the first two that are one name to the file system. */
  sameName(names: readonly string[]): readonly [string, string] | undefined
  /** Writes what is still in memory. */
  flush(): Promise<void>
  /** Gives the files their names. Everything has been flushed, and the layout checked. */
  finish(layout: Layout): void
  /** After a failure: removes all that was put there. May be called at any time, also before `prepare`. */
  discard(): Promise<void>
}
