/**
 * Recorded paths are untrusted (recovery-log spec, section 9): whoever wrote the log chose them. This file says which
 * of them may become names in a directory; `layout.ts` says which of them can be there together.
 */
import { RecoveryLogError } from '../errors/index.ts'

/** The folder in which files are staged while a log is played. */
export const STAGING_FOLDER = '.fnodes'

/** Bytes of UTF-8: what Linux takes for one name, and for a path with the NUL at its end. */
export const PIECE_BYTES_MAX = 255
export const PATH_BYTES_MAX = 4095

/** Whose rules for names hold where the directory lies. */
export type Platform = 'posix' | 'windows'

interface PieceRule {
  readonly name: string
  readonly platform: Platform | 'any'
  readonly refuses: (piece: string, index: number) => boolean
}

const utf8 = new TextEncoder()

// COM and LPT take the superscript digits too; any extension, and spaces before it, leave a device a device.
const WINDOWS_DEVICE = /^(?:con|prn|aux|nul|com[0-9¹²³]|lpt[0-9¹²³]|conin\$|conout\$) *(?:\.|$)/i

/** Why a piece of a path is refused: the first that holds. */
export const PIECE_RULES: readonly PieceRule[] = [
  { name: 'a piece "."', platform: 'any', refuses: (piece) => piece === '.' },
  { name: 'a piece ".."', platform: 'any', refuses: (piece) => piece === '..' },
  { name: 'NUL', platform: 'any', refuses: (piece) => piece.includes('\0') },
  {
    name: 'the staging folder as its first piece',
    platform: 'any',
    refuses: (piece, index) => index === 0 && piece === STAGING_FOLDER,
  },
  {
    name: `a piece of more than ${PIECE_BYTES_MAX} bytes`,
    platform: 'any',
    refuses: (piece) => isLonger(piece, PIECE_BYTES_MAX),
  },
  { name: 'a backslash', platform: 'windows', refuses: (piece) => piece.includes('\\') },
  // A colon is more than a drive letter: `file:stream` is a second content of `file`.
  { name: 'a drive letter or stream', platform: 'windows', refuses: (piece) => piece.includes(':') },
  { name: 'a device name', platform: 'windows', refuses: (piece) => WINDOWS_DEVICE.test(piece) },
  // Windows drops them, so that `.. ` would be `..`.
  {
    name: 'a piece that ends with a dot or a space',
    platform: 'windows',
    refuses: (piece) => /[. ]$/.test(piece),
  },
]

/**
 * The one spelling of a recorded path: `/` before each piece, no empty pieces, so that `a`, `/a` and `/a/` are one
 * place. Throws `PATH_REFUSED` with the path and the rule that refused it.
 */
export function cleanPath(path: string, platform: Platform): string {
  const pieces = path.split('/').filter((piece) => piece !== '')
  if (pieces.length === 0) throw refused(path, 'no piece left')
  for (const [index, piece] of pieces.entries()) {
    for (const rule of PIECE_RULES) {
      if ((rule.platform === 'any' || rule.platform === platform) && rule.refuses(piece, index)) {
        throw refused(path, rule.name)
      }
    }
  }
  const cleaned = `/${pieces.join('/')}`
  if (isLonger(cleaned, PATH_BYTES_MAX)) throw refused(path, `more than ${PATH_BYTES_MAX} bytes`)
  return cleaned
}

/** The error of a path that cannot be made. `other` is the path that it cannot be there together with. */
export function refused(path: string, rule: string, other?: string): RecoveryLogError {
  const beside = other === undefined ? '' : ` (${JSON.stringify(other)})`
  return new RecoveryLogError(
    'PATH_REFUSED',
    `the recorded path ${JSON.stringify(path)} is refused: ${rule}${beside}`,
    { path, rule, ...(other === undefined ? {} : { other }) },
  )
}

/** In UTF-8, where one UTF-16 unit is at most three bytes: most names need not be encoded to be measured. */
function isLonger(text: string, bytesMax: number): boolean {
  return text.length * 3 > bytesMax && utf8.encode(text).length > bytesMax
}
