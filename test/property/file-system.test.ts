/**
 * Laws of the recorded file system: any sequence of calls gives the results and errors that it gives on the plain one;
 * what is recovered from the log is what is on the disk; and calls that nobody waits for take effect in their order.
 */
import fc from 'fast-check'
import * as nodeFs from 'node:fs'
import { expect, test } from 'vitest'
import { type FileSystemCall, fileSystemCalls } from '../../src/arbitraries/index.ts'
import { type Form, FORMS, Side } from '../recorder/fs/calls.ts'
import {
  memoryDisk,
  promisesOnly,
  recorded,
  type Recorded,
  temporaryFolder,
} from '../recorder/fs/recorded.ts'

const RUNS = 60
/** A failing one is told with its path: set it here to see it again. */
const SETTINGS = { numRuns: RUNS, seed: Number(process.env['SEED']) }

console.log(`file system properties: seed ${String(SETTINGS.seed)}`)

for (const form of FORMS) {
  test(`file system: results and errors are those of node:fs, and the tree is recovered (${form})`, async () => {
    await holds((calls) => compare(calls, form, async () => recorded()))
  })

  test(`file system: the tree is recovered (memfs, ${form})`, async () => {
    await holds((calls) => run(calls, form, async () => recorded({ disk: memoryDisk() })))
  })
}

test('file system: results and errors are those of node:fs, and the tree is recovered (promises only)', async () => {
  await holds((calls) => compare(calls, 'promise', async () => recorded({ seen: promisesOnly(nodeFs) })))
})

test('file system: the tree is recovered (memfs, promises only)', async () => {
  await holds((calls) =>
    run(calls, 'promise', async () => {
      const disk = memoryDisk()
      return recorded({ disk, seen: promisesOnly(disk) })
    }),
  )
})

for (const queueBytesMax of [200, 64 * 1024 * 1024]) {
  test(`file system: calls that nobody waits for have the effect of their order (queue of ${String(queueBytesMax)})`, async () => {
    await holds((calls) => crowd(calls, queueBytesMax))
  })
}

async function holds(law: (calls: readonly FileSystemCall[]) => Promise<void>): Promise<void> {
  await fc.assert(fc.asyncProperty(fileSystemCalls(), law), SETTINGS)
}

/** Call by call beside the plain one. */
async function compare(
  calls: readonly FileSystemCall[],
  form: Form,
  begin: () => Promise<Recorded>,
): Promise<void> {
  const plainRoot = temporaryFolder()
  const r = await begin()
  const plain = new Side(nodeFs, plainRoot, form)
  const ours = new Side(r.fs, '', form)
  try {
    for (const call of calls) {
      const [answer, wanted] = [await ours.outcome(call), await plain.outcome(call)]
      expect({ call, answer: settled(call, answer) }).toEqual({ call, answer: settled(call, wanted) })
    }
    await r.check()
    await ours.closeAll()
    await r.check()
  } finally {
    await plain.closeAll()
    nodeFs.rmSync(plainRoot, { recursive: true })
    nodeFs.rmSync(r.root, { recursive: true })
  }
}

/**
 * What node itself answers now so, now so: `cp` asks for both ends at once, and the error of either may be first; a slash
 * behind the name of a file is overlooked by `realpath`, but not by the one of promises.
 */
function settled(call: FileSystemCall, answer: unknown): unknown {
  if (call.call === 'cp' && answer === 'ENOTDIR') return 'ENOENT'
  return call.call === 'realpath' && call.path.endsWith('/') ? 'a path or an error' : answer
}

/** Alone, where the plain one has errors of its own. */
async function run(
  calls: readonly FileSystemCall[],
  form: Form,
  begin: () => Promise<Recorded>,
): Promise<void> {
  const r = await begin()
  const ours = new Side(r.fs, '', form)
  for (const call of calls) await ours.outcome(call)
  await r.check()
  await ours.closeAll()
  await r.check()
}

/** All at once, on a journal that answers later; the plain one is called synchronously, one after the other. */
async function crowd(calls: readonly FileSystemCall[], queueBytesMax: number): Promise<void> {
  const whole = calls.filter((call) => !('slot' in call) && call.call !== 'cp')
  const plainRoot = temporaryFolder()
  const r = await recorded({ recorder: { queueBytesMax } })
  const plain = new Side(nodeFs, plainRoot, 'sync')
  const ours = new Side(r.fs, '', 'promise')
  try {
    const answers = await Promise.all(whole.map((call) => ours.outcome(call)))
    for (const [index, call] of whole.entries()) {
      const wanted = await plain.outcome(call)
      if (CHANGES.has(call.call)) expect({ call, answer: answers[index] }).toEqual({ call, answer: wanted })
    }
    await r.check()
  } finally {
    nodeFs.rmSync(plainRoot, { recursive: true })
    nodeFs.rmSync(r.root, { recursive: true })
  }
}

const CHANGES = new Set<string>([
  'writeFile',
  'appendFile',
  'truncate',
  'rename',
  'link',
  'unlink',
  'mkdir',
  'rmdir',
  'rm',
])
