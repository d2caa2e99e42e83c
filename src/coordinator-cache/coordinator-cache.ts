import { abortedError } from '../async/index.ts'
import type {
  LogStreamState,
  RegisterStreamRequest,
  StreamRegistrar,
  TerminateStreamRequest,
} from '../coordinator/index.ts'
import { RecoveryLogError } from '../errors/index.ts'
import type { Clock } from '../parts/index.ts'
import { CacheEntry, RecentEntries } from './cache-entry.ts'
import { isSameCall, SharedCall } from './shared-call.ts'
import type { CallIdentity } from './shared-call.ts'

/** Room for the streams that a large service writes at the same time. */
export const CACHE_SIZE_DEFAULT = 1_048_576
/** How long what was answered is believed. */
export const CACHE_EXPIRATION_MS_DEFAULT = 10 * 60 * 1000

export interface CoordinatorCacheOptions {
  /** Who is asked what is not known. */
  readonly coordinator: StreamRegistrar
  readonly clock: Pick<Clock, 'now'>
  /** How many streams are kept, the least recently used dropped first. Default, also for 0 or less: 1,048,576. */
  readonly size?: number
  /** How long a stream is kept, in milliseconds from the call on. Default, also for 0 or less: 10 minutes. */
  readonly expirationMs?: number
}

/** The path stands beside the descriptor, so that nothing has to be decoded to find what is known. */
export interface CachedRegisterRequest extends RegisterStreamRequest {
  /** `prefix/+/name`, as the descriptor has them. */
  readonly path: string
}

export interface CachedTerminateRequest extends TerminateStreamRequest {
  /** The path that `id` stands for. */
  readonly path: string
}

type CachedRequest = CachedRegisterRequest | CachedTerminateRequest

/** One of the two calls: how it is made, and what its answer teaches. */
interface Method<Request, Result> {
  readonly send: (request: Request) => Promise<Result>
  /** Puts what was answered into the entry, and answers it completed by what the entry knows. */
  readonly learn: (entry: CacheEntry, result: Result, call: CallIdentity) => Result
}

/**
 * Spares a coordinator the calls whose answers are known (log-archive spec, section 9). What is known is answered as it
 * is, what has to be waited for as a promise: awaiting only a promise is twice as fast as awaiting everything.
 *
 * - Kept by project and path. A success is answered whatever the secret: the state holds the right one, to compare with.
 * - A failure that would come again is kept as a rejected promise, for the secret that it was given for. One of the kinds
 *   `unavailable` and `aborted`, and every error that is not of this package, is forgotten once all who waited have it.
 * - The same call, made while it is under way, joins. An abort ends the caller's own wait; the request ends when nobody
 *   waits any more.
 *
 * ```ts
 * const answer = cache.registerStream(request)
 * const state = answer instanceof Promise ? await answer : answer
 * ```
 */
export class CoordinatorCache {
  readonly #clock: Pick<Clock, 'now'>
  readonly #sizeMax: number
  readonly #expirationMs: number
  readonly #register: Method<CachedRegisterRequest, LogStreamState>
  readonly #terminate: Method<CachedTerminateRequest, void>
  /** By project, then by path: to look twice is faster than to join the two. */
  readonly #projects = new Map<string, Map<string, CacheEntry>>()
  /** The project that was looked for last, since the streams of a bundle are all of one. */
  #lastProject: string | undefined = undefined
  #lastPaths: Map<string, CacheEntry> | undefined = undefined
  /** The entries that nothing is under way for: only they can be dropped. */
  readonly #idle = new RecentEntries()

  constructor(options: CoordinatorCacheOptions) {
    const { coordinator, clock, size = 0, expirationMs = 0 } = options
    this.#clock = clock
    this.#sizeMax = size > 0 ? size : CACHE_SIZE_DEFAULT
    this.#expirationMs = expirationMs > 0 ? expirationMs : CACHE_EXPIRATION_MS_DEFAULT
    this.#register = { send: (request) => coordinator.registerStream(request), learn: learnState }
    this.#terminate = { send: (request) => coordinator.terminateStream(request), learn: learnTerminalIndex }
  }

  /** How many streams are kept. One does not count while a call is under way for it. */
  get size(): number {
    return this.#idle.length
  }

  /**
   * Answers the stream's state, with its terminal index as soon as either call has told it.
   *
   * @throws RecoveryLogError as a rejection: what the coordinator says; `ABORTED`
   */
  registerStream(request: CachedRegisterRequest): LogStreamState | Promise<LogStreamState> {
    const entry = this.#find(request)
    if (entry?.state !== undefined) return entry.state
    return this.#ask(entry, request, { secret: request.secret, terminalIndex: -1 }, this.#register)
  }

  /**
   * Terminates a stream, unless it is known to be terminated at the same index.
   *
   * @throws RecoveryLogError as a rejection: what the coordinator says; `ABORTED`. RangeError for a terminal index that is
   *   no integer from 0
   */
  terminateStream(request: CachedTerminateRequest): void | Promise<void> {
    const { terminalIndex } = request
    if (!Number.isSafeInteger(terminalIndex) || terminalIndex < 0) {
      throw new RangeError(`expected terminalIndex to be an integer from 0, got ${terminalIndex}`)
    }
    const entry = this.#find(request)
    if (entry?.terminalIndex === terminalIndex) return
    return this.#ask(entry, request, request, this.#terminate)
  }

