import { RecoveryLogError } from '../errors/index.ts'
import {
  assertDescriptor,
  assertEntry,
  joinStreamPath,
  projectFault,
  secretFault,
  streamNameFault,
} from '../names/index.ts'
import type { NameFault } from '../names/index.ts'
import {
  decodeLogEntry,
  encodeDescriptor,
  encodeLogEntry,
  plainTextStreamIndex,
  StreamType,
} from '../wire/logdog/index.ts'
import type { BundleEntry, ButlerLogBundle, LogStreamDescriptor } from '../wire/logdog/index.ts'

/** What a bundle says of one stream, judged (log-archive spec, section 10). */
export interface BundleStream {
  readonly project: string
  readonly path: string
  readonly secret: Uint8Array
  /** Encoded, with its prefix. */
  readonly descriptor: Uint8Array
  /** -1: it goes on. */
  readonly terminalIndex: number
  /** The stream index of the first entry. */
  readonly from: number
  /** Encoded, without a gap. Mostly views of the bundle. */
  readonly entries: readonly Uint8Array[]
}

/** @throws RecoveryLogError `BUNDLE_INVALID` for a project or a prefix that is none: nothing of it can be taken then */
export function checkBundle({ project, prefix }: ButlerLogBundle): void {
  const fault = projectFault(project) ?? streamNameFault(prefix, 'prefix')
  if (fault !== undefined) throw invalid(fault, { project, prefix })
}

/** Whether an entry of a bundle says nothing at all. */
export function isJunk({ logs, terminal }: BundleEntry): boolean {
  return logs.length === 0 && !terminal
}

/**
 * Judges one entry of a bundle.
 *
 * @throws RecoveryLogError `BUNDLE_INVALID`, `DESCRIPTOR_INVALID`, `ENTRY_INVALID`; `CORRUPT` for a log that cannot be read
 */
export function readBundleEntry(bundle: ButlerLogBundle, entry: BundleEntry): BundleStream {
  const { project, prefix, secret } = bundle
  const place = { project, prefix, name: entry.desc?.name }
  const fault = secretFault(secret)
  if (fault !== undefined) throw invalid(fault, place)
  const descriptor = descriptorOf(bundle, entry)
  const { terminal, terminalIndex } = entry
  if (terminal && !Number.isSafeInteger(terminalIndex)) {
    const message = `a terminal index of ${terminalIndex} is not below 2^53`
    throw new RecoveryLogError('BUNDLE_INVALID', message, { ...place, terminalIndex })
  }
  return {
    project,
    path: joinStreamPath(prefix, descriptor.name),
    secret,
    descriptor: encodeDescriptor(descriptor),
    terminalIndex: terminal ? terminalIndex : -1,
    ...readLogs(entry.logs, descriptor),
  }
}

function descriptorOf({ project, prefix }: ButlerLogBundle, { desc }: BundleEntry): LogStreamDescriptor {
  if (desc === undefined) {
    throw new RecoveryLogError('BUNDLE_INVALID', 'an entry has no descriptor', { project, prefix })
  }
  if (desc.prefix !== '' && desc.prefix !== prefix) {
    const message = `an entry's prefix ${JSON.stringify(desc.prefix)} is not the bundle's`
    throw new RecoveryLogError('BUNDLE_INVALID', message, {
      project,
      prefix,
      name: desc.name,
      value: desc.prefix,
    })
  }
  const descriptor = { ...desc, prefix }
  assertDescriptor(descriptor)
  return descriptor
}

/**
 * Each log valid, and each the next of the one before. Lines as we and Go write them are kept as they came; others are
 * encoded anew, as Go does, so that the same entry always has the same bytes.
 */
function readLogs(
  logs: readonly Uint8Array[],
  { prefix, name, streamType }: LogStreamDescriptor,
): Pick<BundleStream, 'from' | 'entries'> {
  let from = 0
  const entries = logs.slice()
  for (let i = 0; i < logs.length; i++) {
    const log = logs[i] as Uint8Array
    let streamIndex = streamType === StreamType.text ? plainTextStreamIndex(log) : -1
    if (streamIndex < 0) {
      const entry = decodeLogEntry(log)
      assertEntry(entry, streamType)
      streamIndex = entry.streamIndex
      entries[i] = encodeLogEntry(entry)
    }
    if (i === 0) from = streamIndex
    if (streamIndex === from + i) continue
    throw new RecoveryLogError('BUNDLE_INVALID', `entry ${streamIndex} comes where ${from + i} should`, {
      prefix,
      name,
      streamIndex,
      expected: from + i,
    })
  }
  return { from, entries }
}

function invalid({ part, message }: NameFault, place: Readonly<Record<string, unknown>>): RecoveryLogError {
  return new RecoveryLogError('BUNDLE_INVALID', `the bundle's ${part} ${message}`, { ...place, part })
}
