import { createHash } from 'node:crypto'
import type { ArchiveManifest } from '../../src/archive/index.ts'
import { Coordinator } from '../../src/coordinator/index.ts'
import type {
  CoordinatorParts,
  LogStreamState,
  OwnSettings,
  StreamStore,
  TaskQueue,
} from '../../src/coordinator/index.ts'
import { MemoryStreamStore, MemoryTaskQueue } from '../../src/coordinator/memory/index.ts'
import type { Sha256Factory } from '../../src/parts/index.ts'
import { encodeDescriptor, StreamType } from '../../src/wire/logdog/index.ts'

/** A coordinator with a clock that the test moves, and the few calls that most tests begin with. */

export const START_MS = 1_700_000_000_000
export const MINUTE_MS = 60_000
export const HOUR_MS = 60 * MINUTE_MS
export const DAY_MS = 24 * HOUR_MS

export const sha256: Sha256Factory = () => {
  const hash = createHash('sha256')
  return { update: (bytes) => void hash.update(bytes), digest: () => new Uint8Array(hash.digest()) }
}

/** Different bytes each time, and the same in each run. */
export function countingRandom(): (count: number) => Uint8Array {
  let seed = 0
  return (count) => new Uint8Array(count).map((_, i) => (seed++ * 31 + i * 7) & 255)
}

export interface World {
  readonly clock: { nowMs: number; now(): number }
  readonly streamStore: StreamStore
  readonly taskQueue: TaskQueue
  readonly parts: CoordinatorParts
  readonly coordinator: Coordinator
}

export function makeWorld(
  options: { settings?: OwnSettings; streamStore?: StreamStore; taskQueue?: TaskQueue } = {},
): World {
  const clock = {
    nowMs: START_MS,
    now(): number {
      return this.nowMs
    },
  }
  const { settings = {}, streamStore = new MemoryStreamStore() } = options
  const taskQueue = options.taskQueue ?? new MemoryTaskQueue({ clock })
  const parts = { streamStore, taskQueue, clock, random: countingRandom(), sha256, settings }
  return { clock, streamStore, taskQueue, parts, coordinator: new Coordinator(parts) }
}

export const PROJECT = 'proj'
export const PREFIX = 'some/prefix'

export function descriptorOf(name: string, prefix = PREFIX): Uint8Array {
  return encodeDescriptor({
    prefix,
    name,
    streamType: StreamType.text,
    contentType: 'text/plain',
    timestamp: { seconds: 1_700_000_000, nanos: 0 },
    tags: new Map([['k', 'v']]),
    binaryFileExt: '',
  })
}

/** A registered prefix's secret. */
export async function prefixSecret({ coordinator }: World, prefix = PREFIX): Promise<Uint8Array> {
  return (await coordinator.registerPrefix({ project: PROJECT, prefix })).secret
}

/** A stream of a prefix that is registered for it. */
export async function makeStream(
  world: World,
  options: { name?: string; terminalIndex?: number; secret?: Uint8Array } = {},
): Promise<LogStreamState> {
  const { name = 'a', terminalIndex = -1 } = options
  const secret = options.secret ?? (await prefixSecret(world))
  const descriptor = descriptorOf(name)
  return world.coordinator.registerStream({ project: PROJECT, secret, descriptor, terminalIndex })
}

export function manifestTo(lastIndex: number, terminalIndex = -1): ArchiveManifest {
  const none = { listed: [], ranges: 0, indexes: 0 }
  return {
    library: 'test',
    files: { 'logstream.entries': { size: 1, sha256: '0'.repeat(64) } },
    entryCount: lastIndex + 1,
    lastIndex,
    terminalIndex,
    complete: terminalIndex >= 0,
    readCount: lastIndex + 1,
    gaps: none,
    missingCount: 0,
    dropped: none,
    damaged: none,
    beyondTerminalCount: 0,
    raisedCount: 0,
    truncated: null,
  }
}

export function reportOf(
  state: { project: string; id: string },
  attempt: string,
  lastIndex: number,
  terminalIndex = lastIndex,
): Parameters<Coordinator['archiveStream']>[0] {
  return {
    project: state.project,
    id: state.id,
    attempt,
    terminalIndex,
    lastIndex,
    entryCount: lastIndex + 1,
    entriesUrl: 'archive/entries',
    entriesBytes: 10,
    indexUrl: 'archive/index',
    indexBytes: 5,
  }
}
