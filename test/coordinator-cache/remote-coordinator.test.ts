import { expect, it } from 'vitest'
import { CoordinatorCache, GRPC_CODES, RemoteCoordinator } from '../../src/coordinator-cache/index.ts'
import type { ServicesClient } from '../../src/coordinator-cache/index.ts'
import { ERROR_KINDS, RecoveryLogError } from '../../src/errors/index.ts'
import { encodeDescriptor, StreamType } from '../../src/wire/logdog/index.ts'

const SECRET = Uint8Array.from({ length: 36 }, (_, i) => 0xff - i)
const SECRET_BASE64 = Buffer.from(SECRET).toString('base64')
const DESCRIPTOR = encodeDescriptor({
  prefix: 'a/b',
  name: 'c',
  streamType: StreamType.text,
  contentType: 'text/plain',
  timestamp: { seconds: 1, nanos: 0 },
  tags: new Map(),
  binaryFileExt: '',
})
const REGISTER = { project: 'p', secret: SECRET, descriptor: DESCRIPTOR }
const TERMINATE = { project: 'p', id: 'id', secret: SECRET, terminalIndex: 7 }

const STATE = { protoVersion: '1', secret: SECRET_BASE64, terminalIndex: '-1' }

/** A client that answers what it is told to, and remembers what it was sent. */
function client(answer: () => unknown): ServicesClient & { readonly sent: unknown[] } {
  const sent: unknown[] = []
  const call = async (message: unknown): Promise<unknown> => {
    sent.push(message)
    return answer()
  }
  return { sent, registerStream: call, terminateStream: call }
}

function failing(error: unknown): ServicesClient {
  return client(() => {
    throw error as Error
  })
}

it('register: sends and reads proto JSON', async () => {
  const services = client(() => ({ id: 'abc', state: { ...STATE, archived: true } }))
  expect(await new RemoteCoordinator(services).registerStream(REGISTER)).toEqual({
    project: 'p',
    path: 'a/b/+/c',
    id: 'abc',
    protoVersion: '1',
    secret: SECRET,
    terminalIndex: -1,
    archived: true,
    purged: false,
  })
  const desc = Buffer.from(DESCRIPTOR).toString('base64')
  const message = { project: 'p', secret: SECRET_BASE64, protoVersion: '1', desc, terminalIndex: '-1' }
  expect(services.sent).toEqual([message])
})

it('register: sends terminal index and version when they are named', async () => {
  const services = client(() => ({ id: 'abc', state: STATE }))
  await new RemoteCoordinator(services).registerStream({ ...REGISTER, terminalIndex: 3, protoVersion: '2' })
  expect(services.sent).toMatchObject([{ terminalIndex: '3', protoVersion: '2' }])
})

it.each([
  ['a number', 7, 7],
  ['a text', '7', 7],
  ['a bigint', 7n, 7],
  ['left out: the default of proto JSON', undefined, 0],
])('register: takes a terminal index that is %s', async (_name, terminalIndex, expected) => {
  const services = client(() => ({ id: 'abc', state: { ...STATE, terminalIndex } }))
  expect(await new RemoteCoordinator(services).registerStream(REGISTER)).toMatchObject({
    terminalIndex: expected,
  })
})

