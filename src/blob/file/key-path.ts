/**
 * How keys are written as paths (B7). Each segment of a key is a folder, the last one a file with `.blob` behind it, so
 * that `a` and `a/b` can both be keys. All but lower-case letters, digits and `. _ + - =` is written as `%` and two hex
 * digits, so that no segment means anything to a file system, and none that differs in case only falls together with
 * another. A segment of 80 bytes and more goes on in a folder `<80 bytes>%+`, as no name may be longer than 255.
 *
 * Seen from a folder, each name stands for all keys with one beginning, and no such beginning is that of another: hence
 * the keys of a folder are in order when its names are.
 */

const PLAIN = /^[a-z0-9._+=-]$/
const FILE_MARK = '.blob'
const MORE_MARK = '%+'
const EMPTY = '%'
const PIECE_BYTES = 80

/** The path of `key` under the store's folder, with `/` between its names. */
export function pathOfKey(key: string): string {
  const names: string[] = []
  const segments = key.split('/')
  segments.forEach((segment, index) => {
    let bytes = Buffer.from(segment, 'utf8')
    for (; bytes.length >= PIECE_BYTES; bytes = bytes.subarray(PIECE_BYTES)) {
      names.push(encoded(bytes.subarray(0, PIECE_BYTES)) + MORE_MARK)
    }
    names.push(index < segments.length - 1 ? folderName(encoded(bytes)) : encoded(bytes) + FILE_MARK)
  })
  return names.join('/')
}

/** What a name in a folder stands for. */
export interface KeyPart {
  /** The bytes that it adds to the key, one a character, its separator included. */
  readonly bytes: string
  readonly isFile: boolean
}

/** Reads a name that `pathOfKey` has made. */
export function keyPartOf(name: string): KeyPart {
  if (name.endsWith(FILE_MARK)) return { bytes: decoded(name.slice(0, -FILE_MARK.length)), isFile: true }
  if (name.endsWith(MORE_MARK)) return { bytes: decoded(name.slice(0, -MORE_MARK.length)), isFile: false }
  return { bytes: `${name === EMPTY ? '' : decoded(name)}/`, isFile: false }
}

/** A key with one character for each of its bytes in UTF-8: so compared, its order is that of bytes. */
export function bytesOfKey(key: string): string {
  return Buffer.from(key, 'utf8').toString('latin1')
}

export function keyOfBytes(bytes: string): string {
  return Buffer.from(bytes, 'latin1').toString('utf8')
}

function folderName(name: string): string {
  if (name === '') return EMPTY
  if (name === '.' || name === '..') return name.replaceAll('.', '%2e')
  return name.endsWith(FILE_MARK) ? `${name.slice(0, -FILE_MARK.length)}%2e${FILE_MARK.slice(1)}` : name
}

function encoded(bytes: Uint8Array): string {
  let name = ''
  for (const byte of bytes) {
    const character = String.fromCharCode(byte)
    name += PLAIN.test(character) ? character : `%${byte.toString(16).padStart(2, '0')}`
  }
  return name
}

function decoded(name: string): string {
  return name.replace(/%([0-9a-f]{2})/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)))
}
