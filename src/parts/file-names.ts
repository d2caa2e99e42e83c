/**
 * Which names a system takes for files: what is recorded anywhere has to be made anywhere (recovery-log spec, section 9).
 */

/** Whose rules for names hold where a directory lies. */
export type Platform = 'posix' | 'windows'

/** Bytes of UTF-8: what Linux takes for one name, and for a path with the NUL at its end. */
export const PIECE_BYTES_MAX = 255
export const PATH_BYTES_MAX = 4095

/** A rule for one piece of a path, the part between two slashes. */
export interface PieceRule {
  /** What the piece is or has when it is refused. */
  readonly name: string
  readonly refuses: (piece: string, index: number) => boolean
}

// COM and LPT take the superscript digits too; any extension, and spaces before it, leave a device a device.
const WINDOWS_DEVICE = /^(?:con|prn|aux|nul|com[0-9¹²³]|lpt[0-9¹²³]|conin\$|conout\$) *(?:\.|$)/i

/** What Windows would make something else of than a file of that name. */
export const WINDOWS_PIECE_RULES: readonly PieceRule[] = [
  { name: 'a backslash', refuses: (piece) => piece.includes('\\') },
  // A colon is more than a drive letter: `file:stream` is a second content of `file`.
  { name: 'a drive letter or stream', refuses: (piece) => piece.includes(':') },
  { name: 'a device name', refuses: (piece) => WINDOWS_DEVICE.test(piece) },
  // Windows drops them, so that `.. ` would be `..`.
  { name: 'a piece that ends with a dot or a space', refuses: (piece) => /[. ]$/.test(piece) },
]

const utf8 = new TextEncoder()

/** Whether a text is longer in UTF-8. One UTF-16 unit is at most three bytes: most names need not be encoded for it. */
export function isLongerThan(text: string, bytesMax: number): boolean {
  return text.length * 3 > bytesMax && utf8.encode(text).length > bytesMax
}
