import { RecoveryLogError } from '../errors/index.ts'
import { StreamType } from '../wire/logdog/index.ts'
import type { LogEntry, LogStreamDescriptor } from '../wire/logdog/index.ts'
import { streamNameFault, tagFault } from './stream-name.ts'

/** What makes descriptors and entries valid (log-archive spec, section 3). */

/** What is wrong with a descriptor or an entry: the field, and why. */
export interface MessageFault {
  readonly field: string
  readonly message: string
}

/**
 * The first thing wrong with `descriptor`: it needs a valid name and, unless `withPrefix` is false, prefix; a known
 * type, a content type, a timestamp, and valid tags.
 */
export function descriptorFault(
  descriptor: LogStreamDescriptor,
  options: { readonly withPrefix?: boolean } = {},
): MessageFault | undefined {
  const { prefix, name, streamType, contentType, timestamp, tags } = descriptor
  const nameFault =
    (options.withPrefix === false ? undefined : streamNameFault(prefix, 'prefix')) ?? streamNameFault(name)
  if (nameFault !== undefined) return { field: nameFault.part, message: nameFault.message }
  if (!Object.values<number>(StreamType).includes(streamType)) {
    return { field: 'streamType', message: `${streamType} is no type of stream` }
  }
  if (contentType === '') return { field: 'contentType', message: 'is missing' }
  if (timestamp === undefined) return { field: 'timestamp', message: 'is missing' }
  for (const [key, value] of tags) {
    const fault = tagFault(key, value)
    if (fault !== undefined) {
      return { field: `tags ${JSON.stringify(key)}`, message: `${fault.part} ${fault.message}` }
    }
  }
  return undefined
}

/** @throws RecoveryLogError `DESCRIPTOR_INVALID` with the field */
export function assertDescriptor(
  descriptor: LogStreamDescriptor,
  options?: { readonly withPrefix?: boolean },
): void {
  const fault = descriptorFault(descriptor, options)
  if (fault === undefined) return
  const { field, message } = fault
  const { prefix, name } = descriptor
  throw new RecoveryLogError('DESCRIPTOR_INVALID', `${field} ${message}`, { field, prefix, name })
}

/**
 * What is wrong with an entry of a stream of `streamType`: text needs at least one line, binary at least one byte, a
 * datagram its content. Of a type that is not known every entry is taken.
 */
export function entryFault(entry: LogEntry, streamType: number): MessageFault | undefined {
  const { content } = entry
  if (streamType === StreamType.text) {
    if (content?.kind !== 'text' || content.lines.length === 0) {
      return { field: 'content', message: 'has no line' }
    }
  } else if (streamType === StreamType.binary) {
    if (content?.kind !== 'binary' || content.data.length === 0) {
      return { field: 'content', message: 'has no byte' }
    }
  } else if (streamType === StreamType.datagram) {
    if (content?.kind !== 'datagram') return { field: 'content', message: 'has no datagram' }
  }
  return undefined
}

/** @throws RecoveryLogError `ENTRY_INVALID` with the field and the entry's stream index */
export function assertEntry(entry: LogEntry, streamType: number): void {
  const fault = entryFault(entry, streamType)
  if (fault === undefined) return
  const { field, message } = fault
  const { streamIndex } = entry
  throw new RecoveryLogError('ENTRY_INVALID', `entry ${streamIndex}: ${field} ${message}`, {
    field,
    streamIndex,
  })
}
