import fc from 'fast-check'
import { StreamType } from '../wire/logdog/index.ts'
import type { LogStreamDescriptor } from '../wire/logdog/index.ts'
import { streamNames } from './stream-names.ts'

export interface DescriptorsOptions {
  /** Default: any. */
  readonly prefix?: string
  /** Default: any of the three. */
  readonly streamType?: LogStreamDescriptor['streamType']
}

/** Descriptors of streams that a coordinator takes (log-archive spec, section 3). */
export function descriptors(options: DescriptorsOptions = {}): fc.Arbitrary<LogStreamDescriptor> {
  const { prefix, streamType } = options
  return fc.record({
    prefix: prefix === undefined ? streamNames() : fc.constant(prefix),
    name: streamNames(),
    streamType:
      streamType === undefined ? fc.constantFrom(...Object.values(StreamType)) : fc.constant(streamType),
    contentType: fc.constantFrom('text/plain; charset=utf-8', 'application/octet-stream', 'x'),
    timestamp: fc.record({
      seconds: fc.integer({ min: 1, max: 4_000_000_000 }),
      nanos: fc.nat({ max: 999_999_999 }),
    }),
    tags: fc
      .array(fc.tuple(streamNames({ segmentsMax: 1 }), fc.string({ maxLength: 20 })), { maxLength: 4 })
      .map((tags) => new Map(tags)),
    binaryFileExt: fc.constantFrom('', 'txt', 'png', 'twelve-bytes', 'more-than-twelve-bytes'),
  })
}
