import { RecoveryLogError } from '../../errors/index.ts'
import { assertStreamName, joinStreamPath, nameSegments, splitStreamPath } from '../../names/index.ts'

/**
 * Which streams of a prefix are meant (log-archive spec, section 8): a path whose name may hold `*`, one or more characters
 * other than `/`, and the segment `**`, zero or more segments. The prefix is literal; without a name, all streams of the
 * prefix are meant.
 */
export interface PathGlob {
  readonly prefix: string
  /** A path that may match beside those under `head`, and comes before them. */
  readonly exact: string | undefined
  /** How the paths of all others that match begin: only what begins so has to be looked at. */
  readonly head: string | undefined
  matches(path: string): boolean
}

const MANY_SEGMENTS = '**'
/** In a pattern of characters: any one, and any number. */
const ANY = Symbol('any character')
const MANY = Symbol('any characters')

/** @throws RecoveryLogError `INVALID` for `**` inside a segment; `NAME_INVALID` for what is no path otherwise */
export function parsePathGlob(path: string): PathGlob {
  const { prefix, name } = splitStreamPath(path)
  assertStreamName(prefix, 'prefix')
  // A star stands for characters that a name may have anywhere.
  if (name !== '') assertStreamName(name.replaceAll('*', 'a'))
  const segments = name === '' ? [MANY_SEGMENTS] : nameSegments(name)
  for (const segment of segments) {
    if (segment === MANY_SEGMENTS || !segment.includes(MANY_SEGMENTS)) continue
    throw new RecoveryLogError('INVALID', `${MANY_SEGMENTS} must be a whole segment`, { path, segment })
  }
  const pathHead = joinStreamPath(prefix, '')
  const pattern = segments.map((segment) => (segment === MANY_SEGMENTS ? MANY : charactersOf(segment)))
  return {
    prefix,
    ...rangesOf(pathHead, segments),
    matches: (candidate) =>
      candidate.startsWith(pathHead) &&
      matchesAll<string, Pattern<Character>>(
        nameSegments(candidate.slice(pathHead.length)),
        pattern,
        matchesSegment,
      ),
  }
}

/** The literal beginning: what is behind its end need not be looked at. */
function rangesOf(pathHead: string, segments: readonly string[]): Pick<PathGlob, 'exact' | 'head'> {
  const wild = segments.findIndex((segment) => segment.includes('*'))
  if (wild < 0) return { exact: pathHead + segments.join('/'), head: undefined }
  const literal = segments.slice(0, wild).join('/')
  if (literal === '') return { exact: undefined, head: pathHead + beforeStar(segments[0] as string) }
  // `a/**` means `a` too, which is not under `a/`.
  const isRestAny = segments.slice(wild).every((segment) => segment === MANY_SEGMENTS)
  return {
    exact: isRestAny ? pathHead + literal : undefined,
    head: `${pathHead}${literal}/${beforeStar(segments[wild] as string)}`,
  }
}

function beforeStar(segment: string): string {
  return segment.slice(0, segment.indexOf('*'))
}

type Character = string | typeof ANY
type Pattern<Part> = readonly (Part | typeof MANY)[]

/** A star is one character, and then any number. */
function charactersOf(segment: string): Pattern<Character> {
  return Array.from(segment).flatMap<Character | typeof MANY>((character) =>
    character === '*' ? [ANY, MANY] : [character],
  )
}

function matchesSegment(characters: Pattern<Character>, segment: string): boolean {
  return matchesAll<string, Character>(
    segment,
    characters,
    (wanted, found) => wanted === ANY || wanted === found,
  )
}

/**
 * Whether `items` match `pattern`, where `MANY` stands for any number of items. When it goes wrong, the last `MANY` takes
 * one item more: going back farther could find nothing else, so the cost is the product of the lengths at most.
 */
function matchesAll<Item, Part>(
  items: ArrayLike<Item>,
  pattern: Pattern<Part>,
  matches: (part: Part, item: Item) => boolean,
): boolean {
  let item = 0
  let part = 0
  let lastMany = -1
  let itemAtMany = 0
  while (item < items.length) {
    const wanted = pattern[part]
    if (wanted === MANY) {
      lastMany = part++
      itemAtMany = item
    } else if (part < pattern.length && matches(wanted as Part, items[item] as Item)) {
      part++
      item++
    } else if (lastMany >= 0) {
      part = lastMany + 1
      item = ++itemAtMany
    } else return false
  }
  while (pattern[part] === MANY) part++
  return part === pattern.length
}
