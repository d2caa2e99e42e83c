import { RecoveryLogError } from '../../errors/index.ts'
import { encodeRecord, readRecordHeader, recordTooLarge } from '../recordio.ts'
import type { RecordHeader } from '../recordio.ts'
import { descriptorOf, staticDescriptor } from './descriptor.ts'
import type { LogStreamDescriptor } from './descriptor.ts'
import type { WithUnknown } from './log-entry.ts'
import { logdog } from './static.js'
import type { StaticBundle, StaticBundleEntry } from './static.js'
import { decodeStatic, numberOf, staticTime, timeOf, unknownOf, unknownsFor } from './static-message.ts'
import type { Time } from './time.ts'

/**
 * Butler bundles: what sources send to collectors. On the transport a bundle is two RecordIO frames, `ButlerMetadata`
 * and the `ButlerLogBundle`, compressed as the metadata says (log-archive spec, sections 4 and 10).
 */

/** The largest bundle, compressed and inflated, in bytes: that size included. */
export const BUNDLE_BYTES_MAX = 10 * 1024 * 1024

/** The version of the protocol that is spoken here. */
export const PROTOCOL_VERSION = '1'

/** From this size on, in bytes, a writer compresses by default: as LUCI does, whose packets are cheap below it. */
export const COMPRESS_BYTES_MIN = 860

export const BundleContentType = { invalid: 0, bundle: 1 } as const
export const BundleCompression = { none: 0, zlib: 1 } as const

/**
 * Inflates zlib data, handed in: answers at most `maxBytes` bytes, else throws, as it does on broken data. What lies
 * behind the zlib stream is ignored. `recoverylog/node` fills it with the system's.
 */
export type Inflate = (bytes: Uint8Array, maxBytes: number) => Uint8Array

/** Compresses into zlib data, handed in. */
export type Deflate = (bytes: Uint8Array) => Uint8Array

export interface ButlerMetadata extends WithUnknown {
  /** One of `BundleContentType`, else unknown. */
  type: number
  /** One of `BundleCompression`, else unknown. */
  compression: number
  protoVersion: string
}

/** The entries of one stream in a bundle. */
export interface BundleEntry extends WithUnknown {
  desc?: LogStreamDescriptor | undefined
  deprecatedEntrySecret: Uint8Array
  terminal: boolean
  /** Only when `terminal`. From 2^53 on it is not a safe integer when read, which is bad data. */
  terminalIndex: number
  /** Each an encoded `LogEntry`, so that one that is damaged spoils only its own stream. */
  logs: readonly Uint8Array[]
}

export interface ButlerLogBundle extends WithUnknown {
  deprecatedSource: string
  timestamp?: Time | undefined
  entries: readonly BundleEntry[]
  project: string
  prefix: string
  secret: Uint8Array
}

export interface UnpackedBundle {
  readonly metadata: ButlerMetadata
  /** Absent when the protocol version is not ours. */
  readonly bundle: ButlerLogBundle | undefined
}

/**
 * Takes a message of the transport apart. What lies behind its second frame is ignored.
 *
 * @throws RecoveryLogError `BUNDLE_INVALID` for another type, an unknown compression, or data that cannot be inflated
 * to at most 10 MiB; `FRAME_TOO_LARGE`, `UNEXPECTED_END`, `VARINT_OVERFLOW` for its frames; `CORRUPT` for its messages
 */
export function unpackBundle(message: Uint8Array, parts: { readonly inflate: Inflate }): UnpackedBundle {
  const header = frameAt(message, 0)
  const dataBegin = header.dataBegin + header.length
  const metadata = decodeMetadata(message.subarray(header.dataBegin, dataBegin))
  if (metadata.type !== BundleContentType.bundle) {
    throw new RecoveryLogError('BUNDLE_INVALID', `a message of type ${metadata.type} is no bundle`, {
      type: metadata.type,
    })
  }
  const data = frameAt(message, dataBegin)
  const frame = message.subarray(data.dataBegin, data.dataBegin + data.length)
  const bytes = inflated(frame, metadata.compression, parts.inflate)
  return { metadata, bundle: metadata.protoVersion === PROTOCOL_VERSION ? decodeBundle(bytes) : undefined }
}

export interface PackOptions {
  /** Compresses; without it bundles go plain. */
  readonly deflate?: Deflate
  /** Smaller bundles, in bytes, go plain. Default 860. */
  readonly compressBytesMin?: number
  /** Default "1". */
  readonly protoVersion?: string
}

/**
 * Puts a message for the transport together.
 *
 * @throws RecoveryLogError `BUNDLE_INVALID` when the bundle has more than 10 MiB
 */
