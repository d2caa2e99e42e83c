import assert from 'node:assert/strict'
import { CoordinatorCache } from '../../src/coordinator-cache/index.ts'
import type { LogStreamState } from '../../src/coordinator/index.ts'
import { RecoveryLogError } from '../../src/errors/index.ts'

/** Traces of a coordinator cache, as the vectors spell them: run on the cache itself, and on a model of the spec. */

export interface TraceOptions {
  readonly size: number
  readonly expiration_ms: number
}

/** What one step leads to. */
export interface Effects {
  readonly inner_calls: readonly InnerCall[]
  readonly returns: readonly Return[]
}

interface CallOfCaller {
  readonly caller: string
  readonly project: string
  readonly path: string
  readonly terminal_index: number
}

export type Action =
  | (CallOfCaller & { readonly op: 'register'; readonly secret_hex: string; readonly descriptor_hex: string })
  | (CallOfCaller & { readonly op: 'terminate' })
  | {
      readonly op: 'answer'
      readonly number: number
      readonly with: Answer
      readonly terminal_index?: number
    }
  | { readonly op: 'advance_clock'; readonly ms: number }
  | { readonly op: 'cancel'; readonly caller: string }

export type Answer = 'ok' | 'archived' | 'transient' | 'permanent'

/** A call that reached the wrapped coordinator, or its end. */
export type InnerCall = Readonly<Record<string, unknown>>
/** A caller that returned, and with what. */
export type Return = Readonly<Record<string, unknown>>

const PRECANCELLED = ' precancelled'
const CANCELLED = 'its context was cancelled'

/** Terminations of the vectors name no secret. */
const TERMINATE_SECRET = new Uint8Array(36).fill(0xff)

/** Lets everything that can happen happen. */
const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

/** The cache in a trace: the cache, its callers, and the coordinator behind it. */
export class CacheTrace {
  #now = 0
  readonly #cache: CoordinatorCache
  readonly #cancels = new Map<string, AbortController>()
  /** By their numbers, from 1. */
  readonly #requests: { readonly answer: (how: Answer, terminalIndex: number) => void }[] = []
  #innerCalls: InnerCall[] = []
  #returns: Return[] = []

  constructor({ size, expiration_ms }: TraceOptions) {
    this.#cache = new CoordinatorCache({
      clock: { now: () => this.#now },
      size,
      expirationMs: expiration_ms,
      coordinator: {
        registerStream: (request) => {
          const { path } = request as typeof request & { readonly path: string }
          const call = {
            method: 'registerStream',
            project: request.project,
            path,
            secret_hex: hexOf(request.secret),
            terminal_index: request.terminalIndex,
            descriptor_hex: hexOf(request.descriptor),
          }
          return this.#request(call, request.signal, (how, terminalIndex) => ({
            project: request.project,
            path,
            id: `id-of-${path}`,
            protoVersion: 'remote',
            secret: request.secret,
            terminalIndex,
            archived: how === 'archived',
            purged: false,
          }))
        },
        terminateStream: (request) => {
          const { path } = request as typeof request & { readonly path: string }
          const { project, id, terminalIndex } = request
          const call = { method: 'terminateStream', project, path, id, terminal_index: terminalIndex }
          return this.#request(call, request.signal, () => undefined)
        },
      },
    })
  }

  get size(): number {
    return this.#cache.size
  }

  /** Does one thing and answers what came of it. */
  async do(action: Action): Promise<Effects> {
    this.#innerCalls = []
    this.#returns = []
    this.#act(action)
    await settled()
    return { inner_calls: this.#innerCalls, returns: inOrderOfCallers(this.#returns) }
  }

  #act(action: Action): void {
    switch (action.op) {
      case 'register':
        void this.#call(action.caller, (signal) =>
          this.#cache.registerStream({
            project: action.project,
            path: action.path,
            secret: bytesOf(action.secret_hex),
            descriptor: bytesOf(action.descriptor_hex),
            terminalIndex: action.terminal_index,
            signal,
          }),
        )
        return
      case 'terminate':
        void this.#call(action.caller, (signal) =>
          this.#cache.terminateStream({
            project: action.project,
            path: action.path,
            id: `id-of-${action.path}`,
            secret: TERMINATE_SECRET,
            terminalIndex: action.terminal_index,
            signal,
          }),
        )
        return
      case 'answer':
        this.#requests[action.number - 1]?.answer(action.with, action.terminal_index ?? -1)
        return
      case 'advance_clock':
        this.#now += action.ms
        return
      case 'cancel':
        this.#cancels.get(action.caller)?.abort()
        return
    }
  }

  async #call(caller: string, body: (signal: AbortSignal) => unknown): Promise<void> {
    const controller = new AbortController()
    this.#cancels.set(caller, controller)
    if (caller.endsWith(PRECANCELLED)) controller.abort()
    try {
      const state = await body(controller.signal)
      this.#returns.push({
        caller,
        error: null,
        ...(state === undefined ? {} : stateTo(state as LogStreamState)),
      })
    } catch (error) {
      this.#returns.push({ caller, error: nameOf(error) })
    }
  }

  /** A call of the wrapped coordinator: waits for its answer, or the end of its signal. */
  #request<Result>(
    call: InnerCall,
    signal: AbortSignal | undefined,
    resultOf: (how: Answer, terminalIndex: number) => Result,
  ): Promise<Result> {
    return new Promise<Result>((resolve, reject) => {
      const answer = (how: Answer, terminalIndex: number): void => {
        if (how === 'transient') reject(new RecoveryLogError('UNAVAILABLE', how))
        else if (how === 'permanent') reject(new RecoveryLogError('DENIED', how))
        else resolve(resultOf(how, terminalIndex))
      }
      const number = this.#requests.push({ answer })
      this.#innerCalls.push({ number, ...call })
      signal?.addEventListener('abort', () => {
        this.#innerCalls.push({ number, ended_by: CANCELLED })
        reject(new RecoveryLogError('ABORTED', 'the request has ended'))
      })
    })
  }
}