it.each([
  ['bytes', SECRET],
  ['base64url', SECRET_BASE64.replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', '')],
])('register: takes a secret that is %s', async (_name, secret) => {
  const services = client(() => ({ id: 'abc', state: { ...STATE, secret } }))
  expect(await new RemoteCoordinator(services).registerStream(REGISTER)).toMatchObject({ secret: SECRET })
})

it.each([
  [undefined, 'id'],
  ['text', 'id'],
  [{}, 'id'],
  [{ id: '' }, 'id'],
  [{ id: 7 }, 'id'],
  [{ id: 'abc' }, 'state'],
  [{ id: 'abc', state: null }, 'state'],
  [{ id: 'abc', state: { ...STATE, protoVersion: 1 } }, 'state.protoVersion'],
  [{ id: 'abc', state: { ...STATE, secret: 'not base64!' } }, 'state.secret'],
  [{ id: 'abc', state: { ...STATE, secret: 7 } }, 'state.secret'],
  [{ id: 'abc', state: { ...STATE, terminalIndex: '7.5' } }, 'state.terminalIndex'],
  [{ id: 'abc', state: { ...STATE, terminalIndex: '9007199254740992' } }, 'state.terminalIndex'],
  [{ id: 'abc', state: { ...STATE, archived: 'yes' } }, 'state.archived'],
  [{ id: 'abc', state: { ...STATE, purged: 1 } }, 'state.purged'],
])('register: refuses an answer that is none (%j)', async (answer, field) => {
  const coordinator = new RemoteCoordinator(client(() => answer))
  const error = await coordinator.registerStream(REGISTER).catch((caught: unknown) => caught)
  expect(error).toMatchObject({ code: 'CORRUPT', data: { field } })
  // A secret is never told, not even one that is none.
  expect(JSON.stringify((error as RecoveryLogError).data)).not.toContain('base64!')
})

it('register: a descriptor that cannot be decoded is not sent', async () => {
  const services = client(() => undefined)
  const call = new RemoteCoordinator(services).registerStream({
    ...REGISTER,
    descriptor: Uint8Array.of(0x0a, 0x7f),
  })
  await expect(call).rejects.toMatchObject({ kind: 'corrupt' })
  expect(services.sent).toEqual([])
})

it('terminate: sends proto JSON, and does not look at the answer', async () => {
  const services = client(() => undefined)
  await new RemoteCoordinator(services).terminateStream(TERMINATE)
  expect(services.sent).toEqual([{ project: 'p', id: 'id', secret: SECRET_BASE64, terminalIndex: '7' }])
})

const SPELLINGS = GRPC_CODES.flatMap(([name, code], number) => {
  const camel = name
    .toLowerCase()
    .replace(/(^|_)([a-z])/g, (_all, _under, letter: string) => letter.toUpperCase())
  return [number, name, name.toLowerCase(), camel].map((spelling) => ({ spelling, name, code }))
})

it.each(SPELLINGS)('errors: $spelling is $code', async ({ spelling, name, code }) => {
  const thrown = Object.assign(new Error('told'), { code: spelling })
  for (const call of [
    new RemoteCoordinator(failing(thrown)).registerStream(REGISTER),
    new RemoteCoordinator(failing(thrown)).terminateStream(TERMINATE),
  ]) {
    await expect(call).rejects.toMatchObject({ code, cause: thrown, data: { grpcCode: name } })
    await expect(call).rejects.toThrow(/: told$/)
  }
})

it('errors: the transient ones are those that gRPC or LUCI takes so', () => {
  const transient = GRPC_CODES.filter(([, code]) => ERROR_KINDS[code] === 'unavailable').map(([name]) => name)
  expect(transient).toEqual([
    ...['OK', 'CANCELLED', 'UNKNOWN', 'DEADLINE_EXCEEDED', 'RESOURCE_EXHAUSTED', 'ABORTED', 'INTERNAL'],
    'UNAVAILABLE',
  ])
})

it.each([
  ['an error without a code', new Error('x')],
  ["the system's", Object.assign(new Error('x'), { code: 'ECONNREFUSED' })],
  ['a number that is no code', Object.assign(new Error('x'), { code: 503 })],
  ['no error', 'x'],
])('errors: %s is UNAVAILABLE', async (_name, thrown) => {
  const call = new RemoteCoordinator(failing(thrown)).terminateStream(TERMINATE)
  await expect(call).rejects.toMatchObject({ code: 'UNAVAILABLE', cause: thrown, data: { grpcCode: null } })
})

it('errors: one of ours is passed on', async () => {
  const thrown = new RecoveryLogError('DENIED', 'x')
  await expect(new RemoteCoordinator(failing(thrown)).terminateStream(TERMINATE)).rejects.toBe(thrown)
})

it.each([
  [{ grpcCode: 7, msg: 'no' }, 'DENIED'],
  [{ grpcCode: 7, transient: true, msg: 'no' }, 'UNAVAILABLE'],
  [{}, 'UNAVAILABLE'],
])('errors: the one in an answer counts too (%j)', async (error, code) => {
  const call = new RemoteCoordinator(client(() => ({ error }))).registerStream(REGISTER)
  await expect(call).rejects.toMatchObject({ code })
})

it('abort: is ABORTED, whatever the client makes of it', async () => {
  const controller = new AbortController()
  const services = client(() => {
    controller.abort()
    throw Object.assign(new Error('x'), { code: 'PERMISSION_DENIED' })
  })
  const coordinator = new RemoteCoordinator(services)
  const { signal } = controller
  await expect(coordinator.terminateStream({ ...TERMINATE, signal })).rejects.toMatchObject({
    code: 'ABORTED',
  })
  await expect(coordinator.terminateStream({ ...TERMINATE, signal })).rejects.toMatchObject({
    code: 'ABORTED',
  })
  expect(services.sent).toHaveLength(1)
})

it('abort: the client is handed the signal', async () => {
  const { signal } = new AbortController()
  const options: unknown[] = []
  const services = {
    ...client(() => undefined),
    terminateStream: async (_message: unknown, given: unknown) => void options.push(given),
  }
  await new RemoteCoordinator(services).terminateStream({ ...TERMINATE, signal })
  await new RemoteCoordinator(services).terminateStream(TERMINATE)
  expect(options).toEqual([{ signal }, {}])
})

it('behind the cache: a denial is kept, a failing service asked again', async () => {
  let code = 'UNAVAILABLE'
  const services = client(() => {
    throw Object.assign(new Error('x'), { code })
  })
  const coordinator = new RemoteCoordinator(services)
  const cache = new CoordinatorCache({ coordinator, clock: { now: () => 0 } })
  for (code of ['UNAVAILABLE', 'PERMISSION_DENIED', 'UNAVAILABLE']) {
    await expect(cache.registerStream({ ...REGISTER, path: 'a/b/+/c' })).rejects.toBeInstanceOf(
      RecoveryLogError,
    )
  }
  expect(services.sent).toHaveLength(2)
})