export function packBundle(bundle: ButlerLogBundle, options: PackOptions = {}): Uint8Array {
  const plain = encodeBundle(bundle)
  if (plain.length > BUNDLE_BYTES_MAX) {
    throw new RecoveryLogError(
      'BUNDLE_INVALID',
      `a bundle of ${plain.length} bytes passes ${BUNDLE_BYTES_MAX}`,
      {
        bytes: plain.length,
        maxBytes: BUNDLE_BYTES_MAX,
      },
    )
  }
  const { deflate, compressBytesMin = COMPRESS_BYTES_MIN, protoVersion = PROTOCOL_VERSION } = options
  const deflated = deflate !== undefined && plain.length >= compressBytesMin ? deflate(plain) : undefined
  // What cannot be compressed may grow past the limit: then it is better plain.
  const compressed = deflated !== undefined && deflated.length <= BUNDLE_BYTES_MAX
  const metadata = encodeRecord(
    encodeMetadata({
      type: BundleContentType.bundle,
      compression: compressed ? BundleCompression.zlib : BundleCompression.none,
      protoVersion,
    }),
  )
  const data = encodeRecord(compressed ? deflated : plain)
  const message = new Uint8Array(metadata.length + data.length)
  message.set(metadata)
  message.set(data, metadata.length)
  return message
}

/** @throws RecoveryLogError `CORRUPT` */
export function decodeMetadata(bytes: Uint8Array): ButlerMetadata {
  return decodeStatic('ButlerMetadata', bytes, (reader) => {
    const message = logdog.ButlerMetadata.decode(reader)
    const { type, compression, protoVersion } = message
    return { type, compression, protoVersion, unknown: unknownOf(message) }
  })
}

export function encodeMetadata(metadata: ButlerMetadata): Uint8Array {
  const { type, compression, protoVersion, unknown } = metadata
  return logdog.ButlerMetadata.encode({ type, compression, protoVersion, ...unknownsFor(unknown) }).finish()
}

/** @throws RecoveryLogError `CORRUPT` */
export function decodeBundle(bytes: Uint8Array): ButlerLogBundle {
  return decodeStatic('ButlerLogBundle', bytes, (reader) => {
    const message = logdog.ButlerLogBundle.decode(reader)
    return {
      deprecatedSource: message.deprecatedSource,
      timestamp: timeOf(message.timestamp),
      entries: message.entries.map(bundleEntryOf),
      project: message.project,
      prefix: message.prefix,
      secret: message.secret,
      unknown: unknownOf(message),
    }
  })
}

/** Throws RangeError for a terminal index that is no safe integer from 0. */
export function encodeBundle(bundle: ButlerLogBundle): Uint8Array {
  const { deprecatedSource, timestamp, entries, project, prefix, secret, unknown } = bundle
  const message: StaticBundle = {
    deprecatedSource,
    timestamp: staticTime(timestamp),
    entries: entries.map(staticBundleEntry),
    project,
    prefix,
    secret,
    ...unknownsFor(unknown),
  }
  return logdog.ButlerLogBundle.encode(message).finish()
}

function bundleEntryOf(message: StaticBundleEntry): BundleEntry {
  return {
    desc: message.desc === null ? undefined : descriptorOf(message.desc),
    deprecatedEntrySecret: message.deprecatedEntrySecret,
    terminal: message.terminal,
    terminalIndex: numberOf(message.terminalIndex),
    logs: message.logs,
    unknown: unknownOf(message),
  }
}

function staticBundleEntry(entry: BundleEntry): StaticBundleEntry {
  const { desc, deprecatedEntrySecret, terminal, terminalIndex, logs, unknown } = entry
  if (!Number.isSafeInteger(terminalIndex) || terminalIndex < 0) {
    throw new RangeError(`expected a safe integer from 0 for terminalIndex, got ${terminalIndex}`)
  }
  return {
    desc: desc === undefined ? null : staticDescriptor(desc),
    deprecatedEntrySecret,
    terminal,
    terminalIndex,
    logs,
    ...unknownsFor(unknown),
  }
}

/** The frame of a message at `begin`, which must be there whole. */
function frameAt(message: Uint8Array, begin: number): RecordHeader {
  const header = { length: 0, dataBegin: 0 }
  if (readRecordHeader(message, begin, message.length, header)) {
    if (header.length > BUNDLE_BYTES_MAX) throw recordTooLarge(begin, header.length, BUNDLE_BYTES_MAX)
    if (header.length <= message.length - header.dataBegin) return header
  }
  throw new RecoveryLogError('UNEXPECTED_END', `the message ends inside its frame at ${begin}`, {
    offset: begin,
    bytes: message.length - begin,
  })
}

function inflated(frame: Uint8Array, compression: number, inflate: Inflate): Uint8Array {
  if (compression === BundleCompression.none) return frame
  if (compression !== BundleCompression.zlib) {
    throw new RecoveryLogError('BUNDLE_INVALID', `compression ${compression} is not known`, { compression })
  }
  let bytes: Uint8Array
  try {
    bytes = inflate(frame, BUNDLE_BYTES_MAX)
  } catch (cause) {
    throw new RecoveryLogError(
      'BUNDLE_INVALID',
      `its zlib data is broken, or inflates to more than ${BUNDLE_BYTES_MAX} bytes`,
      { compressedBytes: frame.length, maxBytes: BUNDLE_BYTES_MAX },
      { cause },
    )
  }
  if (bytes.length <= BUNDLE_BYTES_MAX) return bytes
  throw new RecoveryLogError('BUNDLE_INVALID', `it inflates to ${bytes.length} bytes`, {
    bytes: bytes.length,
    maxBytes: BUNDLE_BYTES_MAX,
  })
}
