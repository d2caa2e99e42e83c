import { raceAbort } from '../async/index.ts'
import type { CoordinatorService, StreamId } from '../coordinator/index.ts'
import { RecoveryLogError } from '../errors/index.ts'
import type { Clock } from '../parts/index.ts'
import type { IntermediateStorage, WithSignal } from '../storage/index.ts'
import { encodeLogEntry } from '../wire/logdog/index.ts'
import { BatchLine } from './batch-line.ts'
import type { CutEntry, EntryCutter } from './cut-entry.ts'
import { entryCutter } from './entry-cutter.ts'
import type { PrefixSource } from './prefix-source.ts'
import type { ResumePoint, StreamPosition } from './resume-point.ts'
import { isUnavailable, retrying } from './retrying.ts'
import type { WriterSettings } from './settings.ts'
import type { WriterLease } from './writer-lease.ts'

export interface StreamWriterParts {
  readonly storage: IntermediateStorage
  readonly coordinator: Pick<CoordinatorService, 'loadStream' | 'terminateStream'>
  readonly clock: Clock
  readonly settings: WriterSettings
  readonly lease: WriterLease
  readonly source: PrefixSource
  readonly stream: StreamId & { readonly path: string }
  /** One of `StreamType`. */
  readonly streamType: number
  /** What time offsets count from, in milliseconds since 1970. */
  readonly beganMs: number
  readonly resume: ResumePoint
  /** Is told when the writer has ended, with what went wrong where nobody waits for an answer. */
  readonly onEnd: (writer: StreamWriter, error?: RecoveryLogError) => void
}

const encoder = new TextEncoder()

/**
 * Writes one stream (log-archive spec, section 11). Calls may overlap: they take effect in their order. Once storing has
 * failed for good, every later call throws that error; what `flush` had acknowledged is there, and the stream can be
 * opened again.
 */
export class StreamWriter implements AsyncDisposable {
  readonly project: string
  /** `prefix/+/name`. */
  readonly path: string
  /** What was there when it was opened: zeros for a new stream. A source that sends again goes on from there. */
  readonly resumedAt: StreamPosition
  readonly #parts: StreamWriterParts
  readonly #cutter: EntryCutter
  readonly #line: BatchLine
  #nextIndex: number
  #storedIndex: number
  /** The end of the call before. */
  #turn: Promise<unknown> = Promise.resolve()
  #ending: Promise<void> | undefined

  constructor(parts: StreamWriterParts) {
    const { stream, resume, settings, clock } = parts
    const { nextIndex, sequence, lineBytes } = resume
    this.project = stream.project
    this.path = stream.path
    this.resumedAt = { nextIndex, sequence, lineBytes }
    this.#parts = parts
    this.#cutter = entryCutter(parts.streamType, resume, settings.entryBytesMax)
    this.#line = new BatchLine({ clock, settings, put: (entries) => this.#put(entries) })
    this.#nextIndex = nextIndex
    this.#storedIndex = nextIndex
  }

