/** Durable directories with the system's parts filled in, so that paths do for a journal and for a hints store. */
import * as nodeFs from 'node:fs'
import { resolve } from 'node:path'
import {
  DurableDirectory as PureDirectory,
  FileHintsStore,
  type CopyOptions as PureCopyOptions,
  type DirectoryCopy,
  type DirectoryParts,
  type FollowOptions as PureFollowOptions,
  type HintsStore,
  type OpenOptions as PureOpenOptions,
  type PlanOptions as PurePlanOptions,
  type PruneOptions as PurePruneOptions,
  type PruneReport,
  type RecoverOptions as PureRecoverOptions,
  type RecoveryPlan,
  type Standby,
  type VerifyReport,
} from '../directory/index.ts'
import { FileJournal, systemClock } from '../journal/file/index.ts'
import type { Journal } from '../journal/index.ts'
import { systemProcessIdentity } from './system-process-identity.ts'
import { systemRandom } from './system-random.ts'

/** A journal and a hints store, or the folders of a file journal and of a file hints store. */
export interface DirectorySource {
  readonly journal: Journal | string
  readonly hints: HintsStore | string
}

/** As those of the pure library, with the parts optional and paths where a back end is asked for. */
type WithPaths<Options> = Omit<Options, keyof DirectorySource | keyof DirectoryParts> &
  DirectorySource &
  Partial<DirectoryParts>

export type OpenOptions = WithPaths<PureOpenOptions>
export type FollowOptions = WithPaths<PureFollowOptions>
export type RecoverOptions = WithPaths<PureRecoverOptions>
export type VerifyOptions = WithPaths<PureCopyOptions>
export type PlanOptions = Omit<PurePlanOptions, keyof DirectorySource> & DirectorySource
export type PruneOptions = Omit<PurePruneOptions, 'hints' | 'clock' | 'journals'> &
  DirectorySource &
  Partial<Pick<PurePruneOptions, 'clock' | 'journals'>>

/** A directory that survives its machine; see `DurableDirectory` of the pure library. */
export type DurableDirectory = PureDirectory

/**
 * @example
 * ```ts
 * await using state = await DurableDirectory.open({ dir: 'state', journal: 'log', hints: 'hints' })
 * state.fs.writeFileSync('/orders.db', bytes)
 * await state.sync()
 * ```
 */
export const DurableDirectory = {
  /** Recovers the directory or begins it, and owns it: the owner before is fenced. */
  async open(options: OpenOptions): Promise<PureDirectory> {
    const filled = await fill(options)
    return closeOnFailure(filled.closeWith, () =>
      PureDirectory.open({ ...filled, dir: resolve(options.dir) }),
    )
  },

  /** A standby: plays and tails the log beside `dir`, and leaves the tree of `dir` untouched until `promote`. */
  async follow(options: FollowOptions): Promise<Standby<PureDirectory>> {
    const filled = await fill(options)
    return closeOnFailure(filled.closeWith, () =>
      PureDirectory.follow({ ...filled, dir: resolve(options.dir) }),
    )
  },

  /** A copy in another place, as of the head or of a point in time. Owns nothing and appends nothing. */
  recover(options: RecoverOptions): Promise<DirectoryCopy> {
    return withParts(options, (filled) => PureDirectory.recover({ ...filled, dir: resolve(options.dir) }))
  },

  /** What a recovery would read, without reading it. */
  plan(options: PlanOptions): Promise<RecoveryPlan> {
    return withParts(options, (filled) => PureDirectory.plan(filled))
  },

  /** Plays without writing; throws what a recovery would throw. */
  verify(options: VerifyOptions): Promise<VerifyReport> {
    return withParts(options, (filled) => PureDirectory.verify(filled))
  },

  /** Frees what no stored hints and no reader need, or says what it would free. */
  prune(options: PruneOptions): Promise<PruneReport> {
    return withParts(options, (filled) => {
      const { journal, journals } = filled
      return PureDirectory.prune({
        ...filled,
        journals: (name) => (name === journal.name ? journal : journals?.(name)),
      })
    })
  },
} as const

type Filled<Options> = Omit<Options, keyof DirectorySource> & {
  readonly journal: Journal
  readonly hints: HintsStore
  readonly closeWith: readonly { close(): Promise<void> }[]
} & DirectoryParts

/** What is opened here belongs to the directory, and is closed with it. What was handed in is not. */
async function fill<Options extends DirectorySource>(options: Options): Promise<Filled<Options>> {
  const { hints, journal } = options
  const ownStore =
    typeof hints === 'string'
      ? new FileHintsStore({ dir: resolve(hints), fs: nodeFs, random: systemRandom })
      : undefined
  const ownJournal =
    typeof journal === 'string' ? await FileJournal.open({ dir: resolve(journal) }) : undefined
  return {
    fs: nodeFs,
    clock: systemClock,
    random: systemRandom,
    identity: systemProcessIdentity,
    ...options,
    hints: ownStore ?? (hints as HintsStore),
    journal: ownJournal ?? (journal as Journal),
    closeWith: [ownStore, ownJournal].filter((part) => part !== undefined),
  }
}

async function withParts<Options extends DirectorySource, T>(
  options: Options,
  body: (filled: Filled<Options>) => Promise<T>,
): Promise<T> {
  const filled = await fill(options)
  try {
    return await body(filled)
  } finally {
    for (const part of filled.closeWith) await part.close()
  }
}

async function closeOnFailure<T>(
  parts: readonly { close(): Promise<void> }[],
  body: () => Promise<T>,
): Promise<T> {
  try {
    return await body()
  } catch (error) {
    for (const part of parts) await part.close()
    throw error
  }
}
