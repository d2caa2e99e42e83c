/**
 * A set of hints as it is stored (durable-directory spec, section 3): the manifest, and what tells when, by whom and
 * from where it was made. On disk it is three lines: a magic word with the crc32c of all that follows; a JSON header;
 * and the hints as Go writes them, so that `tail -n 1` of the file is what a Gazette player reads.
 */
import { RecoveryLogError } from '../errors/index.ts'
import type { FSMHints } from '../fsm/index.ts'
import { crc32c, hintsFromJson, hintsToJson } from '../wire/index.ts'

const MAGIC = 'recoverylog-hints-1'
/** The first line is the magic word, a space, eight hex digits and a line feed. */
const FIRST_LINE_BYTES = MAGIC.length + 10

/**
 * The order of owners: the generation, then the offset of the owner's hand-off. A change of log and an accepted loss
 * begin a new generation, since offsets of different logs cannot be compared.
 */
export type Since = readonly [generation: number, handoffOffset: number]

/** A place in a log: `end` is where an append ended. */
export interface LogPosition {
  readonly log: string
  readonly end: number
}

/** A journal's name, and the identity that it had: another id is another journal (adapters spec, J13). */
export interface JournalIdentity {
  readonly name: string
  readonly id: string
}

export interface HintsSet {
  /** Milliseconds since 1970, by the owner's clock. For people: nothing is decided by it. */
  readonly time: number
  readonly author: number
  readonly since: Since
  /** The committed head when the hints were built. */
  readonly end: LogPosition
  readonly journals: readonly JournalIdentity[]
  readonly hints: FSMHints
}

/** Below 0 when `a` is of an earlier owner than `b`, above 0 when of a later one. */
export function compareSince(a: Since, b: Since): number {
  return a[0] - b[0] || a[1] - b[1]
}

/** The bytes of a set, with the keys of the sets that its store keeps as backups. */
export function encodeHintsSet(set: HintsSet, backups: readonly string[]): Uint8Array {
  const { time, author, since, end, journals } = set
  const header = new TextEncoder().encode(
    `${JSON.stringify({ time, author, since, end, journals, backups })}\n`,
  )
  const hints = hintsToJson(set.hints)
  const bytes = new Uint8Array(FIRST_LINE_BYTES + header.length + hints.length + 1)
  bytes.set(header, FIRST_LINE_BYTES)
  bytes.set(hints, FIRST_LINE_BYTES + header.length)
  bytes[bytes.length - 1] = 0x0a
  const firstLine = firstLineOf(bytes)
  for (let i = 0; i < FIRST_LINE_BYTES; i++) bytes[i] = firstLine.charCodeAt(i)
  return bytes
}

/** @throws `HINTS_INVALID` with the key when the bytes are no set, or do not match their checksum. */
export function decodeHintsSet(
  key: string,
  bytes: Uint8Array,
): { set: HintsSet; backups: readonly string[] } {
  const fail = (reason: string, cause?: unknown): never => {
    throw new RecoveryLogError('HINTS_INVALID', `stored hints ${key}: ${reason}`, { key, reason }, { cause })
  }
  if (bytes.length < FIRST_LINE_BYTES) fail('they are cut off')
  const firstLine = String.fromCharCode(...bytes.subarray(0, FIRST_LINE_BYTES))
  if (!firstLine.startsWith(`${MAGIC} `)) fail('they do not begin with the magic word')
  if (firstLine !== firstLineOf(bytes)) fail('their checksum does not match')
  const headerEnd = bytes.indexOf(0x0a, FIRST_LINE_BYTES)
  try {
    const text = new TextDecoder('utf-8', { fatal: true }).decode(bytes.subarray(FIRST_LINE_BYTES, headerEnd))
    const { backups, ...header } = checkHeader(JSON.parse(text))
    return { set: { ...header, hints: hintsFromJson(bytes.subarray(headerEnd + 1)) }, backups }
  } catch (error) {
    return fail('they cannot be decoded', error)
  }
}

/** The magic word, and the checksum of what follows the first line. */
function firstLineOf(bytes: Uint8Array): string {
  const checksum = crc32c(0, bytes, FIRST_LINE_BYTES) >>> 0
  return `${MAGIC} ${checksum.toString(16).padStart(8, '0')}\n`
}

type Header = Omit<HintsSet, 'hints'> & { readonly backups: readonly string[] }

function checkHeader(value: unknown): Header {
  const header = value as Header
  const isCount = (n: unknown): boolean => Number.isSafeInteger(n) && (n as number) >= 0
  const isValid =
    typeof value === 'object' &&
    value !== null &&
    isCount(header.time) &&
    isCount(header.author) &&
    Array.isArray(header.since) &&
    (header.since as readonly unknown[]).length === 2 &&
    header.since.every(isCount) &&
    typeof header.end.log === 'string' &&
    isCount(header.end.end) &&
    Array.isArray(header.journals) &&
    header.journals.every(({ name, id }) => typeof name === 'string' && typeof id === 'string') &&
    Array.isArray(header.backups) &&
    header.backups.every((key) => typeof key === 'string')
  if (!isValid) throw new TypeError('the header lacks a field, or has one of another type')
  return header
}
