import type { ClaimOutcome } from '../archive/index.ts'
import { RecoveryLogError } from '../errors/index.ts'
import {
  assertDescriptor,
  assertProject,
  joinStreamPath,
  normalizeStreamId,
  splitStreamPath,
  streamId,
} from '../names/index.ts'
import type { Clock, Random, Sha256Factory } from '../parts/index.ts'
import type { WithSignal } from '../storage/index.ts'
import { decodeDescriptor } from '../wire/logdog/index.ts'
import type { LogStreamDescriptor } from '../wire/logdog/index.ts'
import type {
  ArchiveStreamRequest,
  ClaimRequest,
  CoordinatorService,
  LoadedStream,
  LogStreamState,
  RegisteredPrefix,
  RegisterPrefixRequest,
  RegisterStreamRequest,
  ReleaseQuarantinedOptions,
  ReleaseTaskOptions,
  StreamId,
  TerminateStreamRequest,
} from './coordinator.ts'
import { Dispatcher } from './dispatcher.ts'
import { PrefixRegistry } from './prefix-registry.ts'
import { QuarantineList } from './quarantine-list.ts'
import { SettingsBook } from './settings-book.ts'
import type { OwnSettings } from './settings-book.ts'
import type { CoordinatorSettings } from './settings.ts'
import type { StreamStore } from './state-store.ts'
import { newStreamRecord } from './stream-record.ts'
import type { StreamRecord } from './stream-record.ts'
import {
  abandoned,
  archived,
  claimed,
  extended,
  isForgotten,
  phaseAfter,
  quarantined,
  registeredAgain,
  terminated,
} from './stream-steps.ts'
import { StreamTable } from './stream-table.ts'
import type { StreamChange } from './stream-table.ts'
import { checkCount } from './task-queue.ts'
import type { DeadLetter, TaskKey, TaskLease, TaskQueue } from './task-queue.ts'

export interface CoordinatorParts {
  readonly streamStore: StreamStore
  readonly taskQueue: TaskQueue
  readonly clock: Pick<Clock, 'now'>
  /** Makes the secrets of prefixes. */
  readonly random: Random
  readonly sha256: Sha256Factory
  /** What the service says where the state store does not. */
  readonly settings?: OwnSettings
}

/** The only version of the protocol. */
const PROTO_VERSION = '1'

const DEFAULT_LEASE_MS = 10 * 60 * 1000
const DEFAULT_DISPATCH_MAX = 1000

/**
 * The coordinator that runs in one's own process, on a state store and a task queue (log-archive spec, section 8). Any
 * number may work on the same two: whatever one changes is changed by compare-and-set. Whose parts they are closes them.
 */
export class Coordinator implements CoordinatorService {
  readonly #parts: CoordinatorParts
  readonly #settings: SettingsBook
  readonly #prefixes: PrefixRegistry
  readonly #streams: StreamTable
  readonly #dispatcher: Dispatcher
  readonly #quarantine: QuarantineList

  /** @throws RecoveryLogError `INVALID` for a setting, with `setting` and `value` */
  constructor(parts: CoordinatorParts) {
    const { streamStore: store, taskQueue: queue, clock } = parts
    this.#parts = parts
    this.#settings = new SettingsBook(store, parts.settings)
    this.#prefixes = new PrefixRegistry({ ...parts, store, settings: this.#settings })
    this.#streams = new StreamTable({ store, clock, settings: this.#settings })
    this.#dispatcher = new Dispatcher({ store, streams: this.#streams, queue, clock })
    this.#quarantine = new QuarantineList(store)
  }

  /** What counts now for `project`; without one, for the service. @throws RecoveryLogError `NAME_INVALID` */
  async settings(project?: string, options: WithSignal = {}): Promise<CoordinatorSettings> {
    if (project !== undefined) assertProject(project)
    return this.#settings.read(project, options)
  }

