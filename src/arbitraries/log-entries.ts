import fc from 'fast-check'
import { StreamType } from '../wire/logdog/index.ts'
import type { LogContent, LogEntry, LogStreamDescriptor } from '../wire/logdog/index.ts'
import { descriptors } from './descriptors.ts'
import type { DescriptorsOptions } from './descriptors.ts'

type Type = LogStreamDescriptor['streamType']

const bytes = fc.uint8Array({ minLength: 1, maxLength: 200 })

const texts: fc.Arbitrary<LogContent> = fc.record({
  kind: fc.constant('text' as const),
  lines: fc.array(
    fc.record({
      value: fc.uint8Array({ maxLength: 200 }),
      delimiter: fc.oneof(fc.constantFrom('', '\n', '\r\n'), fc.string({ unit: 'grapheme', maxLength: 5 })),
    }),
    { minLength: 1, maxLength: 5 },
  ),
})
const binaries: fc.Arbitrary<LogContent> = fc.record({ kind: fc.constant('binary' as const), data: bytes })
const datagrams: fc.Arbitrary<LogContent> = fc.record({
  kind: fc.constant('datagram' as const),
  data: bytes,
  partial: fc.option(
    fc.record({ index: fc.nat({ max: 2 ** 32 - 1 }), size: fc.nat({ max: 1000 }), last: fc.boolean() }),
    { nil: undefined },
  ),
})

/** What an entry of a stream of this type may hold. */
export function logContents(type: Type): fc.Arbitrary<LogContent> {
  if (type === StreamType.text) return texts
  return type === StreamType.binary ? binaries : datagrams
}

/** A stream as its writer has it. */
export interface WrittenStream {
  readonly descriptor: LogStreamDescriptor
  /** In order; without a gap when `gaps` is false. */
  readonly entries: readonly LogEntry[]
  /** The last entry's stream index, or -1: it never ends. */
  readonly terminalIndex: number
}

export interface WrittenStreamsOptions extends DescriptorsOptions {
  /** Default 20. */
  readonly entriesMax?: number
  /** Whether indexes may be missing: no archive is complete then. Default false. */
  readonly gaps?: boolean
}

/** Streams whose entries are valid, rise in every index and in time: an archive has each of them, byte by byte. */
export function writtenStreams(options: WrittenStreamsOptions = {}): fc.Arbitrary<WrittenStream> {
  const { entriesMax = 20, gaps = false } = options
  return descriptors(options).chain((descriptor) => {
    const step = fc.record({
      gap: gaps ? fc.constantFrom(0, 0, 0, 1, 5) : fc.constant(0),
      prefix: fc.nat({ max: 9 }),
      sequence: fc.nat({ max: 99 }),
      millis: fc.nat({ max: 5000 }),
      content: logContents(descriptor.streamType),
    })
    return fc.tuple(fc.array(step, { maxLength: entriesMax }), fc.boolean()).map(([steps, ends]) => {
      let next = { streamIndex: 0, prefixIndex: 0, sequence: 0, ms: 0 }
      const entries: LogEntry[] = steps.map(({ gap, prefix, sequence, millis, content }) => {
        const at = { ...next, streamIndex: next.streamIndex + gap }
        next = {
          streamIndex: at.streamIndex + 1,
          prefixIndex: at.prefixIndex + 1 + prefix,
          sequence: at.sequence + 1 + sequence,
          ms: at.ms + millis,
        }
        const seconds = Math.floor(at.ms / 1000)
        const timeOffset = { seconds, nanos: (at.ms - seconds * 1000) * 1_000_000 }
        const { streamIndex, prefixIndex } = at
        return { timeOffset, prefixIndex, streamIndex, sequence: at.sequence, content }
      })
      return { descriptor, entries, terminalIndex: ends ? next.streamIndex - 1 : -1 }
    })
  })
}
