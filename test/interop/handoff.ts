import assert from 'node:assert/strict'
import { FSM } from '../../src/fsm/index.ts'
import { MemoryJournal } from '../../src/journal/index.ts'
import type { Journal, Label } from '../../src/journal/index.ts'
import { nullTarget, Player } from '../../src/player/index.ts'
import { encodeNoop, findMagic, NOOP_FRAME_BYTES_MAX } from '../../src/wire/index.ts'
import { expectHints, expectState, isCut } from './fsm.ts'
import type { BuiltHints, State } from './fsm.ts'
import { fromGoHints } from './go-hints.ts'
import type { GoHints } from './go-hints.ts'
import { knownKeys } from './known-keys.ts'
import type { VectorRun, VectorSuite } from './vector-run.ts'

const FILE = 'recovery-log/handoff.json'

interface HandoffCase {
  readonly name: string
  readonly hintsJson: string
  readonly journal: string
  readonly logHex: string
  readonly author: number
  readonly outcome: string
  readonly appendedHex: string
  readonly registers: readonly Label[]
  readonly registersBefore: readonly Label[]
  readonly final?: State
  readonly builtHints?: BuiltHints
}

const KEYS = [
  ...[
    'name',
    'hintsJson',
    'journal',
    'logHex',
    'author',
    'outcome',
    'appendedHex',
    'registers',
    'registersBefore',
  ],
  ...['final', 'builtHints'],
]

/** What an injected hand-off appends, the registers after it, and the state machine. */
export const suite: VectorSuite = {
  file: FILE,
  async run(run: VectorRun) {
    const { cases, ...head } = run.json<{ about: string; cases: readonly HandoffCase[] }>(FILE)
    knownKeys(head, ['about'])
    for (const one of cases) {
      await run.check(FILE, one.name, one.outcome === 'OK' ? 'equal to Go' : 'as the spec says', () =>
        runCase(one),
      )
    }
  },
}

async function runCase(one: HandoffCase): Promise<void> {
  knownKeys(one, KEYS)
  const goHints = JSON.parse(one.hintsJson) as GoHints
  const log = Buffer.from(one.logHex, 'hex')
  const { journal: name, registersBefore: registers } = one
  const content = log.length === 0 ? [] : [{ begin: 0, bytes: log }]
  const journal = new MemoryJournal({ name, content, registers })
  const player = new Player({
    hints: fromGoHints(goHints),
    journals: { [name]: journal },
    target: nullTarget(),
  })
  player.injectHandoff(one.author)
  if (one.outcome !== 'OK') {
    await expectLeftOver(one, player, journal, log)
    return
  }
  const { fsm, head } = await player.play()
  assert.equal((await bytesFrom(journal, log.length)).toString('hex'), one.appendedHex)
  assert.deepEqual((await journal.head()).registers, one.registers)
  assert.deepEqual(head, {
    log: name,
    offset: log.length + one.appendedHex.length / 2,
    registers: one.registers,
  })
  assert.ok(one.final && one.builtHints)
  expectState(fsm, one.final, isCut(goHints))
  expectHints(fsm, one.builtHints, isCut(goHints))
}

/** Go waits for ever. With us bytes that are left over only stand in the way when they hold a magic word. */
async function expectLeftOver(
  one: HandoffCase,
  player: Player,
  journal: Journal,
  log: Uint8Array,
): Promise<void> {
  assert.deepEqual([one.outcome, one.appendedHex, one.registers], ['HANGS', '', one.registersBefore])
  assert.deepEqual([one.final, one.builtHints], [undefined, undefined])
  if (findMagic(log, 0, log.length) + 4 <= log.length) {
    await assert.rejects(player.play(), { code: 'CORRUPT' })
    assert.deepEqual((await journal.head()).registers, one.registersBefore)
    return
  }
  await player.play()
  const fresh = new FSM({ log: one.journal, liveNodes: [], properties: [] })
  const noop = new Uint8Array(NOOP_FRAME_BYTES_MAX)
  const length = encodeNoop(noop, 0, fresh.nextSeqNo, fresh.nextChecksum, one.author)
  assert.deepEqual(await bytesFrom(journal, log.length), Buffer.from(noop.subarray(0, length)))
  const fence = { name: 'author', value: one.author.toString(32) }
  const others = one.registersBefore.filter((register) => register.name !== 'author')
  assert.deepEqual((await journal.head()).registers, [fence, ...others])
}

async function bytesFrom(journal: Journal, offset: number): Promise<Buffer> {
  const pieces: Uint8Array[] = []
  for await (const { bytes } of journal.read({ offset })) pieces.push(bytes.slice())
  return Buffer.concat(pieces)
}
