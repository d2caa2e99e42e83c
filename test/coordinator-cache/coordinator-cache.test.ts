import { expect, it } from 'vitest'
import { CoordinatorCache } from '../../src/coordinator-cache/index.ts'
import type { CachedRegisterRequest, CachedTerminateRequest } from '../../src/coordinator-cache/index.ts'
import type { LogStreamState, StreamRegistrar } from '../../src/coordinator/index.ts'
import { RecoveryLogError } from '../../src/errors/index.ts'
import { Deferred } from '../../src/async/index.ts'

const SECRET = new Uint8Array(36).fill(1)
const OTHER_SECRET = new Uint8Array(36).fill(2)
const TEN_MINUTES = 600_000

function register(path = 'a/+/b', rest: Partial<CachedRegisterRequest> = {}): CachedRegisterRequest {
  return { project: 'p', path, secret: SECRET, descriptor: new Uint8Array(), ...rest }
}

function terminate(
  terminalIndex: number,
  rest: Partial<CachedTerminateRequest> = {},
): CachedTerminateRequest {
  return { project: 'p', path: 'a/+/b', id: 'id', secret: SECRET, terminalIndex, ...rest }
}

const state: LogStreamState = {
  project: 'p',
  path: 'a/+/b',
  id: 'id',
  protoVersion: '1',
  secret: SECRET,
  terminalIndex: -1,
  archived: false,
  purged: false,
}

/** A cache before a coordinator that is answered by hand, call by call. */
class World {
  now = 0
  readonly registered: {
    readonly signal: AbortSignal | undefined
    readonly answer: Deferred<LogStreamState>
  }[] = []
  readonly terminated: Deferred[] = []
  readonly cache: CoordinatorCache

  constructor(options: { readonly size?: number; readonly expirationMs?: number } = {}) {
    const coordinator: StreamRegistrar = {
      registerStream: ({ signal }) => {
        const answer = new Deferred<LogStreamState>()
        this.registered.push({ signal, answer })
        return answer.promise
      },
      terminateStream: () => {
        const answer = new Deferred()
        this.terminated.push(answer)
        return answer.promise
      },
    }
    this.cache = new CoordinatorCache({ coordinator, clock: { now: () => this.now }, ...options })
  }

  /** Registers a stream and answers the request. */
  async keep(path: string, answered: LogStreamState = state): Promise<void> {
    const waiting = this.cache.registerStream(register(path))
    this.registered.at(-1)?.answer.resolve(answered)
    await waiting
  }

  /** Whether the stream is answered without a request. */
  isKept(path: string): boolean {
    return !(this.cache.registerStream(register(path)) instanceof Promise)
  }
}

it('hit: is the kept object itself, no promise, whatever the secret', async () => {
  const world = new World()
  await world.keep('a/+/b')
  expect(world.cache.registerStream(register())).toBe(state)
  expect(world.cache.registerStream(register('a/+/b', { secret: OTHER_SECRET }))).toBe(state)
  expect(world.cache.terminateStream(terminate(3))).toBeInstanceOf(Promise)
})

it('termination: what is known is answered by no promise', async () => {
  const world = new World()
  await world.keep('a/+/b', { ...state, terminalIndex: 3 })
  expect(world.cache.terminateStream(terminate(3))).toBeUndefined()
  expect(world.terminated).toHaveLength(0)
})

it.each([0, -1, undefined])('defaults: ten minutes and 1,048,576 streams (%s)', async (value) => {
  const world = new World(value === undefined ? {} : { size: value, expirationMs: value })
  for (let i = 0; i < 10; i++) await world.keep(`a/+/${i}`)
  expect(world.cache.size).toBe(10)
  world.now = TEN_MINUTES - 1
  expect(world.isKept('a/+/0')).toBe(true)
  world.now = TEN_MINUTES
  expect(world.isKept('a/+/0')).toBe(false)
})

it('size: streams count that nothing is under way for, and only they are dropped', async () => {
  const world = new World({ size: 2 })
  const waiting = world.cache.registerStream(register('a/+/slow'))
  expect(world.cache.size).toBe(0)
  for (const path of ['a/+/1', 'a/+/2', 'a/+/3']) await world.keep(path)
  expect(world.cache.size).toBe(2)
  expect(world.cache.registerStream(register('a/+/slow'))).toBe(waiting)
  world.registered[0]?.answer.resolve(state)
  await waiting
  expect(world.cache.size).toBe(2)
  expect(['a/+/2', 'a/+/3', 'a/+/slow'].map((path) => world.isKept(path))).toEqual([false, true, true])
})

