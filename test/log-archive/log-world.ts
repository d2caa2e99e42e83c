import { createHash } from 'node:crypto'
import { renderEntries } from '../../src/archive/index.ts'
import { MemoryBlobStore } from '../../src/blob/memory/index.ts'
import { MemoryStreamStore, MemoryTaskQueue } from '../../src/coordinator/memory/index.ts'
import type { RecoveryLogError } from '../../src/errors/index.ts'
import { LogArchive } from '../../src/log-archive/index.ts'
import type { LogArchiveOptions } from '../../src/log-archive/index.ts'
import type { Sha256Factory } from '../../src/parts/index.ts'
import { MemoryStorage } from '../../src/storage/memory/index.ts'
import type { LogEntry } from '../../src/wire/logdog/index.ts'
import { ManualClock, seededRandom } from '../support/directory.ts'

export const PATH = 'build/1/+/stdout'
export const START_MS = 1_700_000_000_000

export const sha256: Sha256Factory = () => {
  const hash = createHash('sha256')
  return { update: (bytes) => void hash.update(bytes), digest: () => new Uint8Array(hash.digest()) }
}

/** What any number of log archives share: streams, tasks, entries, blobs and the time. */
export class LogWorld {
  readonly clock = new ManualClock(START_MS)
  readonly random = seededRandom(1)
  readonly streamStore = new MemoryStreamStore()
  readonly taskQueue = new MemoryTaskQueue({ clock: this.clock })
  readonly storage = new MemoryStorage({ clock: this.clock })
  readonly blobs = new MemoryBlobStore({ clock: this.clock })
  readonly errors: RecoveryLogError[] = []

  /** One process's archive. Nothing is archived by itself, but `archiveDue` does it at once. */
  async open(more: Partial<LogArchiveOptions> = {}): Promise<LogArchive> {
    const { clock, random, storage, blobs, streamStore, taskQueue } = this
    return LogArchive.open({
      ...{ clock, random, storage, blobs, sha256, coordinator: { streamStore, taskQueue } },
      settings: { archiveDelayMs: 0, storageCleanupDelayMs: 0, renderData: true },
      archivist: false,
      sweep: false,
      onError: (error) => this.errors.push(error),
      ...more,
    })
  }

  /** Moves the clock on in steps until `promise` is settled: who waits goes on meanwhile. */
  async settled<T>(promise: Promise<T>, stepMs = 100): Promise<T> {
    const state = { isSettled: false }
    const settle = (): void => void (state.isSettled = true)
    promise.then(settle, settle)
    for (let step = 0; step < 10_000; step++) {
      await this.clock.advance(0)
      if (state.isSettled) return promise
      await this.clock.advance(stepMs)
    }
    throw new Error('it never ends')
  }
}

/** All of a stream's entries, wherever they are. */
export async function entriesOf(
  archive: LogArchive,
  path = PATH,
  options: Parameters<LogArchive['read']>[1] = {},
): Promise<LogEntry[]> {
  const entries: LogEntry[] = []
  for await (const batch of archive.read(path, options)) entries.push(...batch)
  return entries
}

/** A stream's content put together again. */
export async function contentOf(archive: LogArchive, path = PATH): Promise<Uint8Array> {
  return Buffer.concat([...renderEntries(await entriesOf(archive, path), { raw: true })])
}

export async function textOf(archive: LogArchive, path = PATH): Promise<string> {
  return new TextDecoder().decode(await contentOf(archive, path))
}

/** What a text entry holds, a character for each byte. */
export function lineOf({ content }: LogEntry): string {
  if (content?.kind !== 'text') return 'no text'
  return content.lines
    .map(({ value, delimiter }) => Buffer.from(value).toString('latin1') + delimiter)
    .join('')
}
