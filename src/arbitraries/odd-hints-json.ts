import fc from 'fast-check'
import type { FSMHints, Segment } from '../wire/index.ts'
import { choices, pick } from './choices.ts'
import type { Choose } from './choices.ts'
import { hintsOfAnyShape } from './hints.ts'
import type { OddHints } from './hints.ts'

const utf8 = new TextEncoder()

/**
 * Hints in JSON as it may be read: keys in any order and case, some of them twice, where the last one counts; keys that
 * nobody knows; null for defaults; white space; characters escaped that need not be.
 */
export function oddHintsTexts(): fc.Arbitrary<OddHints> {
  const unknown = fc.array(fc.json({ maxDepth: 3 }), { minLength: 1, maxLength: 4 })
  return fc.tuple(hintsOfAnyShape(), choices(), unknown).map(([hints, choose, others]) => {
    return { bytes: utf8.encode(new OddJson(choose, others).hints(hints)), hints }
  })
}

class OddJson {
  readonly #choose: Choose
  readonly #others: readonly string[]

  constructor(choose: Choose, others: readonly string[]) {
    this.#choose = choose
    this.#others = others
  }

  hints({ log, liveNodes, properties }: FSMHints): string {
    const text = this.#object({
      log: this.#text(log),
      live_nodes: this.#list(liveNodes, ({ fnode, segments }) => {
        return this.#object({
          fnode: this.#int64(fnode),
          segments: this.#list(segments, (s) => this.#segment(s)),
        })
      }),
      properties: this.#list(properties, ({ path, content }) => {
        return this.#object({ path: this.#text(path), content: this.#text(content) })
      }),
    })
    return this.#spaced(text)
  }

  #segment(segment: Segment): string {
    return this.#object({
      author: this.#uint32(segment.author),
      first_seq_no: this.#int64(segment.firstSeqNo),
      first_offset: this.#int64(segment.firstOffset),
      first_checksum: this.#uint32(segment.firstChecksum),
      last_seq_no: this.#int64(segment.lastSeqNo),
      last_offset: this.#int64(segment.lastOffset),
      log: this.#text(segment.log),
    })
  }

  #object(members: Readonly<Record<string, string>>): string {
    const all: [string, string][] = []
    for (const [key, value] of Object.entries(members)) {
      const at = this.#choose(all.length + 1)
      all.splice(at, 0, [this.#key(key), value])
      // What comes earlier does not count, whatever it holds of the right kind.
      if (this.#choose(8) === 0) all.splice(this.#choose(at + 1), 0, [this.#key(key), 'null'])
    }
    if (this.#choose(2) === 0) {
      all.splice(this.#choose(all.length + 1), 0, ['"x\\u0079"', pick(this.#choose, this.#others)])
    }
    const texts = all.map(([key, value]) => `${this.#spaced(key)}:${this.#spaced(value)}`)
    return `{${texts.length === 0 ? this.#space() : texts.join(',')}}`
  }

  #list<T>(list: readonly T[], write: (member: T) => string): string {
    if (list.length === 0) return pick(this.#choose, ['null', '[]', '[ ]'])
    return `[${list.map((member) => this.#spaced(write(member))).join(',')}]`
  }

  #int64(value: number): string {
    return value === 0 ? pick(this.#choose, ['0', 'null', '-0']) : String(value)
  }

  #uint32(value: number): string {
    return value === 0 ? pick(this.#choose, ['0', 'null']) : String(value)
  }

  #key(key: string): string {
    const odd = Array.from(key, (letter) => {
      const others =
        letter === 's' ? ['S', '\u017f'] : letter === 'k' ? ['K', '\u212a'] : [letter.toUpperCase()]
      return this.#choose(4) === 0 ? pick(this.#choose, others) : letter
    })
    return this.#text(odd.join(''))
  }

  #text(text: string): string {
    if (text === '' && this.#choose(2) === 0) return 'null'
    let odd = ''
    for (let i = 0; i < text.length; i++) {
      const escape = `\\u${text.charCodeAt(i).toString(16).padStart(4, '0')}`
      const isSurrogate = /[\ud800-\udfff]/.test(text.charAt(i))
      if (this.#choose(6) === 0 && !isSurrogate) odd += escape
      else odd += isSurrogate ? text.charAt(i) : JSON.stringify(text.charAt(i)).slice(1, -1)
    }
    return `"${odd}"`
  }

  #spaced(text: string): string {
    return this.#space() + text + this.#space()
  }

  #space(): string {
    return pick(this.#choose, ['', '', '', ' ', '\n', '\t \r'])
  }
}
