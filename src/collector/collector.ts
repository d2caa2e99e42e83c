import { CallGate } from '../blob/index.ts'
import type { CachedRegisterRequest, CachedTerminateRequest } from '../coordinator-cache/index.ts'
import type { LogStreamState } from '../coordinator/index.ts'
import { RecoveryLogError } from '../errors/index.ts'
import { throwIfAborted } from '../async/index.ts'
import type { IntermediateStorage } from '../storage/index.ts'
import { unpackBundle } from '../wire/logdog/index.ts'
import type { BundleEntry, ButlerLogBundle, Inflate } from '../wire/logdog/index.ts'
import { checkBundle, isJunk, readBundleEntry } from './bundle-stream.ts'
import type { BundleStream } from './bundle-stream.ts'
import { Room } from './room.ts'
import { isTransient, isTransientInStorage } from './transient.ts'

/** Who knows the streams: mostly a `CoordinatorCache`, whose answers need not be promises. Every coordinator is one. */
export interface CollectorRegistrar {
  registerStream(request: CachedRegisterRequest): LogStreamState | Promise<LogStreamState>
  terminateStream(request: CachedTerminateRequest): void | Promise<void>
}

export interface CollectorOptions {
  readonly coordinator: CollectorRegistrar
  readonly storage: IntermediateStorage
  readonly inflate: Inflate
  /** Messages in flight have so many bytes at most, as they come. Default 32 MiB: each inflates to at most 10 MiB. */
  readonly inFlightBytesMax?: number
  /** So many streams are stored at once. Default 64. */
  readonly inFlightStreamsMax?: number
}

/** What became of a message that is done with. */
export interface CollectReport {
  /** Log entries that are there by this message, and those that were there before. */
  readonly stored: number
  readonly existing: number
  /**
   * What was dropped, each an error with its place: bad data (`BUNDLE_INVALID`, `DESCRIPTOR_INVALID`, `ENTRY_INVALID`,
   * `CORRUPT`, ...), a stream's wrong secret (`DENIED`), what the coordinator refuses for good, `CONFLICT` for an entry that
   * is there with other bytes, and what came too late: `LATE` for a stream that is archived, `PURGED`.
   */
  readonly faults: readonly RecoveryLogError[]
}

/** What has become of one message so far. */
class Progress {
  stored = 0
  existing = 0
  readonly faults: RecoveryLogError[] = []
  /** What may go better when the message comes again. */
  readonly transient: unknown[] = []

  tell(error: unknown, isTransientFault: boolean): void {
    if (isTransientFault) this.transient.push(error)
    else this.faults.push(RecoveryLogError.from(error))
  }
}

const IN_FLIGHT_BYTES_MAX = 32 * 1024 * 1024
const IN_FLIGHT_STREAMS_MAX = 64

/**
 * Takes bundles from sources: registers their streams, stores their entries, terminates them (log-archive spec, section
 * 10). A message may come any number of times.
 *
 * ```ts
 * for await (const message of transport) {
 *   const report = await collector.collect(message.bytes) // throws when it has to come again
 *   message.acknowledge()
 * }
 * ```
 */
export class Collector implements AsyncDisposable {
  readonly #options: CollectorOptions
  readonly #bytes: Room
  readonly #streams: Room
  readonly #gate = new CallGate('the collector')

  constructor(options: CollectorOptions) {
    const { inFlightBytesMax = IN_FLIGHT_BYTES_MAX, inFlightStreamsMax = IN_FLIGHT_STREAMS_MAX } = options
    this.#options = options
    this.#bytes = new Room(assertCount('inFlightBytesMax', inFlightBytesMax))
    this.#streams = new Room(assertCount('inFlightStreamsMax', inFlightStreamsMax))
  }

  /**
   * Takes one message of the transport, which is borrowed for the call. Waits first while too much is in flight. Resolves
   * when the message is done with: all that can be stored is, the rest is in the report, and would fare no better again.
   *
   * @throws RecoveryLogError `UNAVAILABLE` when the message must come again, because storage or coordinator failed in a
   *   way that passes, or a stream is just being archived; `data.faults` holds all that went wrong, the cause is the first of it. `ABORTED`,
   *   `CLOSED`
   */
  async collect(
    message: Uint8Array,
    options: { readonly signal?: AbortSignal } = {},
  ): Promise<CollectReport> {
    this.#gate.enter()
    try {
      throwIfAborted(options.signal)
      const room = this.#bytes.take(message.length, options.signal)
      if (room !== undefined) await room
      try {
        return await this.#collect(message, options.signal)
      } finally {
        this.#bytes.give(message.length)
      }
    } finally {
      this.#gate.leave()
    }
  }

  /** Waits for messages under way; later ones are answered `CLOSED`. May be called twice. */
  async close(): Promise<void> {
    await this.#gate.close()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
  }

