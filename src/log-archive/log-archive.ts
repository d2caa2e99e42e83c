import { verifyArchive } from '../archive/index.ts'
import type { VerifyReport } from '../archive/index.ts'
import { Archivist, Sweep } from '../archivist/index.ts'
import { raceAbort } from '../async/index.ts'
import { CallGate } from '../blob/index.ts'
import { Coordinator, Logs } from '../coordinator/index.ts'
import { RecoveryLogError } from '../errors/index.ts'
import type { WithSignal } from '../storage/index.ts'
import type { LogEntry } from '../wire/logdog/index.ts'
import type { LogArchiveOptions, NameStreamOptions, OpenStreamOptions, ReadOptions } from './options.ts'
import { readStream } from './read-stream.ts'
import { writerSettings } from './settings.ts'
import { StreamOpener } from './stream-opener.ts'
import type { StreamWriter } from './stream-writer.ts'
import { TasksInHand } from './tasks-in-hand.ts'

/** Leases are made longer when a third of them is over: two more tries are left. */
const EXTENSIONS_PER_LEASE = 3

const DEFAULT_PROJECT = 'default'

/** What `archiveDue` has done. */
export interface ArchiveDueReport {
  /** Tasks that were put because their time had come. */
  readonly dispatched: number
  /** Tasks that have ended meanwhile, of those and others. */
  readonly done: number
}

/**
 * The whole log archive in one object (log-archive spec, section 11): streams are written, archived some time after
 * their end, and read from wherever they are. Any number of processes may do so on the same parts.
 *
 * ```ts
 * await using archive = await LogArchive.open({ dir: 'logs' }) // of recoverylog/node
 * const stream = await archive.openStream({ path: 'build/1/+/stdout' })
 * await stream.write('first line\n')
 * await stream.close()
 * for await (const entries of archive.read('build/1/+/stdout')) show(entries)
 * ```
 */
export class LogArchive implements AsyncDisposable {
  /** Knows each stream: settings, purging, quarantine, dead letters. */
  readonly coordinator: Coordinator
  /** Reads streams in other ways than `read`: pages, queries, deletion of a prefix. */
  readonly logs: Logs
  readonly #options: LogArchiveOptions
  readonly #project: string
  readonly #opener: StreamOpener
  readonly #tasks: TasksInHand
  readonly #archivist: Archivist
  readonly #sweep: Sweep
  readonly #writers = new Set<StreamWriter>()
  readonly #gate = new CallGate('the log archive')
  readonly #closed = new AbortController()
  readonly #loops: Promise<unknown>[] = []
  #doneCount = 0
  #closing: Promise<void> | undefined

  /**
   * Opens the archive on the parts that are handed in, and begins to archive what is due.
   *
   * @throws RecoveryLogError `INVALID` for one of `settings`; RangeError for another setting
   */
  static async open(options: LogArchiveOptions): Promise<LogArchive> {
    return new LogArchive(options)
  }

