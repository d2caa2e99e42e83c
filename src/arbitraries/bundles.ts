import fc from 'fast-check'
import { encodeLogEntry } from '../wire/logdog/index.ts'
import type { BundleEntry, ButlerLogBundle } from '../wire/logdog/index.ts'
import { writtenStreams } from './log-entries.ts'
import type { WrittenStream } from './log-entries.ts'

export interface BundlesOptions {
  readonly project: string
  readonly prefix: string
  /** 36 bytes: that of the prefix. */
  readonly secret: Uint8Array
  /** Default 3. */
  readonly streamsMax?: number
}

/** What the writers of one prefix send. */
export interface SentBundles {
  /** No two have the same name. */
  readonly streams: readonly WrittenStream[]
  /** Together all entries of all streams, and their ends, in the order in which a source sends them. */
  readonly bundles: readonly ButlerLogBundle[]
}

/**
 * Streams of one prefix, cut into bundles of valid entries: for `packBundle`. A transport may lose, repeat and reorder
 * them: see `deliveries`.
 */
export function sentBundles(options: BundlesOptions): fc.Arbitrary<SentBundles> {
  const { project, prefix, secret, streamsMax = 3 } = options
  const streams = fc.uniqueArray(writtenStreams({ prefix }), {
    selector: ({ descriptor }) => descriptor.name,
    maxLength: streamsMax,
  })
  const sizes = fc.array(fc.integer({ min: 1, max: 5 }), { minLength: 1, maxLength: 8 })
  return fc.tuple(streams, sizes).map(([written, tape]) => {
    const cuts = written.map((stream) => cut(stream, tape))
    const rounds = Math.max(0, ...cuts.map(({ length }) => length))
    const bundles = Array.from({ length: rounds }, (_, round) => ({
      ...{ deprecatedSource: '', project, prefix, secret },
      entries: cuts.flatMap((entries) => entries.slice(round, round + 1)),
    }))
    return { streams: written, bundles }
  })
}

/** The pieces of one stream, their sizes by turns. */
function cut({ descriptor, entries, terminalIndex }: WrittenStream, sizes: readonly number[]): BundleEntry[] {
  const pieces: BundleEntry[] = []
  for (let from = 0; from < entries.length;) {
    const to = Math.min(entries.length, from + (sizes[pieces.length % sizes.length] as number))
    const terminal = to === entries.length && terminalIndex >= 0
    pieces.push({
      desc: descriptor,
      deprecatedEntrySecret: new Uint8Array(),
      terminal,
      terminalIndex: terminal ? terminalIndex : 0,
      logs: entries.slice(from, to).map((entry) => encodeLogEntry(entry)),
    })
    from = to
  }
  return pieces
}
