/**
 * The law of a recorder, whatever is called and whatever the journal does: what lies in the log is what was recorded up
 * to the end of some call, and never less than what has been reported as committed.
 */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { journalFaults } from '../../src/arbitraries/index.ts'
import { RecoveryLogError } from '../../src/errors/index.ts'
import { fenceOf } from '../../src/fsm/index.ts'
import { MemoryJournal } from '../../src/journal/index.ts'
import type { Journal } from '../../src/journal/index.ts'
import type { Recorder } from '../../src/recorder/index.ts'
import { faultsAt, faultyJournal } from '../../src/testing/index.ts'
import type { AppendFault } from '../../src/testing/index.ts'
import { emptyMachine, LOG, openRecorder, settled } from '../recorder/recorders.ts'
import { replay, written } from '../recorder/replay.ts'

const NAMES = ['a', 'b', 'c/d', 'e'] as const
const RUNS = Number(process.env['RUNS'] ?? 300)

type Name = (typeof NAMES)[number]

type Step =
  | { readonly kind: 'create' | 'remove' | 'replace' | 'rewrite'; readonly name: Name; readonly size: number }
  | { readonly kind: 'link' | 'rename'; readonly name: Name; readonly to: Name }
  | { readonly kind: 'write'; readonly name: Name; readonly offset: number; readonly size: number }
  | { readonly kind: 'group'; readonly steps: readonly Step[] }
  | { readonly kind: 'barrier' | 'flush' | 'hints' | 'room' | 'turn' }

const name = fc.constantFrom(...NAMES)
const size = fc.oneof(fc.nat({ max: 60 }), fc.nat({ max: 2000 }))
const simpleStep: fc.Arbitrary<Step> = fc.oneof(
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('create'), name, size } as const) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('remove'), name, size } as const) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('replace'), name, size } as const) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constantFrom('link', 'rename'), name, to: name } as const) },
  { weight: 6, arbitrary: fc.record({ kind: fc.constant('write'), name, offset: size, size } as const) },
)
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 8, arbitrary: simpleStep },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('rewrite'), name, size } as const) },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant('group'),
      steps: fc.array(simpleStep, { maxLength: 6 }),
    } as const),
  },
  {
    weight: 4,
    arbitrary: fc.record({ kind: fc.constantFrom('barrier', 'flush', 'hints', 'room', 'turn') } as const),
  },
)

/** A tree of files with links, as a disk would have it. */
class Model {
  readonly files = new Map<number, Uint8Array>()
  readonly names = new Map<string, number>()

  /** Path to content: what a recovery finds. Parts of rewrites are no business of it. */
  tree(): Record<string, string> {
    const entries = [...this.names].map(([path, file]) => [`/${path}`, hex(this.files.get(file))] as const)
    return Object.fromEntries(entries.sort(([a], [b]) => (a < b ? -1 : 1)))
  }
}

class Run {
  readonly recorder: Recorder
  readonly journal: Journal
  readonly model = new Model()
  /** The trees at the ends of calls, by the checksum that the chain has there. */
  readonly boundaries = new Map<string, { readonly index: number; readonly tree: object }>()
  /** The last boundary that was reported as committed. */
  acknowledged = 0
  readonly hints: Awaited<ReturnType<Recorder['hints']>>[] = []
  readonly waiting: Promise<unknown>[] = []

  constructor(recorder: Recorder, journal: Journal) {
    this.recorder = recorder
    this.journal = journal
    this.mark()
  }

  mark(): void {
    const { nextSeqNo, nextChecksum } = this.recorder.fsm
    const key = `${String(nextSeqNo)} ${String(nextChecksum)}`
    if (!this.boundaries.has(key)) this.boundaries.set(key, { index: nextSeqNo, tree: this.model.tree() })
  }

  async take(step: Step): Promise<void> {
    switch (step.kind) {
      case 'barrier':
        this.report(this.recorder.barrier())
        return
      case 'flush':
        this.recorder.flushSync()
        this.acknowledge(this.recorder.fsm.nextSeqNo)
        return
      case 'hints':
        this.report(this.recorder.hints().then((hints) => this.hints.push(hints)))
        return
      case 'room':
        await this.recorder.room(500)
        return
      case 'turn':
        await settled()
        return
      case 'rewrite':
        this.rewrite(step.name, step.size)
        return
      default:
        this.record(step)
        this.mark()
    }
  }

