import type { Time } from './time.ts'

/** `LogEntry` in memory (log-archive spec, section 3). What Go's code does not know it keeps, at each level; so is it here. */

/** Bytes of fields that are not known, whole with their tags, in the order in which they came. */
export interface WithUnknown {
  unknown?: Uint8Array | undefined
}

/** One line of text, or a part of one. */
export interface TextLine extends WithUnknown {
  /** Any bytes, in whatever encoding. */
  value: Uint8Array
  /** What ended the line: mostly a line feed; empty when the line goes on in the next entry. */
  delimiter: string
}

export interface TextContent extends WithUnknown {
  readonly kind: 'text'
  lines: TextLine[]
}

export interface BinaryContent extends WithUnknown {
  readonly kind: 'binary'
  data: Uint8Array
}

/** Which part of a datagram an entry holds. */
export interface DatagramPart extends WithUnknown {
  /** From 0, a uint32. */
  index: number
  /** Of the whole datagram, in bytes. */
  size: number
  last: boolean
}

export interface DatagramContent extends WithUnknown {
  readonly kind: 'datagram'
  data: Uint8Array
  /** Absent: the datagram is whole. */
  partial?: DatagramPart | undefined
}

export type LogContent = TextContent | BinaryContent | DatagramContent

/**
 * One entry of a stream. Indexes are safe integers from 0. Decoded entries hold views of the bytes that they were
 * decoded from.
 */
export interface LogEntry extends WithUnknown {
  /** Since the stream's timestamp. Absent and zero are different on the wire. */
  timeOffset?: Time | undefined
  prefixIndex: number
  streamIndex: number
  /** Of the first line, byte or datagram in it. */
  sequence: number
  content?: LogContent | undefined
}