it('size: what was forgotten leaves nothing behind', async () => {
  const world = new World()
  const waiting = world.cache.registerStream(register())
  world.registered[0]?.answer.reject(new RecoveryLogError('UNAVAILABLE', 'later'))
  await expect(waiting).rejects.toMatchObject({ code: 'UNAVAILABLE' })
  expect(world.cache.size).toBe(0)
})

it.each([
  ['UNAVAILABLE', new RecoveryLogError('UNAVAILABLE', 'x'), false],
  ['OUTCOME_UNKNOWN', new RecoveryLogError('OUTCOME_UNKNOWN', 'x'), false],
  ['ABORTED', new RecoveryLogError('ABORTED', 'x'), false],
  ['a foreign error', new TypeError('x'), false],
  ['what is no error', 'x', false],
  ['DENIED', new RecoveryLogError('DENIED', 'x'), true],
  ['CONFLICT', new RecoveryLogError('CONFLICT', 'x'), true],
  ['INVALID', new RecoveryLogError('INVALID', 'x'), true],
  ['NOT_FOUND', new RecoveryLogError('NOT_FOUND', 'x'), true],
  ['CLOSED', new RecoveryLogError('CLOSED', 'x'), true],
])('failure: all who wait get it (%s)', async (_name, error, isKept) => {
  const world = new World()
  const calls = [world.cache.registerStream(register()), world.cache.registerStream(register())]
  world.registered[0]?.answer.reject(error)
  for (const call of calls) await expect(call).rejects.toBe(error)
  const next = world.cache.registerStream(register())
  expect(world.registered).toHaveLength(isKept ? 1 : 2)
  world.registered[1]?.answer.resolve(state)
  if (isKept) await expect(next).rejects.toBe(error)
  else expect(await next).toBe(state)
})

it('failure: is kept for its secret alone, though the buffer of the secret is used again', async () => {
  const world = new World()
  const secret = SECRET.slice()
  const waiting = world.cache.registerStream(register('a/+/b', { secret }))
  world.registered[0]?.answer.reject(new RecoveryLogError('DENIED', 'x'))
  await expect(waiting).rejects.toMatchObject({ code: 'DENIED' })
  secret.set(OTHER_SECRET)
  await expect(world.cache.registerStream(register())).rejects.toMatchObject({ code: 'DENIED' })
  void world.cache.registerStream(register('a/+/b', { secret }))
  void world.cache.registerStream(register('a/+/b', { secret: SECRET.slice(1) }))
  expect(world.registered).toHaveLength(3)
})

it('sharing: another secret is another call, and its failure its own', async () => {
  const world = new World()
  const right = world.cache.registerStream(register())
  const wrong = world.cache.registerStream(register('a/+/b', { secret: OTHER_SECRET }))
  world.registered[1]?.answer.reject(new RecoveryLogError('DENIED', 'x'))
  await expect(wrong).rejects.toMatchObject({ code: 'DENIED' })
  world.registered[0]?.answer.resolve(state)
  expect(await right).toBe(state)
})

it('sharing: what is thrown at once is a rejection', async () => {
  const cache = new CoordinatorCache({
    clock: { now: () => 0 },
    coordinator: {
      registerStream: () => {
        throw new TypeError('at once')
      },
      terminateStream: async () => undefined,
    },
  })
  await expect(cache.registerStream(register())).rejects.toThrow('at once')
  expect(cache.size).toBe(0)
})

it('abort: a request that nobody can leave has no signal, another ends with the last who waits', async () => {
  const world = new World()
  void world.cache.registerStream(register('a/+/1'))
  expect(world.registered[0]?.signal).toBeUndefined()
  const controllers = [new AbortController(), new AbortController()]
  const calls = controllers.map(({ signal }) => world.cache.registerStream(register('a/+/2', { signal })))
  controllers[0]?.abort()
  await expect(calls[0]).rejects.toMatchObject({ code: 'ABORTED' })
  expect(world.registered[1]?.signal?.aborted).toBe(false)
  controllers[1]?.abort()
  await expect(calls[1]).rejects.toMatchObject({ code: 'ABORTED' })
  expect(world.registered[1]?.signal?.aborted).toBe(true)
  // What is answered all the same is nobody's.
  world.registered[1]?.answer.resolve(state)
  await world.registered[1]?.answer.promise
  expect(world.isKept('a/+/2')).toBe(false)
  expect(world.registered).toHaveLength(3)
})

