/**
 * Which names a log can have: those of Gazette's journals. A path of letters, digits and a few symbols, clean, not
 * beginning with `/`, of 4 to 512 bytes; after a `;` there may be more of the same kind, of 1 to 512 bytes.
 */

const NAME_BYTES_MIN = 4
const NAME_BYTES_MAX = 512
const METADATA_BYTES_MIN = 1
const ALPHABET = /^[\p{L}\p{N}\-_+/.=%]*$/u

const utf8 = new TextEncoder()

/** What is wrong with `name`, or undefined. */
export function logNameFault(name: string): string | undefined {
  const semicolon = name.indexOf(';')
  if (semicolon === -1) return pathFault(name, NAME_BYTES_MIN)
  return (
    pathFault(name.slice(0, semicolon), NAME_BYTES_MIN) ??
    pathFault(name.slice(semicolon + 1), METADATA_BYTES_MIN)
  )
}

function pathFault(path: string, bytesMin: number): string | undefined {
  const bytes = utf8.encode(path).length
  if (bytes < bytesMin || bytes > NAME_BYTES_MAX) {
    return `its length is ${String(bytes)} bytes, not ${String(bytesMin)} to ${String(NAME_BYTES_MAX)}`
  }
  if (!ALPHABET.test(path)) return 'it has a character that is no letter, no digit, and none of -_+/.=%'
  if (!isCleanPath(path)) return 'it is no clean path'
  return path.startsWith('/') ? 'it begins with a slash' : undefined
}

/** As Go's `path.Clean` leaves it: no empty piece, no `.`, and `..` only at the beginning. */
function isCleanPath(path: string): boolean {
  if (path === '.' || path === '/') return true
  const pieces = path.split('/')
  const first = pieces[0] === '' ? 1 : 0
  let mayGoUp = first === 0
  for (const piece of pieces.slice(first)) {
    if (piece === '' || piece === '.' || (piece === '..' && !mayGoUp)) return false
    if (piece !== '..') mayGoUp = false
  }
  return true
}