  private constructor(options: LogArchiveOptions) {
    const { coordinator: backEnds, settings, pollMs } = options
    this.#options = options
    this.#project = options.project ?? DEFAULT_PROJECT
    const parts = { ...options, ...backEnds, ...(settings && { settings }) }
    this.coordinator = new Coordinator(parts)
    const { coordinator } = this
    this.logs = new Logs({ ...parts, coordinator, ...(pollMs !== undefined && { pollMs }) })
    const writing = writerSettings(options.writer)
    this.#opener = new StreamOpener({ ...parts, coordinator, settings: writing, service: settings })
    this.#tasks = new TasksInHand(parts)
    this.#archivist = new Archivist({
      ...{ ...options, ...options.archivist },
      coordinator: this.#tasks,
      onTask: (report) => {
        this.#doneCount++
        this.#tasks.done()
        options.onTask?.(report)
      },
    })
    const staging = settings?.staging === undefined ? {} : { staging: [settings.staging] }
    this.#sweep = new Sweep({ ...options, coordinator, ...staging, ...options.sweep })
    this.#run(writing.writerLeaseMs)
  }

  /**
   * Opens a stream to write: registers it when it is new, and else goes on behind its last entry, as what it was registered
   * as: `contentType` and the like count only for a new one.
   *
   * @throws RecoveryLogError `STREAM_BUSY` while another writer has it, with `untilMs`; `CLOSED` when it is terminated or
   *   archived; `PURGED`; `CONFLICT` when it is of another type; `EXPIRED` for a new stream of a prefix that is older than
   *   the setting `prefixExpirationMs`; `DENIED` when somebody else has registered the prefix; `NAME_INVALID`,
   *   `DESCRIPTOR_INVALID`; `ABORTED`
   */
  async openStream(options: OpenStreamOptions): Promise<StreamWriter> {
    return this.#gate.run(async () => {
      const writer = await this.#opener.open(
        { ...options, project: this.#projectOf(options) },
        (ended, error) => {
          this.#writers.delete(ended)
          if (error !== undefined) this.#options.onError?.(error)
        },
      )
      this.#writers.add(writer)
      return writer
    })
  }

  /**
   * Yields a stream's entries in batches, wherever they are.
   *
   * @throws RecoveryLogError while iterating: `NOT_FOUND`, `PURGED`, `NAME_INVALID`; `CORRUPT` for damage; `CLOSED`, `ABORTED`.
   *   TypeError for `from` together with `tail`; RangeError for a number that is none
   */
  read(path: string, options: ReadOptions = {}): AsyncGenerator<readonly LogEntry[], void, undefined> {
    return readStream(this.logs, { ...options, path, project: this.#projectOf(options) }, this.#closed.signal)
  }

  /**
   * Reads a stream's archive through, and tells all that is wrong with it; with its manifest.
   *
   * @throws RecoveryLogError `NOT_FOUND` when there is no such stream, or it is not archived yet; what the blob store says
   */
  async verify(path: string, options: NameStreamOptions = {}): Promise<VerifyReport> {
    return this.#gate.run(async () => {
      const { signal } = options
      const project = this.#projectOf(options)
      const { stream } = await this.logs.get({ project, path, limit: 0, ...(signal && { signal }) })
      const key = stream.archive?.entriesUrl
      if (key === undefined) {
        throw new RecoveryLogError('NOT_FOUND', `the stream ${path} is not archived yet`, { project, path })
      }
      const { blobs, sha256 } = this.#options
      const folder = key.slice(0, key.lastIndexOf('/'))
      return verifyArchive({ blobs, sha256, folder, ...(signal && { signal }) })
    })
  }

  /**
   * Does everything that is due now, also when archivist and sweep are switched off, and waits for what the archivist has
   * in hand.
   *
   * @throws what the parts throw; `ABORTED`
   */
  async archiveDue(options: WithSignal = {}): Promise<ArchiveDueReport> {
    return this.#gate.run(async () => {
      const before = this.#doneCount
      const { dispatched } = await this.#sweep.sweep(options)
      await this.#archivist.runDue(options)
      await raceAbort(this.#tasks.idle(), options.signal)
      return { dispatched, done: this.#doneCount - before }
    })
  }

  /**
   * Waits for calls under way, stores what was written, and ends archivist and sweep after the tasks under way. Streams that
   * are not closed are left, and go on when they are opened again. May be called twice.
   *
   * @throws the first thing that went wrong; everything is closed then too
   */
  async close(): Promise<void> {
    this.#closing ??= this.#close()
    await this.#closing
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
  }

  async #close(): Promise<void> {
    await this.#gate.close()
    const ended = await Promise.allSettled([...this.#writers].map(async (writer) => writer.leave()))
    this.#closed.abort()
    await this.#archivist.stop()
    await Promise.all(this.#loops)
    for (const part of this.#options.closeWith ?? []) {
      ended.push(...(await Promise.allSettled([part.close()])))
    }
    const failed = ended.find((result) => result.status === 'rejected')
    if (failed !== undefined) throw failed.reason
  }

  #projectOf({ project = this.#project }: { readonly project?: string }): string {
    return project
  }

  /** What goes on by itself, until it is closed. */
  #run(writerLeaseMs: number): void {
    const { signal } = this.#closed
    const { archivist, sweep } = this.#options
    const loops = [this.#keepLeases(Math.ceil(writerLeaseMs / EXTENSIONS_PER_LEASE))]
    if (archivist !== false) loops.push(this.#archivist.run())
    if (sweep !== false) loops.push(this.#sweep.run({ signal }))
    for (const loop of loops) this.#loops.push(loop.catch(() => undefined)) // aborted: it is closed
  }

  async #keepLeases(everyMs: number): Promise<void> {
    for (;;) {
      await this.#options.clock.sleep(everyMs, this.#closed.signal)
      await Promise.all(
        [...this.#writers].map(async (writer) => {
          try {
            await writer.extendLease()
          } catch (error) {
            this.#options.onError?.(RecoveryLogError.from(error))
          }
        }),
      )
    }
  }
}
