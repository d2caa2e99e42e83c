/**
 * The logs that hints name, and their write heads (recovery-log spec, section 7.2).
 */
import { RecoveryLogError } from '../errors/index.ts'
import { raceAbort } from '../async/index.ts'
import type { Head, Journal } from '../journal/index.ts'
import type { Segment } from '../wire/index.ts'
import type { Journals, LogEnd } from './play-options.ts'

const NO_BYTES = new Uint8Array(0)

/** A log, and through where it is to be read. */
export interface NamedLog {
  readonly journal: Journal
  head: Head
}

/** How heads are learned: a zero-byte append is told after all others, and needs the right to append. */
export type HeadBy = 'head' | 'empty append'

export interface LogNames {
  readonly segments: readonly Segment[]
  /** The log that is played to its head. */
  readonly lastLog: string
}

/** Throws `NOT_FOUND` for a log without a journal, and what the journals throw. */
export async function readHeads(
  names: LogNames,
  journals: Journals,
  by: HeadBy,
  signal: AbortSignal | undefined,
): Promise<Map<string, NamedLog>> {
  const logs = [...new Set([names.lastLog, ...names.segments.map((segment) => segment.log)])]
  const found = await Promise.all(
    logs.map(async (log): Promise<[string, NamedLog]> => {
      const journal = await raceAbort(Promise.resolve(resolve(journals, log)), signal)
      if (journal === undefined) {
        throw new RecoveryLogError('NOT_FOUND', `no journal is known for ${log}`, { log })
      }
      return [log, { journal, head: await readHead(journal, by, signal) }]
    }),
  )
  return new Map(found)
}

export async function readHead(journal: Journal, by: HeadBy, signal: AbortSignal | undefined): Promise<Head> {
  const options = signal === undefined ? {} : { signal }
  if (by === 'head') return await raceAbort(journal.head(options), signal)
  const commit = await raceAbort(journal.append({ content: NO_BYTES, ...options }), signal)
  return { offset: commit.end, registers: commit.registers }
}

function resolve(journals: Journals, log: string): ReturnType<Extract<Journals, (name: string) => unknown>> {
  if (typeof journals === 'function') return journals(log)
  if (journals instanceof Map) return (journals as ReadonlyMap<string, Journal>).get(log)
  return Object.hasOwn(journals, log) ? (journals as Readonly<Record<string, Journal>>)[log] : undefined
}

/** Throws `DATA_LOSS` for a hinted segment that begins at its log's head, or that ends past it. */
export function checkHeads(segments: readonly Segment[], logs: ReadonlyMap<string, NamedLog>): void {
  for (const segment of segments) {
    const head = (logs.get(segment.log) as NamedLog).head.offset
    if (segment.firstOffset < head && segment.lastOffset <= head) continue
    throw new RecoveryLogError('DATA_LOSS', `${segment.log} ends at ${head}, before what the hints name`, {
      log: segment.log,
      head,
      segment,
    })
  }
}

/**
 * Throws `DATA_LOSS` when the point lies past the head: nothing that was acknowledged can; `INVALID` when it lies in
 * another log than the one that the hints are played in, or before what they name.
 */
export function checkPoint(point: LogEnd, names: LogNames, logs: ReadonlyMap<string, NamedLog>): void {
  const { log, end } = point
  const head = (logs.get(names.lastLog) as NamedLog).head.offset
  if (log !== names.lastLog) {
    throw new RecoveryLogError('INVALID', `the hints are played in ${names.lastLog}, not in ${log}`, {
      log,
      end,
    })
  }
  if (end > head) {
    throw new RecoveryLogError('DATA_LOSS', `${log} ends at ${head}, before the point asked for`, {
      log,
      head,
      end,
    })
  }
  const segment = names.segments.find(
    (segment) => segment.log === log && (segment.firstOffset >= end || segment.lastOffset > end),
  )
  if (segment !== undefined) {
    throw new RecoveryLogError('INVALID', 'the hints name operations behind the point asked for', {
      log,
      end,
      segment,
    })
  }
}