function stateTo(state: LogStreamState): Return {
  return {
    id: state.id,
    proto_version: state.protoVersion,
    secret_hex: hexOf(state.secret),
    terminal_index: state.terminalIndex,
    archived: state.archived,
  }
}

/** An error as the vectors call it. */
function nameOf(error: unknown): string {
  if (error instanceof RangeError) return 'refused'
  assert(error instanceof RecoveryLogError, `not an error of ours: ${String(error)}`)
  const names: Readonly<Record<string, string>> = {
    UNAVAILABLE: 'transient',
    DENIED: 'permanent',
    ABORTED: 'cancelled',
  }
  return names[error.code] ?? error.code
}

function inOrderOfCallers(returns: readonly Return[]): Return[] {
  return [...returns].sort((a, b) => (String(a['caller']) < String(b['caller']) ? -1 : 1))
}

const bytesOf = (hex: string): Uint8Array => new Uint8Array(Buffer.from(hex, 'hex'))
const hexOf = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex')

interface KnownFacts {
  expiresMs: number
  usedAt: number
  state: Return | undefined
  terminalIndex: number
  failures: { readonly identity: string; readonly isRegistration: boolean; readonly error: string }[]
}

interface WaitingCall {
  readonly number: number
  readonly key: string
  readonly identity: string
  readonly beganMs: number
  readonly action: Extract<Action, { op: 'register' | 'terminate' }>
  waiting: string[]
}

/** Log-archive spec, section 9, in the plainest words: everything is looked for by going through all there is. */
export class CacheModel {
  #now = 0
  #uses = 0
  #numbers = 0
  readonly #size: number
  readonly #expirationMs: number
  readonly #known = new Map<string, KnownFacts>()
  #underWay: WaitingCall[] = []
  #innerCalls: InnerCall[] = []
  #returns: Return[] = []

  constructor({ size, expiration_ms }: TraceOptions) {
    this.#size = size > 0 ? size : 1_048_576
    this.#expirationMs = expiration_ms > 0 ? expiration_ms : 600_000
  }

