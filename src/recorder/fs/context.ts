import type { Disk } from './disk.ts'
import type { Platform } from '../../parts/index.ts'
import type { Native } from './native.ts'
import type { OpenFiles } from './open-files.ts'
import type { Recorder } from '../recorder.ts'
import { Change } from './change.ts'
import type { Runner } from './runner.ts'
import type { DiskStats, Steps } from './steps.ts'
import { pass } from './steps.ts'
import type { Tree } from './tree.ts'

/** An error costs more than the whole look-up. Promises ignore it. */
export const UNLESS_MISSING = { throwIfNoEntry: false }

/** What every call of the recorded file system works on. */
export class Context {
  readonly disk: Disk
  readonly recorder: Recorder
  readonly tree: Tree
  readonly files: OpenFiles
  readonly runner: Runner
  readonly native: Native
  readonly platform: Platform

  constructor(parts: Omit<Context, 'changing' | 'lookUp'>) {
    this.disk = parts.disk
    this.recorder = parts.recorder
    this.tree = parts.tree
    this.files = parts.files
    this.runner = parts.runner
    this.native = parts.native
    this.platform = parts.platform
  }

  /** Runs `body`, then records what it has done to the disk, also when it fails. */
  *changing<T>(body: (change: Change) => Steps<T>): Steps<T> {
    const change = new Change(this.recorder, this.tree)
    try {
      return yield* body(change)
    } finally {
      change.commit()
    }
  }

  /** What is at a path, not following a link. Undefined when nothing is, or nothing can be told: the call itself will. */
  *lookUp(path: string): Steps<DiskStats | undefined> {
    try {
      return (yield* pass('lstat', [this.disk.real(path), UNLESS_MISSING])) as DiskStats | undefined
    } catch {
      return undefined
    }
  }
}
