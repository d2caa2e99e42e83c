/** The collector's cases of `bundles.json`: messages one after another, through a coordinator double and storage in memory. */
import assert from 'node:assert/strict'
import { Collector } from '../../src/collector/index.ts'
import type { CollectReport } from '../../src/collector/index.ts'
import { CoordinatorCache } from '../../src/coordinator-cache/index.ts'
import type {
  LogStreamState,
  RegisterStreamRequest,
  StreamRegistrar,
  TerminateStreamRequest,
} from '../../src/coordinator/index.ts'
import { RecoveryLogError } from '../../src/errors/index.ts'
import { joinStreamPath, streamId } from '../../src/names/index.ts'
import { MemoryStorage } from '../../src/storage/index.ts'
import type { PutOutcome, StoragePut } from '../../src/storage/index.ts'
import { decodeDescriptor, unpackBundle } from '../../src/wire/logdog/index.ts'
import { expectKeys, fromHex, hexOf, inflate, sha256, typedError } from './archive-cases.ts'
import type { BundleFields } from './archive-cases.ts'
import type { BundleCase, BundleKind } from './bundles.ts'

interface RegisterFields {
  readonly project: string
  readonly path: string
  readonly secret_hex: string
  readonly proto_version: string
  readonly terminal_index: number
  readonly descriptor_hex: string
}

interface TerminateFields {
  readonly project: string
  readonly path: string
  readonly id: string
  readonly terminal_index: number
  readonly secret_hex: string
}

interface PutFields {
  readonly project: string
  readonly path: string
  readonly index: number | string
  readonly values_hex: readonly string[]
}

interface Step {
  readonly before?: string
  readonly bundle?: BundleFields | null
  readonly message_hex: string
  readonly errors: readonly string[]
  readonly transient: boolean
  readonly acknowledged: boolean
  readonly register_calls: readonly RegisterFields[]
  readonly storage_puts: readonly PutFields[]
  readonly terminate_calls: readonly TerminateFields[]
}

interface RegisteredFields {
  readonly project: string
  readonly path: string
  readonly terminal_index: number
  readonly archived: boolean
  readonly purged: boolean
}

interface CollectCase extends BundleCase {
  readonly given?: Readonly<Record<string, string>>
  readonly with_cache?: boolean
  readonly steps: readonly Step[]
  readonly stored_at_end?: readonly {
    readonly project: string
    readonly path: string
    readonly stream_indices: readonly (readonly [number, number])[]
  }[]
  readonly registered_at_end: readonly RegisteredFields[]
}

/** What stands for each fault of the double. */
const FAULTS: Readonly<Partial<Record<string, () => Error>>> = {
  transient: () => new RecoveryLogError('UNAVAILABLE', 'transient fault'),
  permanent: () => new RecoveryLogError('INVALID', 'permanent fault'),
  'context cancelled': () => new RecoveryLogError('ABORTED', 'context cancelled'),
  'deadline exceeded': () => new RecoveryLogError('UNAVAILABLE', 'deadline exceeded'),
}

const FIRST_ONLY = ', first message only'
/** Reported by us, and passed over in silence by Go: a wrong secret, what came too late, what was purged. */
const SILENT = ['DENIED', 'LATE', 'PURGED']

/** What Go's coordinator double does, and what it was asked. */
class Double implements StreamRegistrar {
  readonly given: Readonly<Record<string, string>>
  readonly states = new Map<string, LogStreamState>()
  registerCalls: RegisterFields[] = []
  terminateCalls: TerminateFields[] = []
  isFirst = true

  constructor(given: Readonly<Record<string, string>>) {
    this.given = given
  }

  async registerStream(request: RegisterStreamRequest): Promise<LogStreamState> {
    const { project, secret, descriptor, terminalIndex = -1, protoVersion = '1' } = request
    const { prefix, name } = decodeDescriptor(descriptor)
    const path = joinStreamPath(prefix, name)
    this.registerCalls.push({
      project,
      path,
      secret_hex: hexOf(secret),
      proto_version: protoVersion,
      terminal_index: terminalIndex,
      descriptor_hex: hexOf(descriptor),
    })
    this.#fail(this.given['register'])
    this.#fail(this.given[`register_of_${name}`])
    const known = this.states.get(path)
    if (known !== undefined) return known
    const before = this.given['registered_before']
    const state = {
      project,
      path,
      id: streamId(path, sha256),
      protoVersion,
      secret: before === undefined ? secret.slice() : fromHex(SECRET),
      terminalIndex: before === undefined ? terminalIndex : -1,
      archived: before === 'archived',
      purged: before === 'purged',
    }
    this.states.set(path, state)
    return state
  }

  async terminateStream({ project, id, secret, terminalIndex }: TerminateStreamRequest): Promise<void> {
    const state = [...this.states.values()].find((each) => each.id === id)
    assert(state !== undefined, 'a stream that is not registered is terminated')
    const call = { project, path: state.path, id, terminal_index: terminalIndex, secret_hex: hexOf(secret) }
    this.terminateCalls.push(call)
    this.#fail(this.given['terminate'])
    if (state.terminalIndex >= 0 && state.terminalIndex !== terminalIndex) {
      throw new RecoveryLogError('CONFLICT', 'incompatible terminal indexes')
    }
    this.states.set(state.path, { ...state, terminalIndex })
  }