  /** What there is about a stream, made the newest; what has expired is forgotten. */
  #find(request: CachedRequest): CacheEntry | undefined {
    const entry = this.#pathsOf(request.project)?.get(request.path)
    if (entry === undefined) return undefined
    if (this.#clock.now() < entry.expiresMs) {
      this.#idle.touch(entry)
      return entry
    }
    entry.forget()
    if (entry.isBusy) return entry
    this.#drop(entry)
    return undefined
  }

  #ask<Request extends CachedRequest, Result>(
    found: CacheEntry | undefined,
    request: Request,
    identity: CallIdentity,
    method: Method<Request, Result>,
  ): Promise<Result> {
    const failure = found?.failures.find((kept) => isSameCall(kept.identity, identity))
    if (failure !== undefined) return failure.rejection
    const { signal } = request
    if (signal?.aborted === true) return Promise.reject(abortedError(signal))
    const entry = found ?? this.#enter(request)
    // The identity tells a registration from a termination, so this is a call of the same method.
    const same = entry.underWay.find((call) => isSameCall(call.identity, identity)) as
      SharedCall<Result> | undefined
    const call = same ?? this.#begin(entry, request, identity, method)
    return call.wait(signal, () => {
      // An abort may come between the end of the call and the end of the wait.
      if (entry.underWay.includes(call)) this.#end(entry, call)
    })
  }

  #begin<Request extends CachedRequest, Result>(
    entry: CacheEntry,
    request: Request,
    identity: CallIdentity,
    { send, learn }: Method<Request, Result>,
  ): SharedCall<Result> {
    // Who has no signal waits to the end: then nothing has to be able to end the request.
    const controller = request.signal === undefined ? undefined : new AbortController()
    const shared = controller === undefined ? request : { ...request, signal: controller.signal }
    const call = new SharedCall<Result>(identity, this.#clock.now(), controller)
    this.#idle.remove(entry)
    entry.underWay = [...entry.underWay, call]
    call.result = sent(send, shared).then(
      (result) => {
        // What nobody waits for any more is nobody's.
        if (!entry.underWay.includes(call)) return result
        this.#keep(entry, call.beganMs)
        const completed = learn(entry, result, identity)
        this.#end(entry, call)
        return completed
      },
      (error: unknown) => {
        if (!entry.underWay.includes(call)) throw error
        if (!isTransient(error)) {
          this.#keep(entry, call.beganMs)
          const { secret, terminalIndex } = identity
          const rejection = call.result as Promise<never>
          entry.keepFailure({ identity: { secret: secret.slice(), terminalIndex }, rejection })
        }
        this.#end(entry, call)
        throw error
      },
    )
    return call
  }

  /** Something is about to be learned: an entry lives from the first call on whose answer it holds. */
  #keep(entry: CacheEntry, beganMs: number): void {
    if (this.#clock.now() >= entry.expiresMs) entry.forget()
    entry.expiresMs = Math.min(entry.expiresMs, beganMs + this.#expirationMs)
  }

  #end(entry: CacheEntry, call: SharedCall<unknown>): void {
    entry.end(call)
    if (entry.isBusy) return
    if (!entry.isKept) {
      this.#drop(entry)
      return
    }
    this.#idle.add(entry)
    if (this.#idle.length > this.#sizeMax) this.#drop(this.#idle.oldest)
  }

  #enter({ project, path }: CachedRequest): CacheEntry {
    let paths = this.#pathsOf(project)
    if (paths === undefined) {
      paths = new Map<string, CacheEntry>()
      this.#projects.set(project, paths)
      this.#lastProject = undefined
    }
    const entry = new CacheEntry(project, path)
    paths.set(path, entry)
    return entry
  }

  #drop(entry: CacheEntry): void {
    this.#idle.remove(entry)
    const paths = this.#pathsOf(entry.project)
    paths?.delete(entry.path)
    if (paths?.size !== 0) return
    this.#projects.delete(entry.project)
    this.#lastProject = undefined
  }

  #pathsOf(project: string): Map<string, CacheEntry> | undefined {
    if (project !== this.#lastProject) {
      this.#lastProject = project
      this.#lastPaths = this.#projects.get(project)
    }
    return this.#lastPaths
  }
}

function learnState(entry: CacheEntry, answered: LogStreamState): LogStreamState {
  if (answered.terminalIndex >= 0) entry.terminalIndex = answered.terminalIndex
  return (entry.state = withTerminalIndex(answered, entry.terminalIndex))
}

function learnTerminalIndex(entry: CacheEntry, _nothing: unknown, { terminalIndex }: CallIdentity): void {
  entry.terminalIndex = terminalIndex
  if (entry.state !== undefined) entry.state = withTerminalIndex(entry.state, terminalIndex)
}

function withTerminalIndex(state: LogStreamState, terminalIndex: number): LogStreamState {
  return state.terminalIndex === terminalIndex ? state : { ...state, terminalIndex }
}

/** What is thrown at once is a rejection too. */
async function sent<Request, Result>(
  send: (request: Request) => Promise<Result>,
  request: Request,
): Promise<Result> {
  return send(request)
}

/** Whether the same call may go well the next time. */
function isTransient(error: unknown): boolean {
  return !(error instanceof RecoveryLogError) || error.kind === 'unavailable' || error.kind === 'aborted'
}
