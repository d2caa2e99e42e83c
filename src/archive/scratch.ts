/**
 * Memory for reading what is only looked through, and of which little is kept. New memory for each read would be given
 * back by the collector only, which it keeps so busy that one `get` in fifty takes milliseconds.
 */

/** Enough for what a `get` reads with the default ranges of an index. */
const SCRATCH_BYTES = 256 * 1024
/** So many are kept, for all readers: one is in use during a read only. */
const FREE_MAX = 4

const free: Uint8Array[] = []

/** At least `bytes` bytes, with anything in them; undefined when that is too much. */
export function takeScratch(bytes: number): Uint8Array | undefined {
  return bytes > SCRATCH_BYTES ? undefined : (free.pop() ?? new Uint8Array(SCRATCH_BYTES))
}

/** Takes back what nobody reads or writes any more. */
export function giveScratchBack(scratch: Uint8Array): void {
  if (free.length < FREE_MAX) free.push(scratch)
}
