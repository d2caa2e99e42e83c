/**
 * Law: whatever is recorded verifies by sequence number and checksum; and one frame that is changed, dropped, doubled or
 * moved is noticed at that frame or the next. The last one has no next; content is seen to by payload checksums.
 */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { histories } from '../../src/arbitraries/index.ts'
import type { Found } from '../support/pure-player.ts'
import { PurePlayer } from '../support/pure-player.ts'

const RUNS = Number(process.env['RUNS'] ?? 300)
const SEED = Number(process.env['SEED'] ?? Date.now() % 2 ** 31)

/** An operation of a log: its frame, and the content behind it. */
interface Piece {
  readonly frame: Uint8Array
  readonly content: Uint8Array
}

/** The operations of one author in one log: nothing of it is passed over. */
function linearLogs(withChecksums: boolean): fc.Arbitrary<Piece[]> {
  return histories({ withHandOffs: false, withChecksums })
    .filter(({ records }) => records.length > 1)
    .map(({ logs, records }) =>
      records.map(({ begin, messageEnd, content }) => {
        return { frame: (logs[0]?.bytes as Uint8Array).slice(begin, messageEnd), content }
      }),
    )
}

/** What a reader finds, frame by frame. */
function read(pieces: readonly Piece[]): Found[] {
  const player = new PurePlayer({ log: 'a/log', liveNodes: [], properties: [] })
  const bytes = Uint8Array.from(pieces.flatMap(({ frame, content }) => [...frame, ...content]))
  player.play({ name: 'a/log', bytes })
  return player.found
}

/** The number of the first frame at which something is not as it should be; -1 when nothing is noticed. */
function noticedAt(pieces: readonly Piece[]): number {
  return read(pieces).findIndex((found) => found !== 'OK')
}

function changed(bytes: Uint8Array, at: number, bit: number): Uint8Array {
  return bytes.map((byte, i) => (i === at % bytes.length ? byte ^ (1 << bit) : byte))
}

const place = fc.nat()
const bit = fc.nat({ max: 7 })

describe.each([true, false])(`linearity (SEED=${SEED}, payload checksums: %s)`, (withChecksums) => {
  const logs = linearLogs(withChecksums)

  it('whatever is recorded verifies', () => {
    const law = fc.property(logs, (pieces) => {
      expect(read(pieces)).toEqual(pieces.map(() => 'OK'))
    })
    fc.assert(law, { seed: SEED, numRuns: RUNS })
  })

  it('a changed frame is noticed there or at the next', () => {
    const law = fc.property(logs, place, place, bit, (pieces, choice, at, flipped) => {
      const i = choice % (pieces.length - 1)
      const { frame, content } = pieces[i] as Piece
      const broken = pieces.with(i, { frame: changed(frame, at, flipped), content })
      const noticed = noticedAt(broken)
      // A length that has grown may swallow what is left of the log: then there is no next one.
      const isLast = noticed === -1 && read(broken).length === i + 1
      expect(noticed === i || noticed === i + 1 || (!withChecksums && isLast)).toBe(true)
    })
    fc.assert(law, { seed: SEED, numRuns: 4 * RUNS })
  })

  it('a dropped frame is noticed at the next', () => {
    const law = fc.property(logs, place, (pieces, choice) => {
      const i = choice % (pieces.length - 1)
      expect(noticedAt(pieces.toSpliced(i, 1))).toBe(i)
    })
    fc.assert(law, { seed: SEED, numRuns: RUNS })
  })

  it('a doubled frame is noticed at once', () => {
    const law = fc.property(logs, place, (pieces, choice) => {
      const i = choice % pieces.length
      expect(noticedAt(pieces.toSpliced(i, 0, pieces[i] as Piece))).toBe(i + 1)
    })
    fc.assert(law, { seed: SEED, numRuns: RUNS })
  })

  it('a moved frame is noticed there, or where it is missing', () => {
    const law = fc.property(logs, place, place, (pieces, choice, other) => {
      const from = choice % pieces.length
      const to = (from + 1 + (other % (pieces.length - 1))) % pieces.length
      const moved = pieces.toSpliced(from, 1).toSpliced(to, 0, pieces[from] as Piece)
      expect(noticedAt(moved)).toBe(Math.min(from, to))
    })
    fc.assert(law, { seed: SEED, numRuns: RUNS })
  })
})

it(`linearity (SEED=${SEED}): changed content is noticed by payload checksums, and by nothing else`, () => {
  const law = fc.property(
    fc.boolean(),
    place,
    place,
    bit,
    fc.gen(),
    (withChecksums, choice, at, flipped, g) => {
      const pieces = g(() =>
        linearLogs(withChecksums).filter((all) => all.some(({ content }) => content.length > 0)),
      )
      const full = pieces.flatMap(({ content }, i) => (content.length > 0 ? [i] : []))
      const i = full[choice % full.length] as number
      const { frame, content } = pieces[i] as Piece
      const broken = pieces.with(i, { frame, content: changed(content, at, flipped) })
      expect(noticedAt(broken)).toBe(withChecksums ? i : -1)
    },
  )
  fc.assert(law, { seed: SEED, numRuns: RUNS })
})