  /**
   * Replaces what `project`, or without one the service, says for itself. It counts for what comes next: due times that
   * are stored already only ever become later.
   *
   * @throws RecoveryLogError `INVALID` with `setting` and `value`; `NAME_INVALID`
   */
  async setSettings(settings: OwnSettings, project?: string, options: WithSignal = {}): Promise<void> {
    if (project !== undefined) assertProject(project)
    await this.#settings.set(settings, project, options)
  }

  /**
   * @throws RecoveryLogError `ALREADY_EXISTS`; `NAME_INVALID` for project or prefix; `INVALID` for a nonce of another
   *   length, a negative expiration, and when nobody has set one
   */
  async registerPrefix(request: RegisterPrefixRequest): Promise<RegisteredPrefix> {
    return this.#prefixes.register(request)
  }

  /**
   * @throws RecoveryLogError `NOT_FOUND` for the prefix; `DENIED` for the secret; `EXPIRED`; `CONFLICT` for another
   *   terminal index than is known; `DESCRIPTOR_INVALID`, `NAME_INVALID`, `INVALID`
   */
  async registerStream(request: RegisterStreamRequest): Promise<LogStreamState> {
    const { project, terminalIndex = -1, protoVersion = PROTO_VERSION } = request
    assertProject(project)
    if (protoVersion !== PROTO_VERSION) {
      const message = `the version of the protocol is ${PROTO_VERSION}`
      throw new RecoveryLogError('INVALID', message, { protoVersion })
    }
    checkIndex('terminalIndex', terminalIndex, -1)
    const { prefix, name } = validDescriptor(request.descriptor)
    const registered = await this.#prefixes.authenticate(request, prefix)
    const first = this.#firstRecord(request, joinStreamPath(prefix, name))
    const stream = streamOf(request, first.id)
    const known = await this.#streams.find(stream)
    if (known === undefined || isForgotten(known, first.createdMs)) {
      checkExpiration(registered, request, prefix, first.createdMs)
      if (known === undefined && (await this.#streams.create(first, request))) {
        return logStreamState(first, registered.secret)
      }
    }
    const { record } = await this.#streams.change(stream, (before, { nowMs }) =>
      changeOf(registeredAgain(before, first, nowMs)),
    )
    return logStreamState(record, registered.secret)
  }

