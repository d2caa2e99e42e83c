import fc from 'fast-check'
import { HistoryWriter } from './history-writer.ts'
import type { RecordedOperation } from './history-writer.ts'
import { authors } from './numbers.ts'
import type { Change } from './operations.ts'
import { texts } from './texts.ts'

/** A log as it lies in its journal, from offset 0. */
export interface HistoryLog {
  readonly name: string
  readonly bytes: Uint8Array
}

/** What some recorders recorded, one after the other, and what is to be recovered from it. */
export interface History {
  /** In the order in which they were begun. The last one is played to its head. */
  readonly logs: readonly HistoryLog[]
  /** In the order in which they were recorded; in each log, that of its bytes. */
  readonly records: readonly RecordedOperation[]
  /** Path to content. */
  readonly files: ReadonlyMap<string, Uint8Array>
  readonly properties: ReadonlyMap<string, string>
}

export interface HistoryOptions {
  /** How many steps at most, of which each records up to five operations. Default 40. */
  readonly maxSteps?: number
  /** Whether owners follow each other, with forks by those who were replaced. Default true. */
  readonly withHandOffs?: boolean
  /** Whether writes carry the checksum of their content. Default: some histories do. */
  readonly withChecksums?: boolean
}

/** Few names, so that they meet. None is the folder of another one. */
const PATHS = ['/a', '/b', '/c', '/d/a', '/d/b', '/d/e/a']
const PROPERTIES = ['/IDENTITY', '/d/CURRENT']
const AUTHORS_MAX = 12

/**
 * Histories of one directory: files made, written, linked, renamed, replaced and removed, properties set, by several
 * authors who take over from each other in the same log or in a new one, while those before them go on for a while.
 */
export function histories(options: HistoryOptions = {}): fc.Arbitrary<History> {
  const { maxSteps = 40, withHandOffs = true, withChecksums } = options
  const step = withHandOffs ? fc.oneof(changes(), handOffs()) : changes()
  return fc
    .tuple(
      fc.uniqueArray(authors(), { minLength: AUTHORS_MAX, maxLength: AUTHORS_MAX }),
      withChecksums === undefined ? fc.boolean() : fc.constant(withChecksums),
      fc.array(step, { maxLength: maxSteps, size: 'max' }),
    )
    .map(([names, isChecked, steps]) => {
      const [author = 1, ...others] = names
      const writer = new HistoryWriter({ author, withChecksums: isChecked })
      for (const take of steps) take(writer, others)
      const { records, properties, files } = writer
      const logs = writer.logs.map((bytes, i) => ({ name: `history/log-${i}`, bytes }))
      return { logs, records, files, properties }
    })
}

/** One step, taken on what is there then. Authors who have not been in office yet are taken from `others`. */
type Step = (writer: HistoryWriter, others: number[]) => void

/** A step on a file that is there, chosen then; without one, a file is made. */
function onFile<T>(
  values: fc.Arbitrary<T>,
  step: (writer: HistoryWriter, path: string, value: T) => void,
): fc.Arbitrary<Step> {
  return fc.tuple(fc.nat(), values).map(([choice, value]) => (writer) => {
    const { paths } = writer
    const path = paths[choice % Math.max(1, paths.length)]
    if (path === undefined) writer.create(PATHS[choice % PATHS.length] as string)
    else step(writer, path, value)
  })
}

function changes(): fc.Arbitrary<Step> {
  const path = fc.constantFrom(...PATHS)
  const write = fc.tuple(fc.nat({ max: 30 }), fc.uint8Array({ maxLength: 20 }))
  const property = fc.tuple(fc.constantFrom(...PROPERTIES), texts({ maxLength: 5 }))
  return fc.oneof(
    {
      weight: 4,
      arbitrary: path.map(
        (to): Step =>
          (writer) =>
            writer.create(to),
      ),
    },
    { weight: 6, arbitrary: onFile(write, (writer, at, [offset, data]) => writer.write(at, offset, data)) },
    { weight: 2, arbitrary: onFile(path, (writer, at, to) => writer.link(at, to)) },
    { weight: 3, arbitrary: onFile(path, (writer, at, to) => writer.rename(at, to)) },
    { weight: 3, arbitrary: onFile(fc.constant(null), (writer, at) => writer.unlink(at)) },
    {
      weight: 1,
      arbitrary: property.map(
        ([at, content]): Step =>
          (writer) =>
            writer.setProperty(at, content),
      ),
    },
    { weight: 1, arbitrary: fc.constant<Step>((writer) => writer.noop()) },
    { weight: 2, arbitrary: fc.constant<Step>((writer) => writer.commit()) },
  )
}

function handOffs(): fc.Arbitrary<Step> {
  const change: fc.Arbitrary<Change> = fc.oneof(
    fc.record({ kind: fc.constant('create' as const), path: fc.constantFrom(...PATHS) }),
    fc.record({
      kind: fc.constant('unlink' as const),
      fnode: fc.nat({ max: 20 }),
      path: fc.constantFrom(...PATHS),
    }),
    fc.record({
      kind: fc.constant('write' as const),
      fnode: fc.nat({ max: 20 }),
      offset: fc.nat({ max: 30 }),
      length: fc.constant(0),
    }),
  )
  return fc.oneof(
    fc.boolean().map((toNewLog) => (writer: HistoryWriter, others: number[]) => {
      const author = others.pop()
      if (author !== undefined) writer.handOff(author, toNewLog)
    }),
    fc
      .tuple(fc.nat(), fc.array(change, { minLength: 1, maxLength: 4 }), fc.uint8Array({ maxLength: 8 }))
      .map(([choice, late, content]) => (writer: HistoryWriter) => {
        for (const one of late) writer.recordLate(choice, one, content)
      }),
    fc.nat({ max: 3 }).map((ago) => (writer: HistoryWriter, others: number[]) => {
      const author = others.pop()
      if (author !== undefined) writer.loseHandOff(author, ago)
    }),
  )
}