  #fail(fault: string | undefined): void {
    if (fault === undefined || (fault.endsWith(FIRST_ONLY) && !this.isFirst)) return
    throw faultNamed(fault.replace(FIRST_ONLY, ''))
  }
}

/** Storage in memory that remembers what was put. */
class Storage extends MemoryStorage {
  readonly fault: string | undefined
  puts: PutFields[] = []

  constructor(fault: string | undefined) {
    super()
    this.fault = fault
  }

  override async put(put: StoragePut): Promise<PutOutcome> {
    const values = put.entries.map(hexOf)
    this.puts.push({ ...put.stream, index: put.from, values_hex: values })
    if (this.fault === 'exists') return { stored: 0, existing: put.entries.length }
    if (this.fault !== undefined) throw faultNamed(this.fault)
    return super.put(put)
  }
}

/** The secret of all cases but those that are about another one. */
const SECRET = Array.from({ length: 36 }, (_, i) => (i + 1).toString(16).padStart(2, '0')).join('')

export const collectKinds: Readonly<Record<'collect' | 'collect_crash', BundleKind>> = {
  collect: {
    keys: ['given', 'with_cache', 'steps', 'stored_at_end', 'registered_at_end'],
    rule: ({ doubtful }) => (doubtful === undefined ? 'equal to Go' : 'doubtful'),
    async check(vector) {
      await checkCollect(vector as CollectCase)
    },
  },
  collect_crash: {
    keys: ['bundle', 'message_hex', 'go'],
    rule: () => 'doubtful',
    async check({ message_hex }) {
      const storage = new Storage(undefined)
      const coordinator = new Double({})
      const collector = new Collector({ coordinator, storage, inflate })
      const { faults, stored } = await collector.collect(fromHex(message_hex as string))
      assert.deepEqual(
        [faults.map(({ code }) => code), stored, coordinator.registerCalls],
        [['BUNDLE_INVALID'], 0, []],
      )
    },
  },
}

/** What is right where Go is not: by what the case is about. */
type Doubt = 'big index' | 'big terminal index' | 'exists' | 'deadline' | 'cached terminal index'

function doubtOf({ doubtful, given = {}, with_cache = false, steps }: CollectCase): Doubt | undefined {
  if (doubtful === undefined) return undefined
  const entries = steps.flatMap(({ bundle }) => bundle?.entries ?? [])
  if (entries.some(({ terminal_index }) => typeof terminal_index === 'string')) return 'big terminal index'
  if (entries.some(({ logs }) => logs.some(({ stream_index }) => typeof stream_index === 'string'))) {
    return 'big index'
  }
  if (given['register'] === 'deadline exceeded') return 'deadline'
  return with_cache ? 'cached terminal index' : 'exists'
}

async function checkCollect(vector: CollectCase): Promise<void> {
  const { given = {}, steps } = vector
  const faults = /^(register(_of_(bar|good)|ed_before)?|terminate|put)$/
  for (const fault of Object.keys(given)) assert(faults.test(fault))
  const doubt = doubtOf(vector)
  const coordinator = new Double(given)
  const storage = new Storage(given['put'])
  const registrar =
    vector.with_cache === true ? new CoordinatorCache({ coordinator, clock: { now: () => 0 } }) : coordinator
  const collector = new Collector({ coordinator: registrar, storage, inflate })
  for (const [i, step] of steps.entries()) {
    expectKeys(
      step,
      ...['before', 'bundle', 'message_hex', 'errors', 'transient', 'acknowledged'],
      ...['register_calls', 'storage_puts', 'terminate_calls'],
    )
    assert(step.before === undefined || step.before === 'the fault is gone')
    coordinator.isFirst = i === 0
    coordinator.registerCalls = []
    coordinator.terminateCalls = []
    storage.puts = []
    const end = await endOf(collector, fromHex(step.message_hex))
    if (doubt === 'big index' || doubt === 'big terminal index') {
      // Go takes it, or takes it for another number: it is bad data.
      assert.deepEqual(
        [end.acknowledged, end.faults.length, coordinator.registerCalls, storage.puts],
        [true, 1, [], []],
      )
      continue
    }
    checkStep(step, end, doubt, i)
    assert.deepEqual(sorted(coordinator.registerCalls), step.register_calls)
    assert.deepEqual(sorted(storage.puts), step.storage_puts)
    const terminates = doubt === 'cached terminal index' ? expectedTerminates(steps, i) : step.terminate_calls
    assert.deepEqual(sorted(coordinator.terminateCalls), terminates)
  }
  await checkEnd(vector, doubt, coordinator, storage)
}

interface End {
  readonly acknowledged: boolean
  readonly faults: readonly unknown[]
}

