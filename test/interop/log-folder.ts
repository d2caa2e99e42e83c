import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import * as fs from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { FSMHints } from '../../src/fsm/index.ts'
import { MemoryJournal } from '../../src/journal/index.ts'
import { Player } from '../../src/player/index.ts'
import type { LogRange, Played } from '../../src/player/index.ts'
import type { BuiltHints, State } from './fsm.ts'
import { fromGoHints } from './go-hints.ts'
import type { GoHints } from './go-hints.ts'
import { knownKeys } from './known-keys.ts'
import type { VectorRun } from './vector-run.ts'

/** `case.json`: the journals, where their bytes lie, and hints. */
export interface LogCase {
  readonly name: string
  readonly logs: readonly {
    readonly journal: string
    readonly head: number
    readonly files: readonly { readonly begin: number; readonly end: number; readonly file: string }[]
  }[]
  readonly hints: readonly { readonly name: string; readonly json: string; readonly pb: string }[]
}

export interface TreeEntry {
  readonly path: string
  readonly size: number
  readonly sha256: string
  readonly linkGroup?: number
  readonly content?: string
}

/** What is right of a playback. */
export interface Right {
  readonly outcome: string
  readonly tree: readonly TreeEntry[]
  readonly outcomes?: Readonly<Record<string, number>>
  readonly final?: State
  readonly builtHints?: BuiltHints
}

/** One playback of `expected.json`. */
export interface Play extends Right {
  readonly name: string
  readonly hints: string
  readonly hintsPb: string
  readonly properties: readonly { readonly path: string; readonly content: string }[]
  readonly jumps: readonly LogRange[]
  readonly desyncs: readonly LogRange[]
  readonly noGhosts?: Right
  readonly finishes?: {
    readonly outcome: string
    readonly tree: readonly TreeEntry[]
    readonly nextSeqNo: number
    readonly nextChecksum: number
  }
}

export interface LogFolder {
  readonly log: LogCase
  /** By the names of their files. */
  readonly bytes: ReadonlyMap<string, Uint8Array>
  readonly plays: readonly Play[]
}

export function readLogFolder(run: VectorRun, folder: string): LogFolder {
  const log = run.json<LogCase>(`${folder}/case.json`)
  knownKeys(log, ['about', 'name', 'notes', 'logs', 'hints'])
  const { cases, ...head } = run.json<{ about: string; cases: readonly Play[] }>(`${folder}/expected.json`)
  knownKeys(head, ['about'])
  const files = log.logs.flatMap((one) => one.files)
  const bytes = new Map(files.map(({ file }) => [file, run.bytes(`${folder}/${file}`)]))
  return { log, bytes, plays: cases }
}

/** As Go's encoding/json wrote them, and as ours. */
export function readHints(
  run: VectorRun,
  path: string,
): { readonly goHints: GoHints; readonly hints: FSMHints } {
  const goHints = JSON.parse(Buffer.from(run.bytes(path)).toString()) as GoHints
  return { goHints, hints: fromGoHints(goHints) }
}

/** Plays a folder's logs through the real file system, to the write head. */
export function playFolder({ log, bytes }: LogFolder, hints: FSMHints, dir: string): Promise<Played> {
  const journals = new Map(
    log.logs.map(({ journal: name, head, files }) => {
      const content = files
        .filter(({ begin, end }) => begin < end)
        .map(({ begin, end, file }) => {
          const piece = bytes.get(file) as Uint8Array
          assert.equal(piece.length, end - begin, file)
          return { begin, bytes: piece }
        })
      return [name, new MemoryJournal({ name, head, content })]
    }),
  )
  const player = new Player({ hints, journals, dir, fs })
  player.finishAtWriteHead()
  return player.play()
}

/** Calls `body` with a place for a directory that is not there, in a folder with nothing else in it. */
export async function withTarget(body: (dir: string) => Promise<void>): Promise<void> {
  const base = fs.mkdtempSync(join(tmpdir(), 'recoverylog-vectors-'))
  try {
    await body(join(base, 'play'))
  } finally {
    fs.rmSync(base, { recursive: true })
  }
}

/** Holds a tree against an expected one; the content of files is told of small ones only. */
export function expectTree(dir: string, tree: readonly TreeEntry[]): void {
  const actual = treeOf(dir)
  const expected = tree.map((entry, i) => {
    knownKeys(entry, ['path', 'size', 'sha256', 'linkGroup', 'content'])
    return { ...actual[i], ...entry }
  })
  assert.deepEqual(
    actual.map(({ path }) => path),
    tree.map(({ path }) => path),
  )
  assert.deepEqual(actual, expected)
}

/** By path; files of one `linkGroup` are one file, numbered as they come. */
function treeOf(dir: string): Required<TreeEntry>[] {
  const groups = new Map<number, number>()
  return fs
    .readdirSync(dir, { recursive: true, withFileTypes: true })
    .filter((entry) => !entry.isDirectory())
    .map((entry) => join(entry.parentPath, entry.name))
    .map((file) => ({ file, path: file.slice(dir.length) }))
    .sort((a, b) => (a.path < b.path ? -1 : 1))
    .map(({ file, path }) => {
      const { ino } = fs.lstatSync(file)
      groups.set(ino, groups.get(ino) ?? groups.size + 1)
      const content = fs.readFileSync(file)
      const sha256 = createHash('sha256').update(content).digest('hex')
      return {
        path,
        size: content.length,
        sha256,
        linkGroup: groups.get(ino) ?? 0,
        content: content.toString(),
      }
    })
}
