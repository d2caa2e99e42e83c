import assert from 'node:assert/strict'
import { Coordinator } from '../../src/coordinator/index.ts'
import type { LogStreamState, StoredDocument, TaskLease } from '../../src/coordinator/index.ts'
import { MemoryStreamStore, MemoryTaskQueue } from '../../src/coordinator/memory/index.ts'
import { RecoveryLogError } from '../../src/errors/index.ts'
import { streamId } from '../../src/names/index.ts'
import { countingRandom, manifestTo } from '../coordinator/coordinator-world.ts'
import { casesOf, expectKeys, fromHex, hexOf, sha256 } from './archive-cases.ts'
import { CoordinatorModel } from './coordinator-model.ts'
import type { GoError, GoState, Step } from './coordinator-model.ts'
import type { VectorRun, VectorSuite } from './vector-run.ts'

const FILE = 'archive/coordinator.json'

interface Case {
  readonly name: string
  readonly project: string
  readonly service_expiration_ms: number | null
  readonly project_expiration_ms: number | null
  readonly steps: readonly Step[]
  readonly doubtful?: string
}

/** Our codes for what Go says. What Go calls internal is an error of ours too: a stream that is not there. */
const CODES: Readonly<Record<GoError['code'], readonly string[]>> = {
  AlreadyExists: ['ALREADY_EXISTS'],
  FailedPrecondition: ['EXPIRED', 'NOT_FOUND', 'CONFLICT'],
  Internal: ['NOT_FOUND'],
  InvalidArgument: ['INVALID', 'NAME_INVALID', 'DESCRIPTOR_INVALID', 'DENIED'],
  NotFound: ['NOT_FOUND'],
}

const WITHOUT_RESPONSE: readonly Step['op'][] = ['terminate_stream', 'archive_stream', 'delete_archive_tasks']
const WITHOUT_ERROR: readonly Step['op'][] = [
  'lease_archive_tasks',
  'delete_archive_tasks',
  'look_at_task_queue',
]

/** Go puts a task for so long after a registration; our sweep comes then. */
const REGISTRATION_TASK_MS = 48 * 60 * 60 * 1000

export const suite: VectorSuite = {
  file: FILE,
  async run(run: VectorRun) {
    for (const vector of casesOf<Case>(run, FILE)) {
      const rule = vector.doubtful === undefined ? 'behaviour' : 'doubtful'
      await run.check(FILE, vector.name, rule, () => check(vector))
    }
  },
}

async function check(vector: Case): Promise<void> {
  expectKeys(
    vector,
    ...['name', 'project', 'service_expiration_ms', 'project_expiration_ms', 'steps', 'doubtful'],
  )
  const lengths = [vector.service_expiration_ms ?? 0, vector.project_expiration_ms ?? 0]
  if (lengths.some((length) => length < 0)) {
    // Go overlooks a setting that is negative; ours is refused when it is set.
    assert(vector.doubtful !== undefined)
    await assert.rejects(() => Traced.open(vector), { code: 'INVALID' })
    return
  }
  const traced = await Traced.open(vector)
  const isSure = vector.doubtful === undefined
  const model = new CoordinatorModel(isSure)
  for (const [number, step] of vector.steps.entries()) {
    expectKeys(step, 'at_ms', 'op', 'request', 'response', 'error')
    try {
      await traced.do(step, model)
    } catch (cause) {
      throw new Error(`step ${number}, ${step.op}: ${String(cause)}`, { cause })
    }
  }
}

/** Our coordinator, called as Go's was. */
class Traced {
  readonly #project: string
  readonly #clock = { nowMs: 0, now: (): number => this.#clock.nowMs }
  readonly #store = new MemoryStreamStore()
  readonly #queue = new MemoryTaskQueue({ clock: this.#clock })
  readonly #coordinator: Coordinator
  #secret = new Uint8Array(36)
  #lastLease: TaskLease | undefined

