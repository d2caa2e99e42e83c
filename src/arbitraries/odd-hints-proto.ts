import fc from 'fast-check'
import type { FSMHints, Property, Segment } from '../wire/index.ts'
import { choices, pick } from './choices.ts'
import type { Choose } from './choices.ts'
import { hintsOfAnyShape } from './hints.ts'
import type { OddHints } from './hints.ts'
import { bytesField, fixed32Field, int64Field, unknownFields } from './protobuf-fields.ts'

const utf8 = new TextEncoder()

/** Hints in protobuf as it may be read: fields in any order, scalars twice, varints that are too long, unknown fields. */
export function oddHintsProtos(): fc.Arbitrary<OddHints> {
  const unknown = fc.array(unknownFields(8), { minLength: 1, maxLength: 4 })
  return fc.tuple(hintsOfAnyShape(), choices(), unknown).map(([hints, choose, others]) => {
    return { bytes: Uint8Array.from(new OddProto(choose, others).hints(hints)), hints }
  })
}

class OddProto {
  readonly #choose: Choose
  readonly #others: readonly number[][]

  constructor(choose: Choose, others: readonly number[][]) {
    this.#choose = choose
    this.#others = others
  }

  hints({ log, liveNodes, properties }: FSMHints): number[] {
    const nodes = liveNodes.map(({ fnode, segments }) => {
      const lists = segments.map((segment) => this.#bytes(2, this.#segment(segment)))
      return this.#bytes(2, this.#message(lists, this.#int64(1, fnode)))
    })
    const members = properties.map((property) => this.#bytes(3, this.#property(property)))
    return this.#message([...nodes, ...members], this.#text(1, log))
  }

  #segment(segment: Segment): number[] {
    return this.#message(
      [],
      () => fixed32Field(1, segment.author),
      this.#int64(2, segment.firstSeqNo),
      this.#int64(3, segment.firstOffset),
      () => fixed32Field(4, segment.firstChecksum),
      this.#int64(5, segment.lastSeqNo),
      this.#int64(6, segment.lastOffset),
      this.#text(7, segment.log),
    )
  }

  #property({ path, content }: Property): number[] {
    return this.#message([], this.#text(1, path), this.#text(2, content))
  }

  /** The members of lists in their order, among them the scalars at any place, some of them more than once. */
  #message(lists: readonly number[][], ...scalars: (() => number[])[]): number[] {
    const fields = [...lists]
    for (const scalar of scalars) {
      for (let times = 1 + this.#choose(2); times > 0; times--) {
        fields.splice(this.#choose(fields.length + 1), 0, scalar())
      }
    }
    if (this.#choose(2) === 0) {
      fields.splice(this.#choose(fields.length + 1), 0, pick(this.#choose, this.#others))
    }
    return fields.flat()
  }

  #int64(field: number, value: number): () => number[] {
    return () => int64Field(field, value, this.#choose(10))
  }

  #text(field: number, value: string): () => number[] {
    return () => this.#bytes(field, utf8.encode(value))
  }

  #bytes(field: number, value: Iterable<number>): number[] {
    return bytesField(field, value, this.#choose(4))
  }
}
