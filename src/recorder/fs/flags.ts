/** Flags of `open`, as strings and as numbers. */
import { argumentError } from './errors.ts'

/** The numbers of the flags, which differ from system to system. */
export interface FlagNumbers {
  readonly O_WRONLY: number
  readonly O_RDWR: number
  readonly O_CREAT: number
  readonly O_EXCL: number
  readonly O_TRUNC: number
  readonly O_APPEND: number
  readonly O_SYNC: number
  readonly O_NOFOLLOW: number
}

/** Those of Linux, for a file system that names none. */
export const LINUX_FLAGS: FlagNumbers = {
  O_WRONLY: 0o1,
  O_RDWR: 0o2,
  O_CREAT: 0o100,
  O_EXCL: 0o200,
  O_TRUNC: 0o1000,
  O_APPEND: 0o2000,
  O_SYNC: 0o4010000,
  O_NOFOLLOW: 0o400000,
}

type FlagName = keyof FlagNumbers

/** Every string that Node takes. `r` is the absence of all others. */
export const FLAG_STRINGS: Readonly<Record<string, readonly FlagName[]>> = {
  r: [],
  rs: ['O_SYNC'],
  sr: ['O_SYNC'],
  'r+': ['O_RDWR'],
  'rs+': ['O_RDWR', 'O_SYNC'],
  'sr+': ['O_RDWR', 'O_SYNC'],
  w: ['O_WRONLY', 'O_CREAT', 'O_TRUNC'],
  wx: ['O_WRONLY', 'O_CREAT', 'O_TRUNC', 'O_EXCL'],
  xw: ['O_WRONLY', 'O_CREAT', 'O_TRUNC', 'O_EXCL'],
  'w+': ['O_RDWR', 'O_CREAT', 'O_TRUNC'],
  'wx+': ['O_RDWR', 'O_CREAT', 'O_TRUNC', 'O_EXCL'],
  'xw+': ['O_RDWR', 'O_CREAT', 'O_TRUNC', 'O_EXCL'],
  a: ['O_WRONLY', 'O_CREAT', 'O_APPEND'],
  ax: ['O_WRONLY', 'O_CREAT', 'O_APPEND', 'O_EXCL'],
  xa: ['O_WRONLY', 'O_CREAT', 'O_APPEND', 'O_EXCL'],
  as: ['O_WRONLY', 'O_CREAT', 'O_APPEND', 'O_SYNC'],
  sa: ['O_WRONLY', 'O_CREAT', 'O_APPEND', 'O_SYNC'],
  'a+': ['O_RDWR', 'O_CREAT', 'O_APPEND'],
  'ax+': ['O_RDWR', 'O_CREAT', 'O_APPEND', 'O_EXCL'],
  'xa+': ['O_RDWR', 'O_CREAT', 'O_APPEND', 'O_EXCL'],
  'as+': ['O_RDWR', 'O_CREAT', 'O_APPEND', 'O_SYNC'],
  'sa+': ['O_RDWR', 'O_CREAT', 'O_APPEND', 'O_SYNC'],
}

/** What flags ask for. */
export interface OpenFlags {
  /** For the underlying file system. */
  readonly number: number
  readonly readable: boolean
  readonly writable: boolean
  readonly append: boolean
  readonly create: boolean
  readonly exclusive: boolean
  readonly truncate: boolean
  readonly noFollow: boolean
}

/** Reads flags, `r` when there are none. `ERR_INVALID_ARG_VALUE` for a string that is none, as Node says it. */
export function parseFlags(flags: unknown, numbers: FlagNumbers): OpenFlags {
  const number = flagsNumber(flags ?? 'r', numbers)
  const has = (name: FlagName): boolean => (number & numbers[name]) !== 0
  return {
    number,
    readable: !has('O_WRONLY'),
    writable: has('O_WRONLY') || has('O_RDWR'),
    append: has('O_APPEND'),
    create: has('O_CREAT'),
    exclusive: has('O_CREAT') && has('O_EXCL'),
    truncate: has('O_TRUNC'),
    noFollow: has('O_NOFOLLOW'),
  }
}

function flagsNumber(flags: unknown, numbers: FlagNumbers): number {
  if (typeof flags === 'number' && Number.isInteger(flags)) return flags
  const names =
    typeof flags === 'string' && Object.hasOwn(FLAG_STRINGS, flags) ? FLAG_STRINGS[flags] : undefined
  if (names === undefined) {
    const shown = typeof flags === 'string' ? `'${flags}'` : String(flags)
    throw argumentError('ERR_INVALID_ARG_VALUE', `The argument 'flags' is invalid. Received ${shown}`)
  }
  return names.reduce((number, name) => number | numbers[name], 0)
}

/** The numbers of a file system's `constants`; a flag that its system does not know is 0. */
export function flagNumbersOf(constants: Partial<FlagNumbers> | undefined): FlagNumbers {
  if (constants === undefined) return LINUX_FLAGS
  const names = Object.keys(LINUX_FLAGS) as FlagName[]
  return Object.fromEntries(names.map((name) => [name, constants[name] ?? 0])) as unknown as FlagNumbers
}
