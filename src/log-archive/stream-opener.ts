import { throwIfAborted } from '../async/index.ts'
import type {
  Coordinator,
  CoordinatorParts,
  LoadedStream,
  OwnSettings,
  StreamId,
} from '../coordinator/index.ts'
import type { ProcessIdentity } from '../directory/index.ts'
import { RecoveryLogError } from '../errors/index.ts'
import { assertProject, assertStreamPath, splitStreamPath } from '../names/index.ts'
import type { Clock } from '../parts/index.ts'
import type { IntermediateStorage } from '../storage/index.ts'
import { ContentType, decodeDescriptor, encodeDescriptor, StreamType } from '../wire/logdog/index.ts'
import type { Time } from '../wire/logdog/index.ts'
import type { OpenStreamOptions } from './options.ts'
import { PrefixSource } from './prefix-source.ts'
import { resumePoint } from './resume-point.ts'
import type { WriterSettings } from './settings.ts'
import { StreamWriter } from './stream-writer.ts'
import type { StreamWriterParts } from './stream-writer.ts'
import { WriterLease } from './writer-lease.ts'

export interface StreamOpenerParts extends Omit<CoordinatorParts, 'clock' | 'settings'> {
  readonly clock: Clock
  readonly storage: IntermediateStorage
  readonly coordinator: Coordinator
  readonly settings: WriterSettings
  /** The coordinator's. */
  readonly service: OwnSettings | undefined
  readonly identity?: ProcessIdentity
}

type StreamRequest = OpenStreamOptions & { readonly project: string }

/** Opens streams to write, and keeps what the streams of a prefix share. */
export class StreamOpener {
  readonly #parts: StreamOpenerParts
  readonly #sources = new Map<string, Promise<PrefixSource>>()

  constructor(parts: StreamOpenerParts) {
    this.#parts = parts
  }

  /** @throws as `LogArchive.openStream` */
  async open(request: StreamRequest, onEnd: StreamWriterParts['onEnd']): Promise<StreamWriter> {
    const { streamStore, coordinator, storage, clock, random, settings, identity } = this.#parts
    const { project, path, signal } = request
    assertProject(project)
    assertStreamPath(path)
    throwIfAborted(signal)
    const source = await this.#source(project, splitStreamPath(path).prefix)
    throwIfAborted(signal)
    const { id } = await coordinator.registerStream({
      project,
      secret: source.secret,
      descriptor: this.#descriptor(request),
    })
    const stream = { project, path, id }
    throwIfAborted(signal)
    const lease = await WriterLease.take(
      { streamStore, clock, random, leaseMs: settings.writerLeaseMs, identity },
      stream,
    )
    try {
      // Only now: the writer before may have ended the stream, or gone on with it, until its lease was over.
      const known = await this.#openStream(stream, request)
      throwIfAborted(signal)
      const resume = await resumePoint(storage, stream)
      await source.reserve(resume.leastPrefixIndex)
      throwIfAborted(signal)
      return new StreamWriter({
        storage,
        coordinator,
        clock,
        settings,
        lease,
        source,
        stream,
        ...known,
        resume,
        onEnd,
      })
    } catch (error) {
      await lease.release()
      throw error
    }
  }

  /** The one of a prefix, for all streams that are opened here. One that could not be had is asked for again. */
  async #source(project: string, prefix: string): Promise<PrefixSource> {
    const key = `${project}/${prefix}`
    const known = this.#sources.get(key)
    if (known !== undefined) return known
    const { service, settings, ...parts } = this.#parts
    const place = { project, prefix, block: settings.prefixIndexBlock }
    const source = PrefixSource.open({ ...parts, ...(service && { settings: service }) }, place)
    this.#sources.set(key, source)
    source.catch(() => this.#sources.delete(key))
    return source
  }

  #descriptor({
    path,
    type = 'text',
    contentType,
    tags = {},
    binaryFileExt = '',
  }: StreamRequest): Uint8Array {
    return encodeDescriptor({
      ...splitStreamPath(path),
      streamType: StreamType[type],
      contentType: contentType ?? ContentType[type],
      timestamp: timeOf(this.#parts.clock.now()),
      tags: new Map(Object.entries(tags)),
      binaryFileExt,
    })
  }

  /** What a stream was registered as, if it can go on. @throws RecoveryLogError `CLOSED`, `PURGED`, `CONFLICT` */
  async #openStream(
    stream: StreamId,
    { path, type = 'text' }: StreamRequest,
  ): Promise<Pick<StreamWriterParts, 'streamType' | 'beganMs'>> {
    const { record } = await this.#parts.coordinator.loadStream(stream)
    checkGoesOn(record)
    const { streamType, timestamp } = decodeDescriptor(record.descriptor)
    if (streamType === StreamType[type]) return { streamType, beganMs: msOf(timestamp) }
    const data = { project: stream.project, path, streamType, value: StreamType[type] }
    throw new RecoveryLogError('CONFLICT', `the stream ${path} is not of type ${type}`, data)
  }
}

function checkGoesOn({ project, path, phase, terminalIndex, archive }: LoadedStream['record']): void {
  const data = { project, path, phase, terminalIndex }
  if (phase === 'purged') throw new RecoveryLogError('PURGED', `the stream ${path} was purged`, data)
  if (terminalIndex < 0 && archive === null) return
  const message = `the stream ${path} has ended at ${terminalIndex}`
  throw new RecoveryLogError('CLOSED', message, data)
}

function timeOf(ms: number): Time {
  const seconds = Math.floor(ms / 1000)
  return { seconds, nanos: Math.floor((ms - seconds * 1000) * 1_000_000) }
}

function msOf(time: Time | undefined): number {
  return time === undefined ? 0 : time.seconds * 1000 + time.nanos / 1_000_000
}
