/**
 * What one call records: gathered while it changes the disk, as far as that took effect, and recorded in one append at
 * its end, also when it fails halfway.
 */
import { pathFrameBytesMax, WRITE_FRAME_BYTES_MAX } from '../../wire/index.ts'
import type { Inode } from './open-files.ts'
import type { Recorder } from '../recorder.ts'
import { reservePart, type Steps } from './steps.ts'
import type { Tree } from './tree.ts'

/** The most that an operation with a path takes. A marker may have to come or go with it. */
export function pathBytes(path: string): number {
  return 2 * pathFrameBytesMax(path.length)
}

/** The most that content takes, in an append that holds it whole. */
export function contentBytes(bytes: number): number {
  return WRITE_FRAME_BYTES_MAX + bytes
}

/** The most that moving all names of a file takes. */
export function namesBytes(names: readonly string[]): number {
  return names.reduce((bytes, name) => bytes + 2 * pathBytes(name), 0)
}

export class Change {
  readonly #recorder: Recorder
  readonly #tree: Tree
  #records: (() => void)[] = []
  readonly #closed: Inode[] = []
  #bytes = 0

  constructor(recorder: Recorder, tree: Tree) {
    this.#recorder = recorder
    this.#tree = tree
  }

  /** `bytes` is a bound of what `record` takes in the log. */
  add(bytes: number, record: (tree: Tree) => void): void {
    this.#bytes += bytes
    this.#records.push(() => {
      record(this.#tree)
    })
  }

  /** Content of a file, unless no name is left of it. `data` must not change until the call ends. */
  addContent(inode: Inode, offset: number, data: Uint8Array): void {
    if (data.length === 0) return
    this.add(contentBytes(data.length), () => {
      if (inode.fnode > 0) this.#recorder.write(inode.fnode, offset, data)
    })
  }

  /** Records what there is, when the call is too large for one append anyway. */
  *spill(): Steps<void> {
    if (this.#bytes > this.#recorder.journal.maxAppendBytes && (yield* reservePart(this.#bytes))) {
      this.#record()
    }
  }

  /** A descriptor of the inode is closed: it takes part until what the call did is recorded. */
  close(inode: Inode): void {
    this.#closed.push(inode)
  }

  /** Records the rest. */
  commit(): void {
    try {
      if (this.#records.length > 0) this.#record()
    } finally {
      for (const inode of this.#closed) this.#tree.closed(inode)
    }
  }

  #record(): void {
    const records = this.#records
    this.#records = []
    this.#bytes = 0
    this.#recorder.atomic(() => {
      for (const record of records) record()
      this.#tree.settle()
    })
  }
}
