/** The tags of `LogEntry` and of what is in it: each the field's number times 8, and its wire type. */

export const EntryTag = {
  timeOffset: 10,
  prefixIndex: 16,
  streamIndex: 24,
  sequence: 32,
  text: 82,
  binary: 90,
  datagram: 98,
} as const
export const TimeTag = { seconds: 8, nanos: 16 } as const
export const TextTag = { line: 10 } as const
export const LineTag = { value: 10, delimiter: 18 } as const
export const BinaryTag = { data: 18 } as const
export const DatagramTag = { data: 10, partial: 18 } as const
export const PartialTag = { index: 8, size: 16, last: 24 } as const