  /**
   * @throws RecoveryLogError `NOT_FOUND`, `DENIED`, `PURGED`; `CONFLICT` for another index than is known; `UNAVAILABLE`
   *   while an archive with another last entry is on its way; `NAME_INVALID`, `INVALID`
   */
  async terminateStream(request: TerminateStreamRequest): Promise<void> {
    const { terminalIndex } = request
    checkIndex('terminalIndex', terminalIndex, 0)
    const stream = checkedStream(request)
    const { record } = await this.#streams.load(stream)
    await this.#prefixes.authenticate(request, splitStreamPath(record.path).prefix)
    await this.#streams.change(stream, (known, { nowMs }) =>
      changeOf(terminated(known, terminalIndex, nowMs)),
    )
  }

  async leaseArchiveTasks(
    request: { readonly max: number; readonly leaseMs?: number } & WithSignal,
  ): Promise<readonly TaskLease[]> {
    return this.#parts.taskQueue.lease({ leaseMs: DEFAULT_LEASE_MS, ...request })
  }

  async extendTask(lease: TaskLease, leaseMs: number, options?: WithSignal): Promise<TaskLease> {
    return this.#parts.taskQueue.extend(lease, leaseMs, options)
  }

  async acknowledgeTask(lease: TaskLease, options?: WithSignal): Promise<void> {
    await this.#parts.taskQueue.acknowledge(lease, options)
  }

  async releaseTask(lease: TaskLease, options: ReleaseTaskOptions): Promise<void> {
    await this.#parts.taskQueue.release(lease, options)
  }

  async loadStream(stream: StreamId & WithSignal): Promise<LoadedStream> {
    return this.#streams.load(checkedStream(stream))
  }

  async dispatchArchival(stream: StreamId & WithSignal): Promise<LoadedStream> {
    return this.#streams.change(checkedStream(stream), (record, { nowMs }) => {
      const phase = phaseAfter(record, 'dispatch')
      return phase === undefined ? undefined : { record: { ...record, phase, dispatchedMs: nowMs } }
    })
  }

  async claim(request: ClaimRequest): Promise<ClaimOutcome> {
    checkCount('leaseMs', request.leaseMs)
    let outcome: ClaimOutcome = { kind: 'lost' }
    await this.#streams.change(checkedStream(request), (known, { revision, nowMs }) => {
      const claim = claimed(known, revision, request, nowMs)
      outcome = claim.outcome
      return changeOf(claim.record)
    })
    return outcome
  }

  async extendClaim(
    request: StreamId & WithSignal & { readonly attempt: string; readonly leaseMs: number },
  ): Promise<void> {
    const { attempt, leaseMs } = request
    checkIndex('leaseMs', leaseMs, 0)
    await this.#streams.change(checkedStream(request), (record, { nowMs }) =>
      changeOf(extended(record, attempt, nowMs + leaseMs)),
    )
  }

  async abandonClaim(
    request: StreamId & WithSignal & { readonly attempt: string; readonly differed?: boolean },
  ): Promise<void> {
    const { attempt, differed = false } = request
    await this.#streams.change(checkedStream(request), (record) =>
      changeOf(abandoned(record, attempt, differed)),
    )
  }

  async archiveStream(request: ArchiveStreamRequest): Promise<LoadedStream> {
    checkReport(request)
    return this.#streams.change(checkedStream(request), (record, { nowMs }) =>
      changeOf(archived(record, request, nowMs)),
    )
  }

  async streamCleaned(stream: StreamId & WithSignal): Promise<void> {
    await this.#streams.change(checkedStream(stream), (record, { nowMs }) => {
      const phase = phaseAfter(record, 'clean')
      return phase === undefined ? undefined : { record: { ...record, phase, cleanedMs: nowMs } }
    })
  }

  async quarantine(request: StreamId & WithSignal & { readonly reason: string }): Promise<void> {
    await this.#streams.change(checkedStream(request), async (record, { nowMs }) => {
      const change = changeOf(quarantined(record, request.reason))
      // First the list: an entry without its stream is passed over, a stream without its entry would not be found.
      if (change !== undefined) await this.#quarantine.enter(record, nowMs, request)
      return change
    })
  }

  async dispatchDue(options: WithSignal & { readonly max?: number } = {}): Promise<number> {
    const { max = DEFAULT_DISPATCH_MAX, ...others } = options
    checkCount('max', max)
    return this.#dispatcher.dispatchDue(max, others)
  }

  async purgeStream(request: StreamId & WithSignal): Promise<void> {
    const stream = checkedStream(request)
    const entry = await this.#quarantine.entryOf(stream)
    await this.#streams.change(stream, (record, { nowMs }) => {
      const phase = phaseAfter(record, 'purge')
      return phase === undefined ? undefined : { record: { ...record, phase, claim: null, purgedMs: nowMs } }
    })
    await this.#dispatcher.putAnew(stream, 'purge')
    await this.#quarantine.leave(entry, stream)
  }

  quarantined(
    options: WithSignal & { readonly project?: string } = {},
  ): AsyncGenerator<StreamRecord, void, undefined> {
    return this.#quarantine.list(options)
  }

  async releaseQuarantined(options: ReleaseQuarantinedOptions): Promise<void> {
    const { skipDamaged = false } = options
    const stream = checkedStream(options)
    const entry = await this.#quarantine.entryOf(stream)
    const change = { isRelease: false }
    await this.#streams.change(stream, (record, { nowMs }) => {
      const phase = phaseAfter(record, 'release')
      change.isRelease = phase !== undefined
      if (phase === undefined) return undefined
      const released = { phase, skipDamaged, reason: null, differedCount: 0, dispatchedMs: nowMs }
      return { record: { ...record, ...released } }
    })
    await this.#dispatcher.putAnew(stream, 'archive')
    // Another one may just be about to come into quarantine again: first the list, then the state.
    if (change.isRelease) await this.#quarantine.leave(entry, stream)
  }

  deadLetters(options: WithSignal = {}): AsyncIterable<DeadLetter> {
    return this.#parts.taskQueue.deadLetters(options)
  }

  async reviveTask(task: TaskKey & WithSignal): Promise<boolean> {
    return this.#parts.taskQueue.revive(task, task)
  }

  /** The record of a stream that is registered now, terminated when the request says where it ends. */
  #firstRecord(
    { project, descriptor, terminalIndex = -1 }: RegisterStreamRequest,
    path: string,
  ): StreamRecord {
    const nowMs = this.#parts.clock.now()
    const record = newStreamRecord(
      {
        project,
        path,
        id: streamId(path, this.#parts.sha256),
        protoVersion: PROTO_VERSION,
        descriptor: new Uint8Array(descriptor),
      },
      nowMs,
    )
    return (terminalIndex < 0 ? undefined : terminated(record, terminalIndex, nowMs)) ?? record
  }
}

