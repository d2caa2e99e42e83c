import type { Segment } from '../segments/segment.ts'

/** A tiny file carried by value in the hints. */
export interface Property {
  readonly path: string
  readonly content: string
}

/** A live fnode and the segments that hold its operations. An empty `segment.log` means `FSMHints.log`. */
export interface FnodeSegments {
  readonly fnode: number
  readonly segments: readonly Segment[]
}

/** The manifest of live fnodes and the segments that hold them (recovery-log spec, sections 2 and 6). */
export interface FSMHints {
  readonly log: string
  readonly liveNodes: readonly FnodeSegments[]
  readonly properties: readonly Property[]
}
