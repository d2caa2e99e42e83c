import { createFsFromVolume, Volume } from 'memfs'
import type { ProcessIdentity } from '../../src/directory/process-identity.ts'
import { RecoveryLogError } from '../../src/errors/index.ts'
import type { Clock, Random, SyncFileSystem } from '../../src/parts/index.ts'

/** A file system in memory with a folder `/data`. */
export function memoryFileSystem(): SyncFileSystem & ReturnType<typeof createFsFromVolume> {
  const fs = createFsFromVolume(new Volume())
  fs.mkdirSync('/data')
  return fs
}

/** xorshift32: the same bytes for the same seed. */
export function seededRandom(seed: number): Random {
  let state = seed | 1
  return (count) => {
    const bytes = new Uint8Array(count)
    for (let i = 0; i < count; i++) {
      state ^= state << 13
      state ^= state >>> 17
      state ^= state << 5
      bytes[i] = state
    }
    return bytes
  }
}

/** A clock that stands until it is moved. */
export class ManualClock implements Clock {
  #now: number
  readonly #sleepers = new Set<{ readonly until: number; readonly wake: () => void }>()

  constructor(now = 1_700_000_000_000) {
    this.#now = now
  }

  now(): number {
    return this.#now
  }

  /** How many sleeps are under way. */
  get sleeping(): number {
    return this.#sleepers.size
  }

  sleep(ms: number, signal?: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      const end = (): void => {
        this.#sleepers.delete(sleeper)
        signal?.removeEventListener('abort', onAbort)
      }
      const sleeper = {
        until: this.#now + ms,
        wake: () => {
          end()
          resolve()
        },
      }
      const onAbort = (): void => {
        end()
        reject(new RecoveryLogError('ABORTED', 'the call was aborted'))
      }
      if (signal?.aborted === true) {
        onAbort()
        return
      }
      signal?.addEventListener('abort', onAbort)
      this.#sleepers.add(sleeper)
    })
  }

  /** Moves on, wakes who is due, and lets them run. */
  async advance(ms: number): Promise<void> {
    this.#now += ms
    for (const sleeper of [...this.#sleepers]) if (sleeper.until <= this.#now) sleeper.wake()
    await settle()
  }
}

/** Lets everything that is ready run. */
export async function settle(): Promise<void> {
  for (let i = 0; i < 50; i++) await Promise.resolve()
  await new Promise((resolve) => {
    setImmediate(resolve)
  })
}

/** Processes of one machine and one boot: pids are alive until they are killed. */
export class Processes {
  readonly #startTimes = new Map<number, string>()

  /** The same pid again is another process. */
  start(pid: number, startTime = '1'): ProcessIdentity {
    this.#startTimes.set(pid, startTime)
    return {
      self: { machine: 'm', boot: 'b', pidNamespace: 'n', pid, startTime },
      startTimeOf: (other) => this.#startTimes.get(other),
    }
  }

  kill(pid: number): void {
    this.#startTimes.delete(pid)
  }
}