  /** What a promise says has committed, has: at the latest when it says so. */
  report(promise: Promise<unknown>): void {
    const { nextSeqNo } = this.recorder.fsm
    const { position } = this.recorder
    this.mark() // zero bytes may have been written before hints
    this.waiting.push(
      promise.then(
        () => {
          expect(this.recorder.committed).toBeGreaterThanOrEqual(position)
          this.acknowledge(nextSeqNo)
        },
        (error: unknown) => {
          expect(error).toBe(this.recorder.failure)
        },
      ),
    )
  }

  acknowledge(seqNo: number): void {
    this.acknowledged = Math.max(this.acknowledged, seqNo)
  }

  record(step: Step): void {
    const { recorder, model } = this
    switch (step.kind) {
      case 'group':
        recorder.atomic(() => {
          for (const inner of step.steps) this.record(inner)
        })
        return
      case 'create': {
        const fnode = recorder.create(`/dir/${step.name}`)
        model.files.set(fnode, new Uint8Array(0))
        model.names.set(step.name, fnode)
        return
      }
      case 'link':
      case 'rename':
        this.move(step)
        return
      case 'remove':
        if (!model.names.delete(step.name)) return
        recorder.remove(`/dir/${step.name}`)
        return
      case 'write': {
        const fnode = this.fnodeOf(step.name)
        if (fnode === undefined) return
        const data = new Uint8Array(step.size).fill(recorder.fsm.nextSeqNo)
        recorder.write(fnode, step.offset, data)
        model.files.set(fnode, written(model.files.get(fnode), step.offset, data))
        return
      }
      case 'replace': {
        const fnode = this.fnodeOf(step.name)
        if (fnode === undefined) return
        const content = (model.files.get(fnode) as Uint8Array).slice(0, step.size)
        const read = (offset: number, length: number): Uint8Array => content.subarray(offset, offset + length)
        this.replaced(fnode, recorder.replace(fnode, content.length, read), content)
        return
      }
      default:
        throw new TypeError(`no call: ${step.kind}`)
    }
  }

  move({ kind, name: from, to }: Extract<Step, { to: Name }>): void {
    const { recorder, model } = this
    const fnode = this.fnodeOf(from)
    const taken = model.names.get(to)
    if (fnode === undefined || (kind === 'link' && taken !== undefined)) return
    if (kind === 'link') recorder.link(`/dir/${from}`, `/dir/${to}`)
    else recorder.rename(`/dir/${from}`, `/dir/${to}`)
    if (taken === fnode) return
    model.names.set(to, fnode)
    if (kind === 'rename') model.names.delete(from)
  }

  /** Reads the model, in a turn or after some of them. */
  rewrite(file: Name, delay: number): void {
    const fnode = this.fnodeOf(file)
    if (fnode === undefined) return
    const { files } = this.model
    const read = (offset: number, length: number): Uint8Array | Promise<Uint8Array> => {
      const content = (files.get(fnode) as Uint8Array).subarray(offset, offset + length)
      return delay % 2 === 0 ? content : settled().then(() => content)
    }
    const options = {
      size: (files.get(fnode) as Uint8Array).length,
      read,
      onReplaced: (target: number) => {
        this.replaced(fnode, target, files.get(fnode) as Uint8Array)
        this.mark()
      },
    }
    this.waiting.push(this.recorder.rewrite(fnode, options).catch(isExpected))
  }

  replaced(fnode: number, target: number, content: Uint8Array): void {
    this.model.files.set(target, content)
    for (const [path, named] of this.model.names) if (named === fnode) this.model.names.set(path, target)
  }

  fnodeOf(file: Name): number | undefined {
    const fnode = this.model.names.get(file)
    expect(this.recorder.fnodeOf(`/dir/${file}`)).toBe(fnode)
    return fnode
  }

  /** What a recovery finds in `log`, the journal beneath the faults. */
  async check(log: Journal): Promise<void> {
    const found = await replay(log)
    const { nextSeqNo, nextChecksum } = found.fsm
    const tree = treeOf(found.tree)
    expect(nextSeqNo).toBeGreaterThanOrEqual(this.acknowledged)
    const boundary = this.boundaries.get(`${String(nextSeqNo)} ${String(nextChecksum)}`)
    if (boundary !== undefined) expect(tree).toEqual(boundary.tree)
    // Between two calls there are only the steps of a rewrite, which change nothing that is visible.
    else expect([...this.boundaries.values()].map(({ tree: at }) => at)).toContainEqual(tree)
    for (const hints of this.hints) expect(treeOf((await replay(log, hints)).tree)).toEqual(tree)
  }
}

