import { assertNoFault } from './name-fault.ts'
import type { NameFault } from './name-fault.ts'

/**
 * Stream names (log-archive spec, section 2): segments joined by `/`, each an ASCII letter or digit and then those or
 * `: _ - .`. Prefixes and the keys of tags are names of the same kind.
 */

/** The longest stream name, in bytes of UTF-8. */
export const STREAM_NAME_BYTES_MAX = 4096
/** The longest key of a tag, in bytes. */
export const TAG_KEY_BYTES_MAX = 64
/** The longest value of a tag, in bytes of UTF-8. */
export const TAG_VALUE_BYTES_MAX = 4096
/** A prefix secret has exactly this many random bytes. */
export const PREFIX_SECRET_BYTES = 36
/** A retry nonce has exactly this many random bytes. */
export const RETRY_NONCE_BYTES = 32

export const SEPARATOR = '/'

const ALPHANUMERIC = /^[A-Za-z0-9]$/
const SEGMENT_CHARACTER = /^[A-Za-z0-9:_.-]$/
const encoder = new TextEncoder()

/** How many bytes `text` has in UTF-8. Half a surrogate pair counts as its replacement. */
export function utf8Bytes(text: string): number {
  return encoder.encode(text).length
}

/** The first rule that `name` breaks, lengths before characters. `part` is how the fault calls it. */
export function streamNameFault(name: string, part = 'name'): NameFault | undefined {
  if (name === '') return { rule: 'empty', part, index: 0, message: 'must have at least one character' }
  const bytes = utf8Bytes(name)
  if (bytes > STREAM_NAME_BYTES_MAX) {
    return {
      rule: 'too long',
      part,
      index: 0,
      message: `has ${bytes} bytes, more than ${STREAM_NAME_BYTES_MAX}`,
    }
  }
  let index = 0
  let isStart = true
  for (const character of name) {
    if (isStart && !ALPHANUMERIC.test(character)) {
      return {
        rule: 'segment start',
        part,
        index,
        message: `the segment at ${index} must begin with a letter or digit`,
      }
    }
    isStart = character === SEPARATOR
    if (!isStart && !SEGMENT_CHARACTER.test(character)) {
      return {
        rule: 'character',
        part,
        index,
        message: `${JSON.stringify(character)} at ${index} is not allowed`,
      }
    }
    index++
  }
  if (!isStart) return undefined
  return { rule: 'separator at end', part, index: index - 1, message: 'must not end with /' }
}

/** @throws RecoveryLogError `NAME_INVALID` with rule, part, index and value */
export function assertStreamName(name: string, part?: string): void {
  assertNoFault(streamNameFault(name, part), name)
}

/** The first rule that a tag breaks: its key is a stream name of at most 64 bytes, its value has at most 4096. */
export function tagFault(key: string, value: string): NameFault | undefined {
  const part = 'tag key'
  const fault = streamNameFault(key, part)
  if (fault !== undefined) return fault
  if (key.length > TAG_KEY_BYTES_MAX) {
    return {
      rule: 'too long',
      part,
      index: 0,
      message: `has ${key.length} bytes, more than ${TAG_KEY_BYTES_MAX}`,
    }
  }
  const bytes = utf8Bytes(value)
  if (bytes <= TAG_VALUE_BYTES_MAX) return undefined
  return {
    rule: 'too long',
    part: 'tag value',
    index: 0,
    message: `has ${bytes} bytes, more than ${TAG_VALUE_BYTES_MAX}`,
  }
}

/** A project: lower-case ASCII letters, digits, `-` and `_`, a letter first. */
export function projectFault(project: string): NameFault | undefined {
  const part = 'project'
  if (project === '') return { rule: 'empty', part, index: 0, message: 'must have at least one character' }
  let index = 0
  for (const character of project) {
    if (!/^[a-z0-9_-]$/.test(character)) {
      return {
        rule: 'character',
        part,
        index,
        message: `${JSON.stringify(character)} at ${index} is not allowed`,
      }
    }
    if (index === 0 && !/^[a-z]$/.test(character)) {
      return { rule: 'segment start', part, index, message: 'must begin with a letter' }
    }
    index++
  }
  return undefined
}

/** @throws RecoveryLogError `NAME_INVALID` with rule, part, index and value */
export function assertProject(project: string): void {
  assertNoFault(projectFault(project), project)
}

/** A prefix secret is judged by its length alone. */
export function secretFault(secret: Uint8Array): NameFault | undefined {
  if (secret.length === PREFIX_SECRET_BYTES) return undefined
  const message = `has ${secret.length} bytes, not ${PREFIX_SECRET_BYTES}`
  return { rule: 'length', part: 'secret', index: 0, message }
}

/** `text` without the separators at its ends. */
export function trimSeparators(text: string): string {
  return text.replace(/^\/+|\/+$/g, '')
}

/** Joins parts with `/`: empty ones are passed over, separators at the ends of the others too. Nothing is validated. */
export function constructName(...parts: readonly string[]): string {
  return parts
    .filter((part) => part !== '')
    .map(trimSeparators)
    .join(SEPARATOR)
}

/**
 * Makes a stream name of any texts, one segment each: what is not allowed becomes `_`, and a segment that would not
 * begin with a letter or digit gets `fill` before it.
 *
 * @throws RecoveryLogError `NAME_INVALID` when there is no segment, when `fill` is needed and no name itself, and when
 * the name is too long
 */
export function makeStreamName(fill: string, segments: readonly string[]): string {
  if (segments.length === 0) assertStreamName('')
  const made = segments.map((segment) => {
    const clean = Array.from(segment, (character) =>
      SEGMENT_CHARACTER.test(character) ? character : '_',
    ).join('')
    if (ALPHANUMERIC.test(clean.charAt(0))) return clean
    assertStreamName(fill, 'fill')
    return fill + clean
  })
  const name = constructName(...made)
  assertStreamName(name)
  return name
}

/** The name's last segment, and what comes before it. */
export function splitName(name: string): { readonly parent: string; readonly last: string } {
  const at = name.lastIndexOf(SEPARATOR)
  return { parent: name.slice(0, Math.max(at, 0)), last: name.slice(at + 1) }
}

/** The name's segments; of the empty name, none. */
export function nameSegments(name: string): string[] {
  return name === '' ? [] : name.split(SEPARATOR)
}

/** The namespaces that a name lies in, innermost first: each ends with `/`, the last is empty. */
export function namespacesOf(name: string): string[] {
  const namespaces: string[] = []
  for (
    let at = name.lastIndexOf(SEPARATOR);
    at >= 0;
    at = at === 0 ? -1 : name.lastIndexOf(SEPARATOR, at - 1)
  ) {
    namespaces.push(name.slice(0, at + 1))
  }
  return [...namespaces, '']
}

/** A name as a namespace: with a separator at its end. */
export function asNamespace(name: string): string {
  return name === '' || name.endsWith(SEPARATOR) ? name : name + SEPARATOR
}
