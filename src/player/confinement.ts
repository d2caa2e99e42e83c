/**
 * Recorded paths are untrusted (recovery-log spec, section 9): whoever wrote the log chose them. This file says which
 * of them may become names in a directory; `layout.ts` says which of them can be there together.
 */
import { RecoveryLogError } from '../errors/index.ts'
import { isLongerThan, PATH_BYTES_MAX, PIECE_BYTES_MAX, WINDOWS_PIECE_RULES } from '../parts/index.ts'
import type { PieceRule, Platform } from '../parts/index.ts'

/** The folder in which files are staged while a log is played. */
export const STAGING_FOLDER = '.fnodes'

/** Why a piece of a path is refused: the first that holds. */
const PIECE_RULES: readonly PieceRule[] = [
  { name: 'a piece "."', refuses: (piece) => piece === '.' },
  { name: 'a piece ".."', refuses: (piece) => piece === '..' },
  { name: 'NUL', refuses: (piece) => piece.includes('\0') },
  {
    name: 'the staging folder as its first piece',

    refuses: (piece, index) => index === 0 && piece === STAGING_FOLDER,
  },
  {
    name: `a piece of more than ${PIECE_BYTES_MAX} bytes`,

    refuses: (piece) => isLongerThan(piece, PIECE_BYTES_MAX),
  },
]

/** By whose rules hold where the directory lies. */
export const RULES: Readonly<Record<Platform, readonly PieceRule[]>> = {
  posix: PIECE_RULES,
  windows: [...PIECE_RULES, ...WINDOWS_PIECE_RULES],
}

/**
 * The one spelling of a recorded path: `/` before each piece, no empty pieces, so that `a`, `/a` and `/a/` are one
 * place. Throws `PATH_REFUSED` with the path and the rule that refused it.
 */
export function cleanPath(path: string, platform: Platform): string {
  const pieces = path.split('/').filter((piece) => piece !== '')
  if (pieces.length === 0) throw refused(path, 'no piece left')
  const rules = RULES[platform]
  for (const [index, piece] of pieces.entries()) {
    const rule = rules.find(({ refuses }) => refuses(piece, index))
    if (rule !== undefined) throw refused(path, rule.name)
  }
  const cleaned = `/${pieces.join('/')}`
  if (isLongerThan(cleaned, PATH_BYTES_MAX)) throw refused(path, `more than ${PATH_BYTES_MAX} bytes`)
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
