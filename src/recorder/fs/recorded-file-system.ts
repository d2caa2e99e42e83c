/**
 * The recorded file system (durable-directory spec, section 2): an object of the shape of `node:fs` over another one,
 * whose `/` is one folder of it, and whose changes are recorded.
 */
import type { LogPosition, WaitOptions } from '../recorder-options.ts'
import type { Recorder } from '../recorder.ts'
import { raceAbort } from '../../async/index.ts'
import { Calls } from './calls.ts'
import { Context } from './context.ts'
import { Disk, type NodeShaped } from './disk.ts'
import { systemError } from './errors.ts'
import { makeFaces, type NodeFileSystem } from './faces.ts'
import type { Platform } from '../../parts/index.ts'
import { MARKER_NAME } from './names.ts'
import { Native } from './native.ts'
import { OpenFiles } from './open-files.ts'
import { readRange } from './operations/content.ts'
import { recordTree, type RecordedTree, type RecordTreeOptions } from './record-tree.ts'
import { Runner } from './runner.ts'
import { ask, type DiskStats, type Steps } from './steps.ts'
import { Tree } from './tree.ts'

/** The underlying file system: `node:fs`, memfs, or any object of their shape; with `promises` alone it has no synchronous forms. */
export type RecordedFileSystemDisk = NodeShaped

export interface RecordedFileSystemOptions {
  readonly fs: RecordedFileSystemDisk
  /** The folder that becomes `/`: it holds what the recorder's state machine says, and nobody else changes it. */
  readonly root: string
  /** With `dir: '/'` and `properties: 'none'`: only what an old log has as a property is one. */
  readonly recorder: Recorder
  /** Whose rules for names hold. Default `posix`; `windows` also refuses what a player there would refuse. */
  readonly platform?: Platform
}

export class RecordedFileSystem {
  /** The file system itself. */
  readonly fs: NodeFileSystem
  readonly #context: Context

  /**
   * Begins to record. An empty tree gets the marker of its root at once.
   *
   * @throws `TypeError` when the recorder has another `dir`, or properties of its own; what the underlying file system
   *   says when `root` is no folder.
   */
  static async open(options: RecordedFileSystemOptions): Promise<RecordedFileSystem> {
    const { fs, root, recorder, platform = 'posix' } = options
    if (recorder.dir !== '/') throw new TypeError("the recorder's dir must be '/'")
    // A recorder makes this one a property, as Go does, unless it is to make none.
    const makesProperties = recorder.isProperty('/IDENTITY') && !recorder.fsm.properties.has('/IDENTITY')
    if (makesProperties) throw new TypeError("the recorder's properties must be 'none'")
    const disk = await Disk.at(fs, root)
    const likeMarkers = new Set<string>()
    for (const { path } of recorder.fsm.links()) {
      if (path.endsWith(`/${MARKER_NAME}`) && (await isThere(disk, path))) likeMarkers.add(path)
    }
    const tree = new Tree(recorder, likeMarkers)
    const runner = new Runner(disk, recorder)
    const native = await Native.of(disk)
    recorder.atomic(() => {
      tree.settle()
    })
    return new RecordedFileSystem(
      new Context({ disk, recorder, tree, files: new OpenFiles(), runner, native, platform }),
    )
  }

  private constructor(context: Context) {
    this.#context = context
    this.fs = makeFaces(new Calls(context))
  }

  /** Resolves when all that was called before has committed, calls that still wait included, with a place in the log behind. */
  async sync(options: WaitOptions = {}): Promise<LogPosition> {
    const { runner, recorder } = this.#context
    await raceAbort(runner.run(nothing()), options.signal)
    return recorder.barrier(options)
  }

  /**
   * Records the files that are in the folder already, in place: for a tree that nothing is recorded of yet. `PATH_REFUSED`,
   * before anything is recorded, for a name that no player would make.
   */
  async recordTree(options: RecordTreeOptions = {}): Promise<RecordedTree> {
    const { runner } = this.#context
    return (await runner.run(recordTree(this.#context, options))) as RecordedTree
  }

  /**
   * Records a file anew while it is being written, so that its history in the log need not be kept: for a file that is
   * updated in place for ever, when `Recorder.outweighs` says that it is worth it. Rejects as `Recorder.rewrite` does.
   */
  async rewrite(path: string, options: WaitOptions = {}): Promise<void> {
    const { disk, recorder, tree, runner } = this.#context
    const fnode = recorder.fsm.fnodeOf(path)
    if (fnode === undefined) throw systemError('ENOENT', 'rewrite', path)
    const run = (steps: Steps<unknown>): unknown =>
      disk.isSync ? runner.runFreeSync(steps) : runner.runFree(steps)
    const fd = (await run(ask('open', disk.real(path), 0, 0))) as number
    try {
      const { size } = (await run(ask('fstat', fd))) as DiskStats
      await recorder.rewrite(fnode, {
        size,
        read: (offset, length) =>
          run(readRange(fd, offset, offset + length)) as Uint8Array | Promise<Uint8Array>,
        onReplaced: (next) => {
          tree.moved(fnode, next)
        },
        ...options,
      })
    } finally {
      await run(ask('close', fd))
    }
  }

  /** Waits for the calls that were made before, and for their commit. Later changes fail with `CLOSED`; reads go on. */
  async close(): Promise<void> {
    const { runner, recorder } = this.#context
    await runner.run(stopping(runner))
    await recorder.barrier()
  }
}

/** Its place in the order of the calls is all it is for. */
function* nothing(): Steps<void> {
  return undefined
}

/** Stops what comes after it in the order of the calls. */
function* stopping(runner: Runner): Steps<void> {
  runner.stop()
}

async function isThere(disk: Disk, path: string): Promise<boolean> {
  try {
    await disk.callAsync('lstat', [disk.real(path)])
    return true
  } catch {
    return false
  }
}
