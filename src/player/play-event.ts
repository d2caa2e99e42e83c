import type { Outcome } from '../fsm/index.ts'

/** What a Player tells while it plays. Offsets are bytes of `log`. */
export type PlayEvent =
  /** Dead bytes are passed over: reading goes on at `offset`. */
  | { readonly type: 'seek'; readonly log: string; readonly offset: number }
  /** `[begin, end)` has been deleted from the log. */
  | { readonly type: 'jump'; readonly log: string; readonly begin: number; readonly end: number }
  /** `[begin, end)` is no frame. */
  | { readonly type: 'desync'; readonly log: string; readonly begin: number; readonly end: number }
  /** An operation that was not applied, for an unusual reason. */
  | {
      readonly type: 'not_applied'
      readonly outcome: Outcome
      readonly log: string
      readonly offset: number
      readonly seqNo: number
      readonly author: number
    }
  /** The hints are used up, and the log has been read to its head. Told once. */
  | { readonly type: 'at_head'; readonly log: string; readonly offset: number; readonly missed: number }
  /** A no-op was appended at `offset`, `applied` or too late. */
  | {
      readonly type: 'handoff'
      readonly log: string
      readonly offset: number
      readonly author: number
      readonly applied: boolean
    }
  /** After a failure: what was put into the target could not be removed. */
  | { readonly type: 'cleanup_failed'; readonly error: unknown }