  async #collect(message: Uint8Array, signal: AbortSignal | undefined): Promise<CollectReport> {
    const progress = new Progress()
    const bundle = this.#unpack(message, progress)
    if (bundle !== undefined) await this.#streamsOf(bundle, progress, signal)
    throwIfAborted(signal)
    const { stored, existing, faults, transient } = progress
    if (transient.length === 0) return { stored, existing, faults }
    const text = `${transient.length} of the bundle's streams could not be stored now`
    throw new RecoveryLogError(
      'UNAVAILABLE',
      text,
      { faults: [...transient, ...faults] },
      { cause: transient[0] },
    )
  }

  /** Bad data is dropped and reported, never retried. */
  #unpack(message: Uint8Array, progress: Progress): ButlerLogBundle | undefined {
    try {
      const { bundle, metadata } = unpackBundle(message, this.#options)
      if (bundle === undefined) {
        const { protoVersion } = metadata
        const text = `protocol version ${JSON.stringify(protoVersion)} is not spoken here`
        throw new RecoveryLogError('BUNDLE_INVALID', text, { protoVersion })
      }
      if (bundle.entries.length > 0) checkBundle(bundle)
      return bundle
    } catch (error) {
      if (!(error instanceof RecoveryLogError)) throw error
      progress.tell(error, false)
      return undefined
    }
  }

  /** Judges and stores the streams of a bundle, as many side by side as there is room for. */
  async #streamsOf(
    bundle: ButlerLogBundle,
    progress: Progress,
    signal: AbortSignal | undefined,
  ): Promise<void> {
    const underWay: Promise<void>[] = []
    try {
      for (const entry of bundle.entries) {
        if (isJunk(entry)) continue
        const room = this.#streams.take(1, signal)
        if (room !== undefined) await room
        underWay.push(this.#entry(bundle, entry, progress, signal))
      }
    } finally {
      await Promise.all(underWay) // none of them fails
    }
  }

  /** One entry of a bundle, for which room was taken. */
  async #entry(
    bundle: ButlerLogBundle,
    entry: BundleEntry,
    progress: Progress,
    signal: AbortSignal | undefined,
  ): Promise<void> {
    try {
      await this.#stream(readBundleEntry(bundle, entry), progress, signal)
    } catch (error) {
      progress.tell(error, isTransient(error))
    } finally {
      this.#streams.give(1)
    }
  }

  async #stream(stream: BundleStream, progress: Progress, signal: AbortSignal | undefined): Promise<void> {
    const { project, path, secret, descriptor, terminalIndex } = stream
    const request = { project, path, secret, descriptor, terminalIndex, ...(signal && { signal }) }
    const answer = this.#options.coordinator.registerStream(request)
    const state = answer instanceof Promise ? await answer : answer
    const fault = refusal(stream, state)
    if (fault !== undefined) {
      progress.tell(fault, false)
      return
    }
    const storing = this.#store(stream, progress, signal)
    const terminating = this.#terminate(stream, state, progress, signal)
    await storing
    await terminating
  }

  async #store(stream: BundleStream, progress: Progress, signal: AbortSignal | undefined): Promise<void> {
    const { project, path, from, entries } = stream
    if (entries.length === 0) return
    try {
      const put = { stream: { project, path }, from, entries, ...(signal && { signal }) }
      const { stored, existing } = await this.#options.storage.put(put)
      progress.stored += stored
      progress.existing += existing
    } catch (error) {
      progress.tell(error, isTransientInStorage(error))
    }
  }

  async #terminate(
    stream: BundleStream,
    state: LogStreamState,
    progress: Progress,
    signal: AbortSignal | undefined,
  ): Promise<void> {
    const { project, path, secret, terminalIndex } = stream
    if (terminalIndex < 0) return
    try {
      const request = { project, path, id: state.id, secret, terminalIndex, ...(signal && { signal }) }
      await this.#options.coordinator.terminateStream(request)
    } catch (error) {
      progress.tell(error, isTransient(error))
    }
  }
}

/** Why nothing of a known stream's entry is taken. */
function refusal(
  { project, path, secret, from, entries }: BundleStream,
  state: LogStreamState,
): RecoveryLogError | undefined {
  const place = { project, path, from, count: entries.length }
  if (!isSameSecret(secret, state.secret)) {
    return new RecoveryLogError('DENIED', `${path} has another secret`, place)
  }
  if (state.purged) return new RecoveryLogError('PURGED', `${path} is purged`, place)
  if (state.archived) return new RecoveryLogError('LATE', `${path} is archived already`, place)
  return undefined
}

/** Takes as long wherever they differ. */
function isSameSecret(a: Uint8Array, b: Uint8Array): boolean {
  let difference = a.length ^ b.length
  for (let i = 0; i < a.length; i++) difference |= (a[i] as number) ^ (b[i] ?? 0)
  return difference === 0
}

function assertCount(name: string, value: number): number {
  if (Number.isSafeInteger(value) && value > 0) return value
  throw new RangeError(`expected an integer from 1 for ${name}, got ${value}`)
}
