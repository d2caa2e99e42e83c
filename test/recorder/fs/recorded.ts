/** A recorded file system to test, the tree it has on its disk, and the tree that is recovered from its log. */
import { createHash } from 'node:crypto'
import * as nodeFs from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { memfs } from 'memfs'
import { FSM } from '../../../src/fsm/index.ts'
import type { Journal } from '../../../src/journal/index.ts'
import { MemoryJournal } from '../../../src/journal/memory/index.ts'
import { Player } from '../../../src/player/index.ts'
import { RecordedFileSystem, type NodeFileSystem } from '../../../src/recorder/fs/index.ts'
import { Recorder, type RecorderOptions } from '../../../src/recorder/index.ts'

export const LOG = 'test/recovery/log'
const AUTHOR = 0x5eed

export interface Recorded {
  /** The recorded one. */
  readonly fs: NodeFileSystem
  readonly files: RecordedFileSystem
  readonly recorder: Recorder
  readonly journal: MemoryJournal
  readonly disk: NodeFileSystem
  readonly root: string
  /** Compares the disk with what is recovered from the log, and answers the tree. */
  readonly check: () => Promise<Tree>
}

export interface RecordedOptions {
  /** Default: `node:fs` in a folder of its own. */
  readonly disk?: NodeFileSystem
  /** What the recorded file system sees in place of `disk`: one with faults, or with promises only. */
  readonly seen?: object
  readonly root?: string
  readonly journal?: MemoryJournal
  /** What the recorder sees in place of `journal`. */
  readonly recorded?: Journal
  readonly recorder?: Partial<RecorderOptions>
  readonly fsm?: FSM
  readonly platform?: 'posix' | 'windows'
}

/** Path to content, or to `dir`. Files with several names tell the others. */
export type Tree = Readonly<Record<string, string>>

export function memoryDisk(): NodeFileSystem {
  const { fs } = memfs()
  fs.mkdirSync('/disk')
  return fs as unknown as NodeFileSystem
}

export function temporaryFolder(): string {
  return nodeFs.mkdtempSync(join(tmpdir(), 'recoverylog-fs-'))
}

/** The same file system with its promises alone. */
export function promisesOnly(fs: NodeFileSystem): object {
  return { promises: fs.promises, constants: fs.constants }
}

export async function recorded(options: RecordedOptions = {}): Promise<Recorded> {
  const disk = options.disk ?? nodeFs
  const root = options.root ?? (options.disk === undefined ? temporaryFolder() : '/disk')
  const journal = options.journal ?? new MemoryJournal({ name: LOG })
  const fsm = options.fsm ?? new FSM({ log: LOG, liveNodes: [], properties: [] })
  const recorder = await Recorder.open({
    journal: options.recorded ?? journal,
    fsm,
    author: AUTHOR,
    properties: 'none',
    ...options.recorder,
  })
  const files = await RecordedFileSystem.open({
    fs: options.seen ?? disk,
    root,
    recorder,
    ...(options.platform === undefined ? {} : { platform: options.platform }),
  })
  const check = async (): Promise<Tree> => {
    await files.sync()
    const onDisk = treeOf(disk, root)
    const recovered = await recoveredTree(journal)
    if (JSON.stringify(onDisk) !== JSON.stringify(recovered)) {
      throw new Error(
        `disk ${JSON.stringify(onDisk, undefined, 1)} log ${JSON.stringify(recovered, undefined, 1)}`,
      )
    }
    return onDisk
  }
  return { fs: files.fs, files, recorder, journal, disk, root, check }
}

/** What somebody else would recover, from the log alone. */
export async function recoveredTree(journal: Journal): Promise<Tree> {
  const { fs } = memfs()
  await recover(journal, fs as unknown as NodeFileSystem, '/recovered')
  return treeOf(fs as unknown as NodeFileSystem, '/recovered')
}

export async function recover(journal: Journal, fs: NodeFileSystem, dir: string): Promise<FSM> {
  const player = new Player({
    hints: { log: journal.name, liveNodes: [], properties: [] },
    journals: { [journal.name]: journal },
    dir,
    fs,
    directoryMarkers: true,
  })
  player.finishAtWriteHead()
  return (await player.play()).fsm
}

/** Symbolic links and the like are passed over: they are not recorded. */
export function treeOf(fs: NodeFileSystem, root: string): Tree {
  const tree: Record<string, string> = {}
  const names = new Map<number, string>()
  const visit = (folder: string): void => {
    for (const name of fs.readdirSync(root + folder).sort()) {
      const path = `${folder}/${name}`
      const stats = fs.lstatSync(root + path)
      if (stats.isDirectory()) {
        tree[path] = 'dir'
        visit(path)
      } else if (stats.isFile()) {
        const first = names.get(stats.ino)
        tree[path] = first === undefined ? digest(fs.readFileSync(root + path)) : `= ${first}`
        names.set(stats.ino, path)
        if (first !== undefined) names.set(stats.ino, first)
      }
    }
  }
  visit('')
  return tree
}

function digest(bytes: Uint8Array): string {
  if (bytes.length <= 40) return JSON.stringify(Buffer.from(bytes).toString('latin1'))
  return `${String(bytes.length)} ${createHash('sha256').update(bytes).digest('hex').slice(0, 16)}`
}

/** The code of what is thrown, else `'no error'`. */
export function codeOf(call: () => unknown): string {
  try {
    call()
    return 'no error'
  } catch (error) {
    return String((error as { code?: unknown }).code)
  }
}