  /**
   * Takes data: text, in which lines may go on from call to call; bytes; or one datagram. Resolves when it is buffered, and
   * waits first while more than `bufferBytesMax` is not stored. The data, text as UTF-8, is borrowed until then. An abort
   * while it waits takes nothing.
   *
   * @throws RecoveryLogError `CLOSED` once the stream was closed, or is archived; `STREAM_BUSY` when another writer has it;
   *   `PURGED`; `ENTRY_INVALID` for a datagram of more than 10 MiB; `CONFLICT` when somebody else's entry is there; what the
   *   storage says; `ABORTED`
   */
  async write(data: string | Uint8Array, options: WithSignal = {}): Promise<void> {
    const bytes = typeof data === 'string' ? encoder.encode(data) : data
    this.#checkOpen()
    await this.#inTurn(async () => {
      await this.#line.room(options.signal)
      await this.#add(this.#cutter.cut(bytes))
    }, options.signal)
  }

  /**
   * Resolves when all that was written before is stored, a line without its end too: that goes on in the next entry. Answers
   * how far the stream is stored then.
   *
   * @throws as `write`
   */
  async flush(options: WithSignal = {}): Promise<StreamPosition> {
    this.#checkOpen()
    return this.#flush(options.signal)
  }

  /**
   * Stores what was written, and terminates the stream; one without any entry has no end to name, and is archived as
   * one that nobody has terminated. May be called twice.
   *
   * @throws as `write`; the stream can then be opened again
   */
  async close(): Promise<void> {
    this.#ending ??= this.#end(true)
    await this.#ending
  }

  /** Stores what was written, and lets another writer go on with the stream. Does nothing after `close`. @throws as `write` */
  async leave(): Promise<void> {
    this.#ending ??= this.#end(false)
    await this.#ending
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
  }

  /** Each chunk is written; the end closes the stream, an abort leaves it. */
  writable(): WritableStream<string | Uint8Array> {
    return new WritableStream({
      write: (chunk) => this.write(chunk),
      close: () => this.close(),
      abort: () => this.leave(),
    })
  }

  /** Makes the lease last longer; a lost one ends the writer. @throws what the state store says */
  async extendLease(): Promise<void> {
    try {
      await this.#parts.lease.extend()
    } catch (error) {
      if (!RecoveryLogError.is(error, 'STREAM_BUSY')) throw error
      this.#line.fail(error)
    }
  }

  #checkOpen(): void {
    if (this.#line.failure !== undefined) throw this.#line.failure
    if (this.#ending === undefined) return
    const { project, path } = this
    throw new RecoveryLogError('CLOSED', `the writer of ${path} is closed`, { project, path })
  }

  /** One call after the other. An abort while it waits for its turn ends it alone. */
  async #inTurn<T>(body: () => Promise<T>, signal: AbortSignal | undefined): Promise<T> {
    const before = this.#turn
    const call = raceAbort(before, signal).then(body)
    this.#turn = Promise.allSettled([before, call])
    return call
  }

  async #flush(signal: AbortSignal | undefined): Promise<StreamPosition> {
    const { position, stored } = await this.#inTurn(async () => {
      await this.#add(this.#cutter.rest())
      const { sequence, lineBytes } = this.#cutter
      const reached = { nextIndex: this.#nextIndex, sequence, lineBytes }
      const flushed = this.#line.flush(signal)
      flushed.catch(() => undefined) // it is waited for below
      return { position: reached, stored: flushed }
    }, signal)
    await stored
    return position
  }

  async #end(terminates: boolean): Promise<void> {
    try {
      await this.#flush(undefined)
      if (terminates && this.#nextIndex > 0) await this.#terminate()
    } finally {
      await this.#release()
    }
  }

  async #terminate(): Promise<void> {
    const { coordinator, clock, settings, source, stream } = this.#parts
    const { project, id } = stream
    const request = { project, id, secret: source.secret, terminalIndex: this.#nextIndex - 1 }
    await retrying({ clock, retryMs: settings.retryMs }, () => coordinator.terminateStream(request))
  }

  /** What it ends with is said already: when this fails too, the lease runs out by itself. */
  async #release(): Promise<void> {
    try {
      await this.#parts.lease.release()
      this.#parts.onEnd(this)
    } catch (error) {
      this.#parts.onEnd(this, RecoveryLogError.from(error))
    }
  }

  /** Encodes entries, and puts them in line. The parts of a datagram go together. */
  async #add(entries: Iterable<CutEntry>): Promise<void> {
    if (this.#line.failure !== undefined) throw this.#line.failure
    const timeOffset = this.#timeOffset()
    let group: Uint8Array[] = []
    for (const { content, sequence } of entries) {
      const prefixIndex = await this.#prefixIndex()
      group.push(
        encodeLogEntry({ timeOffset, prefixIndex, streamIndex: this.#nextIndex++, sequence, content }),
      )
      if (content.kind === 'datagram' && content.partial?.last === false) continue
      this.#line.add(group)
      group = []
    }
  }

  #timeOffset(): { seconds: number; nanos: number } {
    const ms = Math.max(0, Math.floor(this.#parts.clock.now() - this.#parts.beganMs))
    return { seconds: Math.floor(ms / 1000), nanos: (ms % 1000) * 1_000_000 }
  }

  async #prefixIndex(): Promise<number> {
    const { source, clock, settings } = this.#parts
    for (;;) {
      const index = source.take()
      if (index !== undefined) return index
      try {
        await retrying({ clock, retryMs: settings.retryMs }, () => source.reserve())
      } catch (error) {
        // What was cut cannot be held back: without a place it is lost, and all behind it would be misplaced.
        this.#line.fail(RecoveryLogError.from(error))
        throw error
      }
    }
  }

  /** Stores a run of entries, the same bytes however often it is tried (adapters spec, S1). */
  async #put(entries: readonly Uint8Array[]): Promise<void> {
    const { storage, stream, lease, clock, settings } = this.#parts
    const put = { stream, from: this.#storedIndex, entries }
    const isTransient = (error: RecoveryLogError): boolean => isUnavailable(error) || error.code === 'SEALED'
    const store = async (): Promise<void> => {
      await lease.hold()
      try {
        await storage.put(put)
      } catch (error) {
        if (RecoveryLogError.is(error, 'SEALED')) await this.#checkUnarchived()
        throw error
      }
    }
    await retrying({ clock, retryMs: settings.retryMs }, store, isTransient)
    this.#storedIndex += entries.length
  }

  /**
   * A seal may be taken off again until there is an archive. Archivists seal what is pending; one that lies on a stream that
   * has only begun is left from when it was purged, and goes.
   *
   * @throws RecoveryLogError `CLOSED`, `PURGED`
   */
  async #checkUnarchived(): Promise<void> {
    const { storage, stream, coordinator } = this.#parts
    const { record } = await coordinator.loadStream(stream)
    const { project, path, phase } = record
    if (phase === 'purged') {
      throw new RecoveryLogError('PURGED', `the stream ${path} was purged`, { project, path })
    }
    if (record.archive !== null) {
      throw new RecoveryLogError('CLOSED', `the stream ${path} is archived`, { project, path })
    }
    if (phase !== 'streaming' || this.#storedIndex > 0) return
    await storage.seal(stream, 'its writer')
    await storage.unseal(stream, 'its writer')
  }
}
