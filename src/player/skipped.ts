/** A span of a log. */
export interface LogRange {
  readonly log: string
  readonly begin: number
  readonly end: number
}

/** Bytes between the last whole operation and a boundary between appends. Appends are atomic, so this is damage. */
export interface LeftOver extends LogRange {
  /** Later readers would take what follows for the rest of a frame: no hand-off is possible in this log. */
  readonly holdsMagic: boolean
}

/** Something after the last hinted segment that may have held acknowledged operations. */
export type Missed =
  | ({ readonly kind: 'jump' | 'desync' } & LogRange)
  /** Operations of one author that were in the log and did not fit: from the first to the last of them. */
  | ({
      readonly kind: 'operations'
      readonly author: number
      readonly count: number
      readonly firstSeqNo: number
    } & LogRange)
