import type { FSM } from '../fsm/index.ts'
import type { Segment } from '../segments/index.ts'

/** Times its size that the history of a file may have before it is rewritten. */
export const HISTORY_FACTOR = 4

/** Below this a history is not worth a rewrite, however small the file: 1 MiB. */
export const HISTORY_BYTES_MIN = 1024 * 1024

/**
 * How many bytes of log each live file has: what a recovery reads of it (recovery-log spec, section 9, "a bounded
 * horizon"). Of what was there before, the spans of its segments count; of what is recorded, frames and content.
 */
export class FnodeHistory {
  readonly #bytes = new Map<number, number>()

  constructor(fsm: FSM) {
    for (const { fnode, segments } of fsm.liveNodes()) this.#bytes.set(fnode, spanOf(segments))
  }

  bytesOf(fnode: number): number {
    return this.#bytes.get(fnode) ?? 0
  }

  /** Whether a rewrite of a file of `size` bytes is worth it. */
  outweighs(fnode: number, size: number): boolean {
    return this.bytesOf(fnode) > Math.max(HISTORY_BYTES_MIN, HISTORY_FACTOR * size)
  }

  add(fnode: number, bytes: number): void {
    this.#bytes.set(fnode, this.bytesOf(fnode) + bytes)
  }

  delete(fnode: number): void {
    this.#bytes.delete(fnode)
  }
}

function spanOf(segments: readonly Segment[]): number {
  let bytes = 0
  for (const { firstOffset, lastOffset } of segments) bytes += Math.max(0, lastOffset - firstOffset)
  return bytes
}
