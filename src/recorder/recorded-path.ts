/**
 * From a path of the recorder's directory to the path that is recorded (recovery-log spec, sections 4 and 9): what is
 * left of it after the directory, beginning with `/`, with `/` between its pieces on every platform.
 */

import { RecoveryLogError } from '../errors/index.ts'

/** Parts of what does not fit one append, until one append moves their names. The player leaves it out. */
export const RESERVED_FOLDER = '/.recoverylog/'

/** Where players stage files: a path with this first piece would be refused by every one of them. */
const STAGING_PIECE = '.fnodes'

/** The limits of the player (section 9): what it would refuse is not recorded. */
const PIECE_BYTES_MAX = 255
const PATH_BYTES_MAX = 4095

/** Nothing to clean and nothing to refuse but lengths: printable ASCII, no empty piece, none that begins with a dot. */
const PLAIN = /^(?:\/(?!\.)[\x20-\x2e\x30-\x7e]+)+$/

const HALF_SURROGATE = /\p{Surrogate}/u

const utf8 = new TextEncoder()

/** The separator of the platform: `\` takes both, as Windows does, and a drive letter before the first. */
export type Separator = '/' | '\\'

/** Cuts paths below one directory. */
export class PathCleaner {
  /** Absolute and normalised, with `/` on every platform. */
  readonly dir: string
  readonly #separator: Separator
  /** What comes before every path of the directory: nothing when it is the root. */
  readonly #prefix: string

  /** `PATH_REFUSED` when `dir` is not absolute and normalised. */
  constructor(dir: string, separator: Separator) {
    this.#separator = separator
    this.dir = this.#slashed(dir)
    if (!isAbsolute(this.dir, separator) || (normalise(this.dir) || '/') !== this.dir) {
      throw new RecoveryLogError('PATH_REFUSED', 'the directory is not an absolute, normalised path', { dir })
    }
    this.#prefix = this.dir === '/' ? '' : this.dir
  }

  /**
   * What is recorded for `path`. `PATH_REFUSED` for one that is not below the directory or that no player would make:
   * the directory itself, NUL, half a surrogate pair, `.fnodes`, too long.
   */
  clean(path: string): string {
    const prefix = this.#prefix
    const slashed = this.#slashed(path)
    if (prefix === '' && slashed.length <= PIECE_BYTES_MAX && PLAIN.test(slashed)) return slashed
    const normal = normalise(slashed)
    if (!normal.startsWith(prefix) || normal[prefix.length] !== '/') {
      throw refused(
        path,
        normal === prefix ? 'is the directory itself' : 'lies outside of the directory',
        this.dir,
      )
    }
    const recorded = normal.slice(prefix.length)
    const reason = refusal(recorded)
    if (reason !== undefined) throw refused(path, reason, this.dir)
    return recorded
  }

  #slashed(path: string): string {
    return this.#separator === '/' ? path : path.replaceAll('\\', '/')
  }
}

function isAbsolute(path: string, separator: Separator): boolean {
  return path.startsWith('/') || (separator === '\\' && /^[A-Za-z]:\//.test(path))
}

/** Without empty pieces, `.` and `..`, and without a slash at its end: '' is the root. */
function normalise(path: string): string {
  const pieces: string[] = []
  for (const piece of path.split('/')) {
    if (piece === '..') pieces.pop()
    else if (piece !== '' && piece !== '.') pieces.push(piece)
  }
  const joined = pieces.join('/')
  return path.startsWith('/') && joined !== '' ? `/${joined}` : joined
}

function refusal(recorded: string): string | undefined {
  if (recorded.includes('\0')) return 'holds a NUL'
  if (HALF_SURROGATE.test(recorded)) return 'holds half a surrogate pair'
  if (utf8.encode(recorded).length > PATH_BYTES_MAX) return `is longer than ${String(PATH_BYTES_MAX)} bytes`
  const pieces = recorded.split('/')
  if (pieces[1] === STAGING_PIECE) return 'lies where players stage files'
  const long = pieces.some((piece) => utf8.encode(piece).length > PIECE_BYTES_MAX)
  return long ? `has a piece of more than ${String(PIECE_BYTES_MAX)} bytes` : undefined
}

function refused(path: string, reason: string, dir: string): RecoveryLogError {
  return new RecoveryLogError('PATH_REFUSED', `the path ${reason}`, { path, dir })
}