  do(action: Action): Effects {
    this.#innerCalls = []
    this.#returns = []
    if (action.op === 'advance_clock') this.#now += action.ms
    else if (action.op === 'cancel') this.#cancel(action.caller)
    else if (action.op === 'answer') this.#answer(action.number, action.with, action.terminal_index ?? -1)
    else this.#call(action)
    return { inner_calls: this.#innerCalls, returns: inOrderOfCallers(this.#returns) }
  }

  /** The entries that nothing is under way for, the least recently used first. */
  get kept(): string[] {
    const isIdle = ([key]: readonly [string, KnownFacts]): boolean =>
      !this.#underWay.some((call) => call.key === key)
    return [...this.#known]
      .filter(isIdle)
      .sort(([, a], [, b]) => a.usedAt - b.usedAt)
      .map(([key]) => key)
  }

  #call(action: WaitingCall['action']): void {
    const { caller, project, path, terminal_index } = action
    const isRegistration = action.op === 'register'
    if (!isRegistration && terminal_index < 0) {
      this.#returns.push({ caller, error: 'refused' })
      return
    }
    const key = `${project} ${path}`
    const known = this.#facts(key)
    if (known !== undefined) known.usedAt = ++this.#uses
    const identity = isRegistration ? `register ${action.secret_hex}` : `terminate ${terminal_index}`
    const failure = known?.failures.find((kept) => kept.identity === identity)
    const isTerminated = !isRegistration && known?.terminalIndex === terminal_index
    const state = isRegistration ? known?.state : undefined
    if (state !== undefined || isTerminated) this.#returns.push({ caller, error: null, ...state })
    else if (failure !== undefined) this.#returns.push({ caller, error: failure.error })
    else if (caller.endsWith(PRECANCELLED)) this.#returns.push({ caller, error: 'cancelled' })
    else this.#join({ action, key, identity })
  }

  #join(asked: Pick<WaitingCall, 'action' | 'key' | 'identity'>): void {
    const { action, key, identity } = asked
    const same = this.#underWay.find((call) => call.key === key && call.identity === identity)
    if (same !== undefined) {
      same.waiting.push(action.caller)
      return
    }
    const number = ++this.#numbers
    this.#underWay.push({ ...asked, number, beganMs: this.#now, waiting: [action.caller] })
    const { project, path, terminal_index } = action
    const shared = { number, project, path, terminal_index }
    if (action.op === 'terminate') {
      this.#innerCalls.push({ ...shared, method: 'terminateStream', id: `id-of-${path}` })
    } else {
      const { secret_hex, descriptor_hex } = action
      this.#innerCalls.push({ ...shared, method: 'registerStream', secret_hex, descriptor_hex })
    }
  }

  #answer(number: number, how: Answer, terminalIndex: number): void {
    const call = this.#underWay.find((other) => other.number === number)
    if (call === undefined) return
    this.#underWay = this.#underWay.filter((other) => other !== call)
    const isRegistration = call.action.op === 'register'
    let answer: Return = { error: null }
    if (how === 'transient') answer = { error: how }
    else {
      const known = this.#learner(call)
      if (how === 'permanent') {
        answer = { error: how }
        const { identity } = call
        known.failures = known.failures.filter((kept) => kept.isRegistration !== isRegistration)
        known.failures.push({ identity, isRegistration, error: how })
      } else if (call.action.op === 'register') {
        if (terminalIndex >= 0) known.terminalIndex = terminalIndex
        known.state = {
          id: `id-of-${call.action.path}`,
          proto_version: 'remote',
          secret_hex: call.action.secret_hex,
          terminal_index: known.terminalIndex,
          archived: how === 'archived',
        }
        answer = { error: null, ...known.state }
      } else {
        known.terminalIndex = call.action.terminal_index
        if (known.state !== undefined) known.state = { ...known.state, terminal_index: known.terminalIndex }
      }
    }
    this.#ended(call.key)
    for (const caller of call.waiting) this.#returns.push({ caller, ...answer })
  }

  #cancel(caller: string): void {
    const call = this.#underWay.find(({ waiting }) => waiting.includes(caller))
    if (call === undefined) return
    call.waiting = call.waiting.filter((other) => other !== caller)
    this.#returns.push({ caller, error: 'cancelled' })
    if (call.waiting.length > 0) return
    this.#underWay = this.#underWay.filter((other) => other !== call)
    this.#innerCalls.push({ number: call.number, ended_by: CANCELLED })
    this.#ended(call.key)
  }

  /** The facts that have not expired. */
  #facts(key: string): KnownFacts | undefined {
    const known = this.#known.get(key)
    if (known === undefined || this.#now < known.expiresMs) return known
    this.#known.delete(key)
    return undefined
  }

  /** The facts that the answer of `call` is to be added to. */
  #learner({ key, beganMs }: WaitingCall): KnownFacts {
    const nothing = { expiresMs: Infinity, usedAt: 0, state: undefined, terminalIndex: -1, failures: [] }
    const known: KnownFacts = this.#facts(key) ?? nothing
    known.expiresMs = Math.min(known.expiresMs, beganMs + this.#expirationMs)
    this.#known.set(key, known)
    return known
  }

  /** What nothing is under way for any more counts as just used, and may push out another. */
  #ended(key: string): void {
    const known = this.#known.get(key)
    if (known === undefined || this.#underWay.some((call) => call.key === key)) return
    known.usedAt = ++this.#uses
    const { kept } = this
    if (kept.length > this.#size) this.#known.delete(kept[0] as string)
  }
}
