import type { LogContent } from '../wire/logdog/index.ts'

/** What one entry is to hold. */
export interface CutEntry {
  /** Views of the data that was cut, or of memory that is used again: borrowed until the next is asked for. */
  readonly content: LogContent
  readonly sequence: number
}

/** Cuts what a writer brings into entries, of the type of its stream. */
export interface EntryCutter {
  /** The sequence of the next entry. */
  readonly sequence: number
  /** How many bytes of a line without an end are in entries. */
  readonly lineBytes: number
  /** The entries that `data` completes. What is left is held. */
  cut(data: Uint8Array): Iterable<CutEntry>
  /** What is held, though it is not complete. */
  rest(): Iterable<CutEntry>
}
