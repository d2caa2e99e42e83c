/** How fast is a log played into a hundred real files, from a file journal? */
import * as fs from 'node:fs'
import { closeSync, mkdtempSync, openSync, rmSync, writeSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { FileJournal } from '../src/journal/file/index.ts'
import type { JournalChunk } from '../src/journal/index.ts'
import { Player } from '../src/player/index.ts'
import { growth, question } from './harness.ts'
import type { Row, Variant } from './harness.ts'
import { filesIn, PIECE_BYTES, piecesOf } from './support/file-pieces.ts'
import { PLAY, playChunks, playContent } from './workloads.ts'
import type { PlayInput } from './workloads.ts'

/**
 * Of the run before. The harness collects garbage between runs; without living instances the engine would forget the
 * shapes of their objects, and after some rounds of meeting new ones give up on fast code for them.
 */
const kept: { player?: Player; journal?: FileJournal; reader?: AsyncIterator<JournalChunk> } = {}

const FILES = 100
const LOG = 'bench/play'

/** A file journal that holds the log of `input`, a folder in which each run has a directory of its own. */
async function prepareLog(input: PlayInput): Promise<{ variant: Variant; dir: string }> {
  const dir = mkdtempSync(join(tmpdir(), 'recoverylog-bench-'))
  // Synced while it is written, as a log is that one recovers from: else the disk would be busy with it during the runs.
  const open = (): Promise<FileJournal> => FileJournal.open({ dir: join(dir, 'log'), name: LOG })
  const journal = await open()
  for (const content of playChunks(input)) await journal.append({ content })
  kept.journal = journal
  kept.reader = journal.read({ offset: 0, keep: true })[Symbol.asyncIterator]()
  await kept.reader.next()
  let target = ''
  const variant: Variant = {
    operations: input.writes,
    before() {
      target = mkdtempSync(join(dir, 'played-'))
    },
    async run() {
      await using journal = await open()
      const hints = { log: LOG, liveNodes: [], properties: [] }
      const player = new Player({ hints, journals: { [LOG]: journal }, dir: target, fs })
      kept.player = player
      player.finishAtWriteHead()
      await player.play()
    },
    after() {
      rmSync(target, { recursive: true })
    },
  }
  return { variant, dir }
}

/**
 * Leaves to the end what a variant has written, where that is little: where many files have just been removed, the system
 * takes 0.4 ms to make one, which is no part of the question.
 */
function leaving(variant: Variant): Variant {
  return { ...variant, after: () => undefined }
}

/** A folder of its own for each run, with the files open. */
function toFiles(dir: string, operations: number, write: (fds: readonly number[]) => void): Variant {
  let target = ''
  return {
    operations,
    before() {
      target = mkdtempSync(join(dir, 'raw-'))
    },
    run() {
      const fds = Array.from({ length: FILES }, (_, file) => openSync(join(target, String(file)), 'wx'))
      write(fds)
      for (const fd of fds) closeSync(fd)
    },
    after() {
      rmSync(target, { recursive: true })
    },
  }
}

/** The same writes one by one. */
function rawWrites(input: PlayInput, dir: string): Variant {
  const content = playContent(input.size)
  return toFiles(dir, input.writes, (fds) => {
    for (let i = 0; i < input.writes; i++) {
      const offset = Math.floor(i / FILES) * input.size
      writeSync(fds[i % FILES] as number, content, i % FILES, input.size, offset)
    }
  })
}

/** What the files of the journal hold, read and written in pieces of 1 MiB by one thread. */
function rawCopy(input: PlayInput, dir: string): Variant {
  return toFiles(dir, input.writes, (fds) => {
    const log = join(dir, 'log')
    let i = 0
    for (const name of filesIn(log)) {
      for (const piece of piecesOf(join(log, name))) {
        writeSync(fds[i % FILES] as number, piece, 0, piece.length, Math.floor(i / FILES) * PIECE_BYTES)
        i++
      }
    }
  })
}

function inBytes(variant: Variant, input: PlayInput): Variant {
  return { ...variant, operations: input.writes * input.size }
}

function smallWrites(name: string, input: PlayInput, atLeast: number): Row {
  return {
    name: `play/${name}`,
    goals: [{ of: 'ratio', atLeast }],
    async prepare() {
      const { variant, dir } = await prepareLog(input)
      return {
        unit: 'M/s',
        subject: leaving(variant),
        floor: leaving(rawWrites(input, dir)),
        note: 'to one writeSync each; Go 1.0 M/s of a local log',
        close: () => rmSync(dir, { recursive: true }),
      }
    },
  }
}

function largeWrites(name: string, input: PlayInput, atLeast: number, go: string): Row {
  return {
    name: `play/${name}`,
    goals: [{ of: 'ratio', atLeast }],
    async prepare() {
      const { variant, dir } = await prepareLog(input)
      return {
        unit: 'GB/s',
        subject: inBytes(variant, input),
        floor: inBytes(rawCopy(input, dir), input),
        note: `to reading the log and writing it in pieces of 1 MiB in one thread; Go ${go} GB/s of a local log`,
        close: () => rmSync(dir, { recursive: true }),
      }
    },
  }
}

function growing(name: string, input: PlayInput): Row {
  return growth(`play/${name}/growth`, {
    atMost: 1.3,
    async prepare() {
      const small = await prepareLog({ ...input, writes: Math.floor(input.writes / 10) })
      const large = await prepareLog(input)
      return {
        unit: 'us',
        small: small.variant,
        large: large.variant,
        close() {
          for (const { dir } of [small, large]) rmSync(dir, { recursive: true })
        },
      }
    },
  })
}

await question('How fast is a log played into a hundred files?', [
  smallWrites('64B', PLAY['64B'], 9),
  largeWrites('4KiB', PLAY['4KiB'], 0.65, '1.15'),
  largeWrites('1MiB', PLAY['1MiB'], 0.95, '2.2'),
  growing('64B', PLAY['64B']),
  growing('4KiB', PLAY['4KiB']),
  growing('1MiB', PLAY['1MiB']),
])
