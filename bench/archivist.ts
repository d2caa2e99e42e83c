import assert from 'node:assert/strict'
import { fork, spawnSync } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { rmSync } from 'node:fs'
import { cpus } from 'node:os'
import { fileURLToPath } from 'node:url'
import { ArchiveFile } from '../src/archive/index.ts'
import { Archivist, Sweep } from '../src/archivist/index.ts'
import { FileBlobStore } from '../src/blob/file/index.ts'
import { readBlob } from '../src/blob/index.ts'
import type { BlobStore } from '../src/blob/index.ts'
import { encodeDescriptor, encodeLogEntry } from '../src/wire/logdog/index.ts'
import { question } from './harness.ts'
import type { Setup } from './harness.ts'
import { archiveBatch } from './support/archive-input.ts'
import { openFileParts } from './support/archivist-parts.ts'
import type { FileParts } from './support/archivist-parts.ts'
import { scratchFolder } from './support/scratch.ts'

const PROJECT = 'bench'
const PREFIX = 'builds/1'
/** Of a run: enough that its beginning and its end, where archivists wait for the last one, do not count. */
const STREAMS = 400
const ENTRIES = 1000
/**
 * A process does so many first: V8 has not compiled what a task does for good before, and each process would do that anew,
 * which took the time of a hundred tasks.
 */
const WARMING_STREAMS = 300
/** As many tasks at once as the archivist has by default. */
const SIDE_BY_SIDE = 16

const scratchFolders: string[] = []

/**
 * A folder of its own for each run. All are removed at the end: a file system that does not use the inodes of files again
 * that it has just removed, ext4 without a journal is one, looks through all of these for each file that is made.
 */
function scratch(): string {
  const dir = scratchFolder()
  scratchFolders.push(dir)
  return dir
}

function removeScratch(): void {
  for (const dir of scratchFolders.splice(0)) rmSync(dir, { recursive: true })
}

/** Finished streams of 1,000 entries each, which the sweep has found, in a folder that processes can share. */
async function fill(parts: FileParts, streams = STREAMS): Promise<void> {
  const { coordinator, storage } = parts
  await coordinator.setSettings({ archiveDelayMs: 0, storageCleanupDelayMs: 0 })
  const { secret } = await coordinator.registerPrefix({ project: PROJECT, prefix: PREFIX })
  const entries = archiveBatch(0).map((entry) => encodeLogEntry(entry))
  assert.equal(entries.length, ENTRIES)
  await sideBySide(streams, async (at) => {
    const name = `step-${at}/stdout`
    const path = `${PREFIX}/+/${name}`
    const descriptor = encodeDescriptor({
      prefix: PREFIX,
      name,
      streamType: 0,
      contentType: 'text/plain',
      timestamp: { seconds: 1_700_000_000, nanos: 0 },
      tags: new Map(),
      binaryFileExt: '',
    })
    await coordinator.registerStream({ project: PROJECT, secret, descriptor, terminalIndex: ENTRIES - 1 })
    await storage.put({ stream: { project: PROJECT, path }, from: 0, entries })
  })
  assert.equal((await new Sweep(parts).sweep()).dispatched, streams)
}

async function sideBySide(count: number, body: (at: number) => Promise<void>): Promise<void> {
  let next = 0
  const worker = async (): Promise<void> => {
    while (next < count) await body(next++)
  }
  await Promise.all(Array.from({ length: SIDE_BY_SIDE }, worker))
}

/** The files of one archive, as they lie in the store. */
async function filesOf(blobs: BlobStore): Promise<Map<string, Uint8Array>> {
  const folder = `archive/${PROJECT}/${PREFIX}/+/step-0/stdout`
  const files = new Map<string, Uint8Array>()
  for (const name of Object.values(ArchiveFile)) files.set(name, await readBlob(blobs, `${folder}/${name}`))
  return files
}

/** One process, to be pinned to one core by whoever calls the bench. */
function taskSetup(): Setup {
  let dir = ''
  let parts: FileParts | undefined
  let files: ReadonlyMap<string, Uint8Array> | undefined
  return {
    unit: '/s',
    subject: {
      operations: STREAMS,
      async before() {
        dir = scratch()
        parts = await openFileParts(dir)
        await fill(parts)
      },
      async run() {
        assert.equal(await new Archivist(parts as FileParts).runDue(), STREAMS)
      },
      async after() {
        files ??= await filesOf((parts as FileParts).blobs)
        await parts?.close()
      },
    },
    floor: {
      operations: STREAMS,
      before: () => {
        dir = scratch()
      },
      async run() {
        const blobs = await FileBlobStore.open({ dir })
        await sideBySide(STREAMS, async (at) => {
          await Promise.all(
            [...(files as ReadonlyMap<string, Uint8Array>)].map(async ([name, bytes]) => {
              await blobs.put(`staging/${at}/${name}`, bytes)
              await blobs.move(`staging/${at}/${name}`, `archive/${at}/${name}`)
            }),
          )
        })
        await blobs.close()
      },
    },
    note: 'streams of 1,000 entries; the blob writes, moves and fsyncs alone',
    rounds: 3,
    close: removeScratch,
  }
}

/** Whether the system can pin a process to a core. */
const canPin = spawnSync('taskset', ['-c', '0', 'true']).status === 0

/** A folder as `fill` leaves it. */
async function filled(streams: number): Promise<string> {
  const dir = scratch()
  const parts = await openFileParts(dir)
  await fill(parts, streams)
  await parts.close()
  return dir
}

async function startArchivist(dir: string, at: number): Promise<ChildProcess> {
  const script = fileURLToPath(new URL('support/archivist-process.js', import.meta.url))
  const child = fork(script, [dir, await filled(WARMING_STREAMS)])
  if (canPin) {
    const core = at % cpus().length
    assert.equal(spawnSync('taskset', ['-a', '-c', '-p', String(core), String(child.pid)]).status, 0)
  }
  return child
}

async function message(child: ChildProcess): Promise<unknown> {
  return new Promise((resolve, reject) => {
    child.once('message', resolve)
    child.once('exit', (code) => reject(new Error(`an archivist has ended with ${String(code)}`)))
  })
}

/** Milliseconds that so many archivist processes take for the streams of one folder. */
async function timeOfProcesses(count: number): Promise<number> {
  const dir = await filled(STREAMS)
  const children = await Promise.all(
    Array.from({ length: count }, async (_, at) => {
      const child = await startArchivist(dir, at)
      await message(child)
      return child
    }),
  )
  const begin = performance.now()
  const counts = Promise.all(children.map(message))
  for (const child of children) child.send('go')
  const done = (await counts) as number[]
  const elapsed = performance.now() - begin
  assert.equal(
    done.reduce((sum, tasks) => sum + tasks, 0),
    STREAMS,
  )
  return elapsed
}

function scaleSetup(processes: number): Setup {
  return {
    unit: '/s',
    subject: { operations: STREAMS, run: () => timeOfProcesses(processes) },
    floor: { operations: STREAMS, run: () => timeOfProcesses(1) },
    note: `${processes} processes on one folder, each pinned to a core of ${cpus().length}; the floor is one`,
    rounds: 3,
    close: removeScratch,
  }
}

await question('How fast are finished streams archived, all parts on files?', [
  { name: 'archivist/task', goals: [{ of: 'value', atLeast: 150 }], prepare: taskSetup },
])

await question('Do archivists side by side archive more?', [
  { name: 'archivist/scale', goals: [{ of: 'ratio', atLeast: 1.7 }], prepare: () => scaleSetup(2) },
  { name: 'archivist/scale/4', goals: [], prepare: () => scaleSetup(4) },
])
