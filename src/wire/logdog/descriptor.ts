import { RecoveryLogError } from '../../errors/index.ts'
import { utf8Length } from '../utf8.ts'
import type { WithUnknown } from './log-entry.ts'
import { logdog } from './static.js'
import type { StaticDescriptor } from './static.js'
import { decodeStatic, staticTime, timeOf, unknownOf, unknownsFor } from './static-message.ts'
import type { Time } from './time.ts'

/** The kinds of streams. A number that is none of them is kept, and is not valid. */
export const StreamType = { text: 0, binary: 1, datagram: 2 } as const

/** What a stream is: the first frame of an archive (log-archive spec, section 3). */
export interface LogStreamDescriptor extends WithUnknown {
  prefix: string
  name: string
  /** One of `StreamType`, an int32. */
  streamType: number
  contentType: string
  /** When the stream began: what its entries' time offsets count from. */
  timestamp?: Time | undefined
  tags: ReadonlyMap<string, string>
  /** Of the data file of an archive, without a dot. Any text: it is judged before it is used. */
  binaryFileExt: string
}

/** @throws RecoveryLogError `CORRUPT` */
export function decodeDescriptor(bytes: Uint8Array): LogStreamDescriptor {
  return decodeStatic('LogStreamDescriptor', bytes, (reader) =>
    descriptorOf(logdog.LogStreamDescriptor.decode(reader)),
  )
}

/**
 * Encodes `descriptor`, its tags ordered by key; keys that are whole numbers come first.
 *
 * @throws RecoveryLogError `DESCRIPTOR_INVALID` for text with half a surrogate pair
 */
export function encodeDescriptor(descriptor: LogStreamDescriptor): Uint8Array {
  return logdog.LogStreamDescriptor.encode(staticDescriptor(descriptor)).finish()
}

export function descriptorOf(message: StaticDescriptor): LogStreamDescriptor {
  return {
    prefix: message.prefix,
    name: message.name,
    streamType: message.streamType,
    contentType: message.contentType,
    timestamp: timeOf(message.timestamp),
    tags: new Map(Object.entries(message.tags)),
    binaryFileExt: message.binaryFileExt,
    unknown: unknownOf(message),
  }
}

export function staticDescriptor(descriptor: LogStreamDescriptor): StaticDescriptor {
  const { prefix, name, streamType, contentType, timestamp, tags, binaryFileExt, unknown } = descriptor
  for (const text of [prefix, name, contentType, binaryFileExt, ...tags.keys(), ...tags.values()]) {
    if (!Number.isNaN(utf8Length(text))) continue
    throw new RecoveryLogError('DESCRIPTOR_INVALID', 'half a surrogate pair has no UTF-8', { value: text })
  }
  const sorted = [...tags].sort(([a], [b]) => compareByCodePoints(a, b))
  return {
    prefix,
    name,
    streamType,
    contentType,
    timestamp: staticTime(timestamp),
    tags: Object.fromEntries(sorted),
    binaryFileExt,
    ...unknownsFor(unknown),
  }
}

/** The order of code points is that of bytes in UTF-8; that of UTF-16 units, which `<` takes, is not. */
function compareByCodePoints(a: string, b: string): number {
  const left = Array.from(a)
  const right = Array.from(b)
  for (let i = 0; i < left.length && i < right.length; i++) {
    const difference = (left[i]?.codePointAt(0) ?? 0) - (right[i]?.codePointAt(0) ?? 0)
    if (difference !== 0) return difference
  }
  return left.length - right.length
}
