/**
 * Registers (recovery-log spec, section 8): matching a selector, and the changes that an append makes. Pure functions
 * over plain data, the same for every back end.
 */
import { RecoveryLogError } from '../errors/index.ts'
import type { Label, LabelMatch, LabelSelector } from './journal.ts'

/** As in Gazette, so that what one back end takes the others take. In bytes of UTF-8. */
export const REGISTER_NAME_BYTES_MAX = 64
export const REGISTER_VALUE_BYTES_MAX = 1024

/** Registers name owners; whoever wants more of them wants a database. Keeps what a group stores small. */
export const REGISTER_COUNT_MAX = 64

/** What an append asks of the registers: the part of an `AppendRequest` that is not bytes. */
export interface RegisterRequest {
  readonly check?: LabelSelector
  readonly subtract?: readonly Label[]
  readonly union?: readonly Label[]
}

interface MatchRule {
  readonly label: string
  readonly when: (match: LabelMatch) => boolean
  readonly holds: (wanted: string, value: string) => boolean
}

/** How one match looks at a value of its name: the first rule that applies decides. */
export const MATCH_RULES: readonly MatchRule[] = [
  { label: 'an empty value matches any', when: (m) => m.value === '', holds: () => true },
  {
    label: 'a prefix matches beginnings',
    when: (m) => m.prefix === true,
    holds: (wanted, value) => value.startsWith(wanted),
  },
  { label: 'else the values are equal', when: () => true, holds: (wanted, value) => value === wanted },
]

/** Whether registers match a selector. A journal with no registers at all matches every selector. */
export function registersMatch(registers: readonly Label[], selector: LabelSelector | undefined): boolean {
  if (selector === undefined || registers.length === 0) return true
  const holds = (match: LabelMatch): boolean => matchHolds(registers, match)
  if (selector.exclude?.some(holds) === true) return false
  const included = selector.include ?? []
  // Of several included values of one name one is enough.
  return included.every((match) => included.some((other) => other.name === match.name && holds(other)))
}

function matchHolds(registers: readonly Label[], match: LabelMatch): boolean {
  const rule = MATCH_RULES.find((candidate) => candidate.when(match))
  return registers.some(
    (register) => register.name === match.name && rule?.holds(match.value, register.value) === true,
  )
}

/** Throws `REGISTER_MISMATCH` when the registers do not match. Never to be retried: a newer owner has taken over. */
export function checkRegisters(
  journal: string,
  registers: readonly Label[],
  selector: LabelSelector | undefined,
): void {
  if (registersMatch(registers, selector)) return
  throw new RecoveryLogError('REGISTER_MISMATCH', 'the registers do not match the selector of the append', {
    journal,
    registers,
    selector,
  })
}

/**
 * The registers after an append: subtraction comes first and takes away each name whose values are exactly those
 * given; then union replaces all values of each name that it gives. Answers the same array when nothing is asked for.
 */
export function changeRegisters(registers: readonly Label[], request: RegisterRequest): readonly Label[] {
  const { subtract = [], union = [] } = request
  if (subtract.length === 0 && union.length === 0) return registers
  const values = valuesByName(registers)
  for (const [name, gone] of valuesByName(subtract)) {
    const held = values.get(name)
    if (held?.size === gone.size && [...gone].every((value) => held.has(value))) values.delete(name)
  }
  for (const [name, given] of valuesByName(union)) values.set(name, given)
  const changed = [...values].flatMap(([name, held]) => [...held].map((value) => ({ name, value })))
  if (changed.length > REGISTER_COUNT_MAX) {
    throw invalid('more registers than a journal may have', 'union', changed.length)
  }
  return changed.sort((a, b) => compareText(a.name, b.name) || compareText(a.value, b.value))
}

function valuesByName(labels: readonly Label[]): Map<string, Set<string>> {
  const values = new Map<string, Set<string>>()
  for (const { name, value } of labels) {
    const held = values.get(name)
    if (held === undefined) values.set(name, new Set([value]))
    else held.add(value)
  }
  return values
}

/** The order of the UTF-8 bytes, as Gazette has it: that of the code units, but for surrogates, which come last. */
function compareText(a: string, b: string): number {
  const length = Math.min(a.length, b.length)
  for (let i = 0; i < length; i++) {
    const x = a.charCodeAt(i)
    const y = b.charCodeAt(i)
    if (x !== y) return isSurrogate(x) === isSurrogate(y) ? x - y : isSurrogate(x) ? 1 : -1
  }
  return a.length - b.length
}

/** Only asked where one of two units that differ may lie above the surrogates: below them the order is the same. */
function isSurrogate(unit: number): boolean {
  return unit >= 0xd800 && unit <= 0xdfff
}

/**
 * Refuses what is malformed with `REGISTER_INVALID`, naming the place and the value, before anything is changed: names
 * and values, and any change of registers, even an empty one, by an append without content.
 */
export function validateRegisterRequest(request: RegisterRequest, contentBytes: number): void {
  for (const place of ['subtract', 'union'] as const) {
    const labels = request[place]
    if (labels === undefined) continue
    if (contentBytes === 0) throw invalid('an append without content cannot change registers', place, labels)
    validateLabels(labels, place)
  }
  for (const place of ['include', 'exclude'] as const) {
    const matches = request.check?.[place]
    if (matches === undefined) continue
    validateLabels(matches, `check.${place}`)
    matches.forEach((match, index) => {
      if (match.prefix !== undefined && typeof match.prefix !== 'boolean') {
        throw invalid('not a boolean', `check.${place}[${String(index)}].prefix`, match.prefix)
      }
    })
  }
}

function validateLabels(labels: readonly Label[], place: string): void {
  if (!Array.isArray(labels)) throw invalid('not a list', place, labels)
  if (labels.length > REGISTER_COUNT_MAX) throw invalid('too many', place, labels.length)
  labels.forEach((label: Label, index) => {
    const at = `${place}[${String(index)}]`
    validateText(label.name, `${at}.name`, 1, REGISTER_NAME_BYTES_MAX)
    validateText(label.value, `${at}.value`, 0, REGISTER_VALUE_BYTES_MAX)
  })
}

const utf8 = new TextEncoder()

function validateText(text: unknown, place: string, bytesMin: number, bytesMax: number): void {
  if (typeof text !== 'string') throw invalid('not a string', place, text)
  if (text.length < bytesMin) throw invalid('empty', place, text)
  if (text.length > bytesMax || utf8.encode(text).length > bytesMax) throw invalid('too long', place, text)
  // Control characters; and halves of surrogate pairs, which have no UTF-8.
  if (/[\p{Cc}\p{Cs}]/u.test(text)) throw invalid('a character that a label cannot hold', place, text)
}

function invalid(why: string, place: string, value: unknown): RecoveryLogError {
  return new RecoveryLogError('REGISTER_INVALID', `${place}: ${why}`, { place, value })
}