it('abort: who fails after everybody left is not heard', async () => {
  const world = new World()
  const controller = new AbortController()
  const call = world.cache.registerStream(register('a/+/b', { signal: controller.signal }))
  controller.abort()
  await expect(call).rejects.toMatchObject({ code: 'ABORTED' })
  world.registered[0]?.answer.reject(new RecoveryLogError('DENIED', 'x'))
  await world.registered[0]?.answer.promise.catch(() => undefined)
  await Promise.resolve()
  void world.cache.registerStream(register())
  expect(world.registered).toHaveLength(2)
})

it.each([1, 2, 3, 4, 5, 6, 7])(
  'abort: one that comes with the failure disturbs nobody (tick %i)',
  async (ticks) => {
    const world = new World()
    const controller = new AbortController()
    const call = world.cache.registerStream(register('a/+/b', { signal: controller.signal }))
    const others = world.cache.terminateStream(terminate(3))
    world.registered[0]?.answer.reject(new RecoveryLogError('UNAVAILABLE', 'x'))
    for (let i = 0; i < ticks; i++) await Promise.resolve()
    controller.abort()
    await expect(call).rejects.toBeInstanceOf(RecoveryLogError)
    expect(world.cache.terminateStream(terminate(3))).toBe(others)
  },
)

it('abort: a call that has ended leaves no listener on the signal', async () => {
  const world = new World()
  const { signal } = new AbortController()
  let listeners = 0
  const add = signal.addEventListener.bind(signal)
  const remove = signal.removeEventListener.bind(signal)
  signal.addEventListener = (...args: Parameters<typeof add>) => {
    listeners++
    add(...args)
  }
  signal.removeEventListener = (...args: Parameters<typeof remove>) => {
    listeners--
    remove(...args)
  }
  const call = world.cache.registerStream(register('a/+/b', { signal }))
  expect(listeners).toBe(1)
  world.registered[0]?.answer.resolve(state)
  await call
  await Promise.resolve()
  expect(listeners).toBe(0)
})

it.each([-1, 0.5, NaN, 2 ** 53])('termination: refuses an index that is none (%s)', (terminalIndex) => {
  const world = new World()
  expect(() => world.cache.terminateStream(terminate(terminalIndex))).toThrow(RangeError)
})

it('life: counts from the call, however late the answer', async () => {
  const world = new World({ expirationMs: 1000 })
  const waiting = world.cache.registerStream(register())
  world.now = 900
  world.registered[0]?.answer.resolve(state)
  await waiting
  world.now = 999
  expect(world.isKept('a/+/b')).toBe(true)
  world.now = 1000
  expect(world.isKept('a/+/b')).toBe(false)
})

it('life: what is under way when the rest expires is kept for its own time', async () => {
  const world = new World({ expirationMs: 1000 })
  await world.keep('a/+/b')
  world.now = 900
  const waiting = world.cache.terminateStream(terminate(3))
  world.now = 1100
  world.terminated[0]?.resolve()
  await waiting
  expect(world.isKept('a/+/b')).toBe(false)
  world.now = 1899
  expect(world.cache.terminateStream(terminate(3))).toBeUndefined()
  world.now = 1900
  expect(world.cache.terminateStream(terminate(3))).toBeInstanceOf(Promise)
})

it('projects: are apart, and leave nothing when their last stream goes', async () => {
  const world = new World({ size: 1 })
  for (const project of ['p', 'q', 'p']) {
    const waiting = world.cache.registerStream(register('a/+/b', { project }))
    expect(waiting).toBeInstanceOf(Promise)
    world.registered.at(-1)?.answer.resolve({ ...state, project })
    await waiting
    const kept = world.cache.registerStream(register('a/+/b', { project }))
    expect(kept).toMatchObject({ project })
  }
  expect(world.cache.size).toBe(1)
})

it('projects: one that was forgotten and comes back is found again, whoever was asked for between', async () => {
  const world = new World()
  const failing = world.cache.registerStream(register())
  world.registered[0]?.answer.reject(new RecoveryLogError('UNAVAILABLE', 'x'))
  await expect(failing).rejects.toMatchObject({ code: 'UNAVAILABLE' })
  await world.keep('a/+/b')
  void world.cache.registerStream(register('a/+/b', { project: 'q' }))
  expect(world.isKept('a/+/b')).toBe(true)
})
