/** How fast does a recorder record: in memory, with a promise for each call, and onto a disk that is synced? */
import { closeSync, fdatasyncSync, mkdtempSync, openSync, rmSync, writeSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { FSM } from '../src/fsm/index.ts'
import { FileJournal } from '../src/journal/file/index.ts'
import type { Journal } from '../src/journal/index.ts'
import { Recorder } from '../src/recorder/index.ts'
import { growth, question, WARM_ROUNDS } from './harness.ts'
import type { Row, Variant } from './harness.ts'
import { DiscardJournal } from './support/discard-journal.ts'
import { PlainRecorder } from './support/plain-stack.ts'
import { AUTHOR, playContent } from './workloads.ts'

const FILES = 16
/** Calls in one turn: the plain stack and the promises go by them too. */
const GROUP = 1000
const OPERATIONS = 1_000_000
const RAW_BYTES = 1 << 20

const content = playContent(4096)

interface Work {
  readonly size: number
  readonly operations: number
}

/** What was used last stays in use, as in a service: else V8 forgets what it has learned of it between two rounds. */
const kept: { recorder?: Recorder } = {}

async function openRecorder(journal: Journal): Promise<{ recorder: Recorder; fnodes: number[] }> {
  const fsm = new FSM({ log: journal.name, liveNodes: [], properties: [] })
  const recorder = await Recorder.open({ journal, fsm, author: AUTHOR })
  kept.recorder = recorder
  const fnodes = Array.from({ length: FILES }, (_, file) => recorder.create(`/record/${String(file)}`))
  return { recorder, fnodes }
}

/** Write i goes to file i % 16, behind the one before. */
async function recordAll(journal: Journal, { size, operations }: Work): Promise<number> {
  const { recorder, fnodes } = await openRecorder(journal)
  const data = content.subarray(0, size)
  for (let i = 0; i < operations;) {
    for (const end = Math.min(operations, i + GROUP); i < end; i++) {
      recorder.write(fnodes[i % FILES] as number, Math.floor(i / FILES) * size, data)
    }
    await recorder.room(GROUP * (size + 64))
  }
  await recorder.barrier()
  return recorder.position
}

async function recordWithPromises({ size, operations }: Work): Promise<void> {
  const { recorder, fnodes } = await openRecorder(new DiscardJournal())
  const data = content.subarray(0, size)
  const promises: Promise<unknown>[] = []
  for (let i = 0; i < operations;) {
    promises.length = 0
    for (const end = i + GROUP; i < end; i++) {
      recorder.write(fnodes[i % FILES] as number, Math.floor(i / FILES) * size, data)
      promises.push(recorder.committedAt(recorder.position))
    }
    await Promise.all(promises)
  }
}

function recordPlainly({ size, operations }: Work): void {
  const recorder = new PlainRecorder()
  const fnodes = Array.from({ length: FILES }, (_, file) => recorder.create(`/record/${String(file)}`))
  const data = content.subarray(0, size)
  for (let i = 0; i < operations;) {
    for (const end = i + GROUP; i < end; i++) {
      recorder.write(fnodes[i % FILES] as number, Math.floor(i / FILES) * size, data)
    }
    recorder.take()
  }
}

function inMemory(operations: number): Variant {
  return {
    operations,
    async run() {
      await recordAll(new DiscardJournal(), { size: 64, operations })
    },
  }
}

/** Onto a file journal that syncs, against raw writes of the same bytes, 1 MiB and one fdatasync each. */
function synced(name: string, work: Work): Row {
  return {
    name: `record/file-sync-${name}`,
    goals: [{ of: 'ratio', atLeast: 0.7 }],
    prepare() {
      let dir = ''
      let bytes = 0
      const { operations } = work
      // Removed after each run: pages that are kept make the next run take new memory from the host, which says nothing.
      const inFolder = {
        operations,
        before() {
          dir = mkdtempSync(join(tmpdir(), 'recoverylog-bench-'))
        },
        after() {
          rmSync(dir, { recursive: true })
        },
      }
      return {
        unit: 'M/s',
        subject: {
          ...inFolder,
          async before() {
            inFolder.before()
            // V8 needs some millions of calls until it has compiled them for good: they need not all go to the disk.
            await recordAll(new DiscardJournal(), { size: 64, operations: OPERATIONS })
          },
          async run() {
            const journal = await FileJournal.open({ dir: join(dir, 'journal'), name: 'bench/file' })
            bytes = await recordAll(journal, work)
            await journal.close()
          },
        },
        floor: { ...inFolder, run: () => writeRaw(join(dir, 'raw'), bytes) },
      }
    },
  }
}

function writeRaw(path: string, bytes: number): void {
  const block = new Uint8Array(RAW_BYTES).fill(7)
  const fd = openSync(path, 'wx')
  for (let at = 0; at < bytes; at += RAW_BYTES) {
    writeSync(fd, block, 0, Math.min(RAW_BYTES, bytes - at))
    fdatasyncSync(fd)
  }
  closeSync(fd)
}

await question('How fast does a recorder record?', [
  {
    name: 'record/64B',
    goals: [{ of: 'ratio', atLeast: 9 }],
    prepare: () => ({
      unit: 'M/s',
      rounds: WARM_ROUNDS,
      subject: inMemory(OPERATIONS),
      floor: { operations: OPERATIONS, run: () => recordPlainly({ size: 64, operations: OPERATIONS }) },
      note: 'Go 7 M/s, framing and state only',
    }),
  },
  growth('record/64B/growth', {
    atMost: 1.3,
    prepare: () => ({ unit: 'ns', small: inMemory(OPERATIONS / 10), large: inMemory(OPERATIONS) }),
  }),
  {
    name: 'record/promise-64B',
    goals: [{ of: 'ratio', atLeast: 0.5 }],
    prepare: () => ({
      unit: 'M/s',
      subject: {
        operations: OPERATIONS,
        run: () => recordWithPromises({ size: 64, operations: OPERATIONS }),
      },
      floor: inMemory(OPERATIONS),
    }),
  },
  synced('64B', { size: 64, operations: OPERATIONS }),
  synced('4KiB', { size: 4096, operations: 100_000 }),
])
