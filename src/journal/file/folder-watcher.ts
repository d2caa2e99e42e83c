import type { Clock } from '../../parts/index.ts'
import type { FolderWatch } from './journal-file-system.ts'
import type { JournalFolder } from './journal-folder.ts'

/**
 * Wakes readers when anything in the folder changes, by whatever process. The system tells; a slow poll stands by for
 * file systems and containers where it does not. Nothing is held while nobody waits.
 */
export class FolderWatcher {
  readonly #folder: JournalFolder
  readonly #clock: Clock
  readonly #pollMs: number
  readonly #wakes = new Set<() => void>()
  #watch: FolderWatch | undefined
  #poll: AbortController | undefined

  constructor(folder: JournalFolder, clock: Clock, pollMs: number) {
    this.#folder = folder
    this.#clock = clock
    this.#pollMs = pollMs
  }

  /** Calls `wake` after each change from now on, until the answer is called. */
  subscribe(wake: () => void): () => void {
    this.#wakes.add(wake)
    if (this.#wakes.size === 1) this.#start()
    return () => {
      this.#wakes.delete(wake)
      if (this.#wakes.size === 0) this.#stop()
    }
  }

  /** Wakes all readers of this object at once: what it has committed itself need not come round by the system. */
  notify(): void {
    for (const wake of [...this.#wakes]) wake()
  }

  #start(): void {
    try {
      this.#watch = this.#folder.fs.watch(this.#folder.dir, () => {
        this.notify()
      })
      this.#watch.on('error', () => {
        this.#stopWatch() // the folder has gone, or watches have run out: the poll goes on
      })
    } catch {
      this.#watch = undefined // as above; a reader is told of a folder that has gone when it looks
    }
    this.#poll = new AbortController()
    void this.#pollUntil(this.#poll.signal)
  }

  #stop(): void {
    this.#stopWatch()
    this.#poll?.abort()
    this.#poll = undefined
  }

  #stopWatch(): void {
    this.#watch?.close()
    this.#watch = undefined
  }

  async #pollUntil(signal: AbortSignal): Promise<void> {
    try {
      for (;;) {
        await this.#clock.sleep(this.#pollMs, signal)
        this.notify()
      }
    } catch (error) {
      if (!signal.aborted) throw error
    }
  }
}