/** A message that is done with is acknowledged; one that must come again is not. */
async function endOf(collector: Collector, message: Uint8Array): Promise<End> {
  let report: CollectReport | undefined
  const error = await typedError(async () => {
    report = await collector.collect(message)
    throw new RecoveryLogError('INVALID', 'collected')
  })
  if (report !== undefined) return { acknowledged: true, faults: report.faults }
  assert.equal(error.code, 'UNAVAILABLE')
  return { acknowledged: false, faults: error.data['faults'] as readonly unknown[] }
}

function checkStep(step: Step, { acknowledged, faults }: End, doubt: Doubt | undefined, index: number): void {
  assert.equal(step.transient, !step.acknowledged)
  assert.equal(acknowledged, doubt === 'deadline' ? false : step.acknowledged)
  const loud = faults.filter((fault) => !(fault instanceof RecoveryLogError && SILENT.includes(fault.code)))
  if (!isBundle(step)) {
    // Go drops in silence what cannot be unpacked; ours says so.
    assert.equal(loud.length, 1)
    assert(loud[0] instanceof RecoveryLogError && ['invalid', 'corrupt'].includes(loud[0].kind))
  } else if (doubt === 'cached terminal index' && index > 0) {
    assert.deepEqual(
      loud.map((fault) => (fault as RecoveryLogError).code),
      ['CONFLICT'],
    )
  } else {
    assert.equal(loud.length, step.errors.length, `faults: ${loud.map(String).join('; ')}`)
  }
}

/** Whether a message is a bundle that we can read. */
function isBundle({ message_hex }: Step): boolean {
  try {
    return unpackBundle(fromHex(message_hex), { inflate }).bundle !== undefined
  } catch {
    return false // which is what is asked
  }
}

/** Another index than the known one goes through the cache; the same one does not. */
function expectedTerminates(steps: readonly Step[], index: number): TerminateFields[] {
  const known = new Map<string, number>()
  const calls: TerminateFields[] = []
  for (const [i, { bundle }] of steps.slice(0, index + 1).entries()) {
    for (const { desc, terminal, terminal_index } of bundle?.entries ?? []) {
      const path = joinStreamPath(bundle?.prefix ?? '', desc?.name ?? '')
      const isKnown = known.get(path) === terminal_index
      if (!known.has(path) && terminal) known.set(path, terminal_index)
      else if (terminal && !isKnown && i === index) {
        const { project = '', secret = '' } = bundle ?? {}
        calls.push({ project, path, id: streamId(path, sha256), terminal_index, secret_hex: secret })
      }
    }
  }
  return calls
}

async function checkEnd(
  { steps, stored_at_end, registered_at_end }: CollectCase,
  doubt: Doubt | undefined,
  coordinator: Double,
  storage: Storage,
): Promise<void> {
  const isBig = doubt === 'big index' || doubt === 'big terminal index'
  const registered = [...coordinator.states.values()].map(
    ({ project, path, terminalIndex, archived, purged }) => ({
      project,
      path,
      terminal_index: terminalIndex,
      archived,
      purged,
    }),
  )
  assert.deepEqual(sorted(registered), isBig ? [] : registered_at_end)
  const expected =
    doubt === 'exists'
      ? unionOfPuts(steps)
      : isBig
        ? []
        : (stored_at_end ?? []).filter(({ stream_indices }) => stream_indices.length > 0)
  const stored = []
  const streams = [...(stored_at_end ?? []), ...registered].map(({ project, path }) => ({ project, path }))
  for (const stream of new Map(streams.map((each) => [each.path, each])).values()) {
    const ranges: [number, number][] = []
    for await (const batch of storage.get({ stream })) {
      for (const { index } of batch) {
        const last = ranges[ranges.length - 1]
        if (last?.[1] === index - 1) last[1] = index
        else ranges.push([index, index])
      }
    }
    if (ranges.length > 0) stored.push({ ...stream, stream_indices: ranges })
  }
  assert.deepEqual(sorted(stored), expected)
}

/** What is stored when the rest is stored beside what exists. */
function unionOfPuts(steps: readonly Step[]): object[] {
  const puts = steps.flatMap(({ storage_puts }) => storage_puts)
  assert(new Set(puts.map(({ path }) => path)).size === 1)
  const { project, path } = puts[0] as PutFields
  const first = Math.min(...puts.map(({ index }) => Number(index)))
  const last = Math.max(...puts.map(({ index, values_hex }) => Number(index) + values_hex.length - 1))
  return [{ project, path, stream_indices: [[first, last]] }]
}

function faultNamed(name: string): Error {
  const fault = FAULTS[name]
  assert(fault !== undefined, `an unknown fault ${name}`)
  return fault()
}

/** Calls of parallel work have no order: they are sorted as the vectors' are. */
function sorted<T extends { readonly path: string }>(calls: readonly T[]): T[] {
  return [...calls].sort((a, b) => (a.path < b.path ? -1 : a.path > b.path ? 1 : 0))
}