function treeOf(tree: ReadonlyMap<string, Uint8Array>): Record<string, string> {
  const visible = [...tree].filter(([path]) => !path.startsWith('/.recoverylog/'))
  return Object.fromEntries(visible.map(([path, content]) => [path, hex(content)] as const).sort())
}

function hex(content: Uint8Array | undefined): string {
  return Buffer.from(content ?? new Uint8Array(0)).toString('hex')
}

/** Calls may fail by the journal's faults, and rewrites by a file that ends or a queue that is full. */
function isExpected(error: unknown): void {
  if (!(error instanceof RecoveryLogError)) throw error
  expect(['FENCED', 'UNAVAILABLE', 'OUTCOME_UNKNOWN', 'BACKLOGGED', 'CONFLICT', 'CLOSED']).toContain(
    error.code,
  )
}

/** Another owner takes the log: nothing of ours may land after it. */
const taken: fc.Arbitrary<(log: Journal) => AppendFault> = fc.constant((log: Journal) => ({
  kind: 'meanwhile' as const,
  run: () => log.append({ content: new Uint8Array(3), union: [fenceOf(7)] }),
}))

const settings = fc.record({
  queueBytesMax: fc.constantFrom(600, 5000, 1 << 20),
  chunkBytes: fc.constantFrom(300, 4096, 1 << 20),
  contentChecksums: fc.boolean(),
})

async function runAll(
  steps: readonly Step[],
  faults: ReadonlyMap<number, AppendFault>,
  options: { queueBytesMax: number; chunkBytes: number; contentChecksums: boolean },
  log: Journal,
): Promise<Run> {
  const journal = faultyJournal(log, faultsAt(faults))
  const { recorder } = await openRecorder(journal, { ...options, fsm: emptyMachine() })
  const run = new Run(recorder, journal)
  for (const one of steps) {
    try {
      await run.take(one)
    } catch (error) {
      isExpected(error)
      run.mark()
      if (recorder.failure !== undefined) break
    }
  }
  await recorder.close().catch(isExpected)
  await Promise.all(run.waiting)
  return run
}

describe('a recorder', () => {
  it('leaves in the log what was recorded up to the end of some call, and all that it reported as committed', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(step, { minLength: 1, maxLength: 60 }),
        journalFaults({ appends: 30 }),
        settings,
        async (steps, faults, options) => {
          const log = new MemoryJournal({ name: LOG })
          faults = new Map([...faults].filter(([index]) => index > 0)) // the first append is that of open
          const run = await runAll(steps, faults, options, log)
          await run.check(log)
          if (run.recorder.failure === undefined) expect(run.recorder.committed).toBe(run.recorder.position)
        },
      ),
      { numRuns: RUNS },
    )
  })

  it('leaves nothing behind the fence of another owner, and reports nothing there', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(step, { minLength: 1, maxLength: 60 }),
        fc.integer({ min: 1, max: 10 }),
        taken,
        settings,
        async (steps, index, fault, options) => {
          const log = new MemoryJournal({ name: LOG, registers: [fenceOf(0x1a2b3c4d)] })
          const run = await runAll(steps, new Map([[index, fault(log)]]), options, log)
          await run.check(log)
          const { registers } = await log.head()
          if (registers[0]?.value === fenceOf(7).value) {
            expect(run.recorder.failure).toMatchObject({ code: 'FENCED' })
          }
        },
      ),
      { numRuns: RUNS },
    )
  })

  it('splits what no append holds between operations, and loses none of them', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(step, { minLength: 1, maxLength: 40 }),
        fc.integer({ min: 900, max: 1500 }),
        settings,
        async (steps, maxAppendBytes, options) => {
          const log = new MemoryJournal({ name: LOG, maxAppendBytes })
          const run = await runAll(steps, new Map(), options, log)
          expect(run.recorder.failure).toBeUndefined()
          const { fsm, tree } = await replay(log)
          expect(fsm.nextChecksum).toBe(run.recorder.fsm.nextChecksum)
          expect(treeOf(tree)).toEqual(run.model.tree())
        },
      ),
      { numRuns: RUNS },
    )
  })
})