/** What a stream's writers are told of it, the secret to those who have shown it. */
function logStreamState(record: StreamRecord, secret: Uint8Array): LogStreamState {
  const { project, path, id, protoVersion, terminalIndex, archivedMs, purgedMs } = record
  const archived = archivedMs !== null
  const purged = purgedMs !== null
  return { project, path, id, protoVersion, secret: new Uint8Array(secret), terminalIndex, archived, purged }
}

function changeOf(record: StreamRecord | undefined): StreamChange | undefined {
  return record === undefined ? undefined : { record }
}

/** The stream that a request names. @throws RecoveryLogError `NAME_INVALID` for its project or id */
function checkedStream(request: StreamId & WithSignal): StreamId & WithSignal {
  assertProject(request.project)
  return streamOf(request, normalizeStreamId(request.id))
}

function streamOf({ project, signal }: { project: string } & WithSignal, id: string): StreamId & WithSignal {
  return signal === undefined ? { project, id } : { project, id, signal }
}

/** @throws RecoveryLogError `DESCRIPTOR_INVALID` with the field, or with what decoding has found */
function validDescriptor(bytes: Uint8Array): LogStreamDescriptor {
  let descriptor
  try {
    descriptor = decodeDescriptor(bytes)
  } catch (cause) {
    const data = { bytes: bytes.length }
    throw new RecoveryLogError('DESCRIPTOR_INVALID', 'the descriptor cannot be decoded', data, { cause })
  }
  assertDescriptor(descriptor)
  return descriptor
}

function checkExpiration(
  { expiresMs }: RegisteredPrefix,
  { project }: RegisterStreamRequest,
  prefix: string,
  nowMs: number,
): void {
  if (nowMs < expiresMs) return
  const data = { project, prefix, expiresMs, nowMs }
  throw new RecoveryLogError('EXPIRED', `the prefix ${prefix} takes no new streams any more`, data)
}

/** What an archivist reports must say where the archive is and what it holds. */
function checkReport(request: ArchiveStreamRequest): void {
  for (const url of ['entriesUrl', 'indexUrl', 'attempt'] as const) {
    if (request[url] === '') throw new RecoveryLogError('INVALID', `${url} is missing`, { field: url })
  }
  checkIndex('terminalIndex', request.terminalIndex, -1)
  checkIndex('lastIndex', request.lastIndex, -1)
  for (const count of ['entryCount', 'entriesBytes', 'indexBytes'] as const) {
    checkIndex(count, request[count], 0)
  }
  checkIndex('dataBytes', request.dataBytes ?? 0, 0)
}

/** @throws RecoveryLogError `INVALID` with field and value */
function checkIndex(field: string, value: number, least: number): void {
  if (Number.isSafeInteger(value) && value >= least) return
  throw new RecoveryLogError('INVALID', `${field} must be an integer from ${least}`, { field, value })
}
