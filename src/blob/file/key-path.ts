/**
 * How keys are written as paths (B7). Each segment of a key is a folder, but that the last three share one name, with `,`
 * between them and `.blob` behind: a folder costs as much as a file, to make, to sync and to remove, and so what lies in
 * folders of its own, as an archive does, needs none. All but lower-case letters, digits and `. _ + - =` is written as
 * `%` and two hex digits, so that no segment means anything to a file system, and none that differs in case only falls
 * together with another. A segment of 80 bytes and more goes on in a folder `<80 bytes>%+`; segments share a name of at
 * most 250 characters only, as no name may be longer than 255.
 *
 * Seen from a folder, each name stands for all keys with one beginning. No two folders of one have beginnings of which one
 * is that of the other: hence the keys of a folder are in order when its names are, but for files whose keys lie among
 * those of a folder beside them.
 */

const PLAIN = /^[a-z0-9._+=-]$/
const PLAIN_SEGMENT = /^[a-z0-9._+=-]*$/
const FILE_MARK = '.blob'
const MORE_MARK = '%+'
const EMPTY = '%'
const PIECE_BYTES = 80
const BETWEEN = ','
const SHARED_MAX = 3
const NAME_MAX = 250

/** The path of `key` under the store's folder, with `/` between its names. */
export function pathOfKey(key: string): string {
  const folders: string[] = []
  /** The last segments, as far as they may share a name. */
  let last: string[] = []
  for (const segment of key.split('/')) {
    if (isPlain(segment)) {
      last.push(segment)
      continue
    }
    let bytes = Buffer.from(segment, 'utf8')
    if (bytes.length >= PIECE_BYTES) {
      folders.push(...last.map(folderName))
      last = []
    }
    for (; bytes.length >= PIECE_BYTES; bytes = bytes.subarray(PIECE_BYTES)) {
      folders.push(encoded(bytes.subarray(0, PIECE_BYTES)) + MORE_MARK)
    }
    last.push(encoded(bytes))
  }
  const first = firstShared(last)
  const file = last.slice(first).join(BETWEEN) + FILE_MARK
  return [...folders, ...last.slice(0, first).map(folderName), file].join('/')
}

/** Which of the last segments is the first in the name of the file. */
function firstShared(last: readonly string[]): number {
  let first = last.length - 1
  let length = (last[first] as string).length + FILE_MARK.length
  while (first > 0 && last.length - first < SHARED_MAX) {
    length += (last[first - 1] as string).length + BETWEEN.length
    if (length > NAME_MAX) break
    first--
  }
  return first
}

/** What a name in a folder stands for. */
export interface KeyPart {
  /** The bytes that it adds to the key, one a character, its separators included. */
  readonly bytes: string
  readonly isFile: boolean
}

/** Reads a name that `pathOfKey` has made. */
export function keyPartOf(name: string): KeyPart {
  if (name.endsWith(FILE_MARK)) {
    const shared = name.slice(0, -FILE_MARK.length).replaceAll(BETWEEN, '/')
    return { bytes: decoded(shared), isFile: true }
  }
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

/** Whether a segment is written as it is: almost all are. */
function isPlain(segment: string): boolean {
  return segment.length < PIECE_BYTES && PLAIN_SEGMENT.test(segment)
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