  static async open({ project, service_expiration_ms, project_expiration_ms }: Case): Promise<Traced> {
    const traced = new Traced(project, service_expiration_ms ?? 0)
    const prefixExpirationMs = project_expiration_ms ?? 0
    await traced.#coordinator.setSettings({ prefixExpirationMs }, project)
    return traced
  }

  private constructor(project: string, prefixExpirationMs: number) {
    this.#project = project
    this.#coordinator = new Coordinator({
      streamStore: this.#store,
      taskQueue: this.#queue,
      clock: this.#clock,
      random: countingRandom(),
      sha256,
      settings: { prefixExpirationMs, storageCleanupDelayMs: 0 },
    })
  }

  async do(step: Step, model: CoordinatorModel): Promise<void> {
    this.#clock.nowMs = step.at_ms
    if (step.error !== null || WITHOUT_RESPONSE.includes(step.op)) assert.equal(step.response, null)
    if (WITHOUT_ERROR.includes(step.op)) assert.equal(step.error, null)
    switch (step.op) {
      case 'register_prefix':
        return this.#registerPrefix(step, model)
      case 'register_stream':
        return this.#registerStream(step, model)
      case 'terminate_stream':
        return this.#terminateStream(step, model)
      case 'load_stream':
        return this.#loadStream(step, model)
      case 'archive_stream':
        return this.#archiveStream(step, model)
      case 'lease_archive_tasks':
        return this.#leaseTasks(step, model)
      case 'delete_archive_tasks':
        expectKeys(step.request, 'last_leased_task_of')
        assert(this.#lastLease?.task.id === step.request.last_leased_task_of, 'another task was leased last')
        await this.#coordinator.acknowledgeTask(this.#lastLease)
        return
      case 'look_at_task_queue':
        return this.#lookAtTasks(step, model)
      default:
        assert.fail(`an unknown step ${(step as { op: string }).op}`)
    }
  }

  async #registerPrefix(step: Step & { op: 'register_prefix' }, model: CoordinatorModel): Promise<void> {
    const { request, response, error } = step
    expectKeys(request, 'prefix', 'nonce_hex', 'expiration_ms')
    const { prefix, expiration_ms } = request
    const { value, code } = await outcomeOf(() =>
      this.#coordinator.registerPrefix({
        project: this.#project,
        prefix,
        nonce: fromHex(request.nonce_hex),
        expirationMs: expiration_ms ?? 0,
      }),
    )
    if ((expiration_ms ?? 0) < 0) {
      assert(!model.isSure) // Go takes it as not asked for
      assert.equal(code, 'INVALID')
      return
    }
    expectSameEnd(code, error)
    if (value === undefined) return
    expectKeys(response as object, 'secret_bytes', 'same_secret_as_before')
    assert.equal(value.secret.length, response?.secret_bytes)
    const same = response?.same_secret_as_before ?? null
    if (same !== null) assert.equal(hexOf(value.secret) === hexOf(this.#secret), same)
    this.#secret = new Uint8Array(value.secret)
    model.hasPrefix = true
  }

  async #registerStream(step: Step & { op: 'register_stream' }, model: CoordinatorModel): Promise<void> {
    const { request, response } = step
    expectKeys(request, 'descriptor', 'descriptor_hex', 'terminal_index', 'peculiar')
    const { secret, protoVersion } = this.#peculiar(request.peculiar)
    const { value, code } = await outcomeOf(() =>
      this.#coordinator.registerStream({
        project: this.#project,
        secret,
        protoVersion,
        descriptor: fromHex(request.descriptor_hex),
        terminalIndex: request.terminal_index,
      }),
    )
    const { prefix, name } = request.descriptor ?? { prefix: '', name: '' }
    const id = streamId(`${prefix}/+/${name}`, sha256)
    const expected = model.registerStream(id, request.terminal_index, step)
    if (expected.error !== undefined) {
      expectSameEnd(code, expected.error)
      // Rule 7: Go passes over another terminal index, and answers what it has.
      if (response !== null && model.hasPrefix) model.compareState(model.stateOf(id), response.state)
      return
    }
    assert.equal(code, undefined)
    if (response !== null) {
      expectKeys(response, 'id', 'state')
      assert.equal(value?.id, response.id)
      model.compareState(expected.state, response.state)
    }
    assert.deepEqual(goStateOf(value as LogStreamState), expected.state)
    assert.equal(hexOf((value as LogStreamState).secret), hexOf(this.#secret))
  }

  async #terminateStream(step: Step & { op: 'terminate_stream' }, model: CoordinatorModel): Promise<void> {
    const { id, terminal_index, peculiar } = step.request
    expectKeys(step.request, 'id', 'terminal_index', 'peculiar')
    const { secret } = this.#peculiar(peculiar)
    const { code } = await outcomeOf(() =>
      this.#coordinator.terminateStream({ ...this.#stream(id), secret, terminalIndex: terminal_index }),
    )
    expectSameEnd(code, model.terminateStream(id, terminal_index, step.error))
  }

  async #loadStream(step: Step & { op: 'load_stream' }, model: CoordinatorModel): Promise<void> {
    const { request, response, error } = step
    expectKeys(request, 'id')
    const { value, code } = await outcomeOf(() => this.#coordinator.loadStream(this.#stream(request.id)))
    expectSameEnd(code, error)
    if (value === undefined || response === null) return
    expectKeys(response, 'state', 'archival_key_set', 'age_ms', 'descriptor_hex')
    const { record } = value
    const expected = model.stateOf(request.id)
    model.compareState(expected, response.state)
    // Ours gives no secret to whoever loads: there is none in a record.
    const { protoVersion: proto_version, terminalIndex: terminal_index, archivedMs, purgedMs } = record
    const flags = { archived: archivedMs !== null, purged: purgedMs !== null, has_secret: true }
    assert.deepEqual({ proto_version, terminal_index, ...flags }, expected)
    assert.equal(hexOf(record.descriptor), response.descriptor_hex)
    if (model.isSure) assert.equal(!flags.archived, response.archival_key_set)
    assert.equal(this.#clock.nowMs - (archivedMs ?? record.changedMs), response.age_ms)
  }

  /** As an archivist does it: dispatched, claimed, reported; and set aside where Go's reports an error. */
  async #archiveStream(step: Step & { op: 'archive_stream' }, model: CoordinatorModel): Promise<void> {
    const { id, terminal_index, log_entry_count, stream_url, index_url, error } = step.request
    expectKeys(
      step.request,
      ...['id', 'terminal_index', 'log_entry_count', 'stream_url', 'index_url', 'error'],
    )
    const stream = this.#stream(id)
    if (error !== '') {
      assert(!model.isSure)
      await this.#coordinator.quarantine({ ...stream, reason: error })
      assert.equal((await this.#coordinator.loadStream(stream)).record.phase, 'quarantined')
      return
    }
    const attempt = JSON.stringify(step.request)
    const { code } = await outcomeOf(async () => {
      const { revision, record } = await this.#coordinator.dispatchArchival(stream)
      const manifest = { ...manifestTo(terminal_index), entryCount: log_entry_count }
      await this.#coordinator.claim({ ...stream, revision, attempt, manifest, leaseMs: 1000 })
      // The result of the first stands: whoever comes later does not report.
      if (record.archive !== null && record.archive.attempt !== attempt) return
      const indexes = {
        terminalIndex: terminal_index,
        lastIndex: terminal_index,
        entryCount: log_entry_count,
      }
      const urls = { entriesUrl: stream_url, entriesBytes: 1, indexUrl: index_url, indexBytes: 1 }
      await this.#coordinator.archiveStream({ ...stream, attempt, ...indexes, ...urls })
    })
    expectSameEnd(code, model.archiveStream(id, terminal_index, step.error))
  }

  async #leaseTasks(step: Step & { op: 'lease_archive_tasks' }, model: CoordinatorModel): Promise<void> {
    const { max, lease_ms } = step.request
    expectKeys(step.request, 'max', 'lease_ms')
    await this.#coordinator.dispatchDue()
    const leases = await this.#coordinator.leaseArchiveTasks({ max, leaseMs: lease_ms })
    const archivals = leases.filter(({ task }) => task.reason === 'archive')
    this.#lastLease = archivals.at(-1) ?? this.#lastLease
    for (const task of step.response.tasks) {
      expectKeys(task, 'project', 'id', 'realm')
      assert.equal(task.project, this.#project)
    }
    const expected = step.response.tasks.map(({ id }) => id).filter((id) => !model.isArchived(id))
    if (model.isSure) assert.equal(expected.length, step.response.tasks.length)
    assert.deepEqual(archivals.map(({ task }) => task.id).sort(), [...expected].sort())
    for (const { task } of archivals) model.leased.add(task.id)
  }

  /** Go has a task of the registration and one of the termination. Ours has one time at which the sweep puts the one task. */
  async #lookAtTasks(step: Step & { op: 'look_at_task_queue' }, model: CoordinatorModel): Promise<void> {
    expectKeys(step.request)
    const due = await this.#store.query({ kind: 'stream', dueUntilMs: Infinity, limit: 1000 })
    const inMs = (document: StoredDocument): number => (document.dueMs as number) - step.at_ms
    const open = due.filter(({ id }) => !model.isArchived(id.split('/')[1] as string))
    assert.equal(open.length, model.openStreams)
    const goInMs = step.response.tasks.map((task) => {
      expectKeys(task, 'due_in_ms')
      return task.due_in_ms
    })
    if (model.leased.size > 0) {
      // Acknowledged, and yet not archived: the sweep looks for its task within the time of a lease, Go after 48 h.
      assert(!model.isSure)
      for (const document of open) assert(inMs(document) <= 10 * 60 * 1000)
      return
    }
    assert.deepEqual(open.slice(0, 1).map(inMs), goInMs.length === 0 ? [] : [Math.min(...goInMs)])
    const ours = [
      ...open.map(inMs),
      ...model.registeredMs.map((atMs) => atMs + REGISTRATION_TASK_MS - step.at_ms),
    ]
    for (const goMs of goInMs) assert(ours.includes(goMs), `a task of Go's is due in ${goMs}`)
    for (const document of open) assert(goInMs.includes(inMs(document)))
  }

  #stream(id: string): { project: string; id: string } {
    return { project: this.#project, id }
  }

  #peculiar(peculiar: string): { secret: Uint8Array; protoVersion: string } {
    const plain = { secret: this.#secret, protoVersion: '1' }
    switch (peculiar) {
      case '':
      case 'bad descriptor bytes': // which the request has
        return plain
      case 'wrong secret':
        return { ...plain, secret: this.#secret.map((byte, i) => (i === 35 ? byte ^ 1 : byte)) }
      case 'short secret':
        return { ...plain, secret: this.#secret.subarray(0, 35) }
      case 'no secret':
        return { ...plain, secret: new Uint8Array() }
      case 'version 2':
        return { ...plain, protoVersion: '2' }
      case 'no version':
        return { ...plain, protoVersion: '' }
      default:
        return assert.fail(`an unknown peculiarity ${peculiar}`)
    }
  }
}

async function outcomeOf<T>(call: () => Promise<T>): Promise<{ value?: T; code?: string }> {
  try {
    return { value: await call() }
  } catch (error) {
    if (!RecoveryLogError.is(error)) throw error
    return { code: error.code }
  }
}

function expectSameEnd(code: string | undefined, expected: GoError | null): void {
  if (expected === null) {
    assert.equal(code, undefined)
    return
  }
  const codes = CODES[expected.code] as readonly string[] | undefined
  assert(codes !== undefined, `an unknown code ${expected.code}`)
  assert(codes.includes(code ?? 'no error'), `${code ?? 'no error'} where Go says ${expected.code}`)
}

function goStateOf(state: LogStreamState): GoState {
  const { protoVersion, terminalIndex, archived, purged, secret } = state
  return {
    proto_version: protoVersion,
    terminal_index: terminalIndex,
    archived,
    purged,
    has_secret: secret.length > 0,
  }
}
