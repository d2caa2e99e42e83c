import { RecoveryLogError } from '../errors/index.ts'

/** The rules of log-archive spec, section 2, that a name can break. */
export type NameRule =
  | 'empty' // at least one character
  | 'too long'
  | 'segment start' // each segment begins with an ASCII letter or digit
  | 'character' // and goes on with those, or : _ - .
  | 'separator at end'
  | 'no separator' // a path has a segment that is exactly +
  | 'scheme' // an address begins with logdog://
  | 'length' // a secret has exactly so many bytes

/** Which rule is broken, by which part of the name, and where. */
export interface NameFault {
  readonly rule: NameRule
  /** The part that breaks it: `name`, `prefix`, `tag key`, ... */
  readonly part: string
  /** Where in that part, counted in characters (code points). */
  readonly index: number
  /** The rule in words, with what was found. */
  readonly message: string
}

/** Throws the fault, when there is one, with the value that has it. */
export function assertNoFault(fault: NameFault | undefined, value: string): void {
  if (fault === undefined) return
  const { rule, part, index, message } = fault
  throw new RecoveryLogError('NAME_INVALID', `${part}: ${message}`, { rule, part, index, value })
}
