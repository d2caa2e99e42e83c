import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  callFaults,
  deliveries,
  descriptors,
  interleavings,
  sentBundles,
  streamNames,
  writtenStreams,
} from '../../src/arbitraries/index.ts'
import { MemoryBlobStore } from '../../src/blob/memory/index.ts'
import { assertDescriptor, assertEntry, streamNameFault } from '../../src/names/index.ts'
import { systemDeflate, systemInflate } from '../../src/node/system-zlib.ts'
import { callFaultsAt, faultyBlobStore } from '../../src/testing/index.ts'
import {
  decodeDescriptor,
  decodeLogEntry,
  encodeDescriptor,
  packBundle,
  StreamType,
  unpackBundle,
} from '../../src/wire/logdog/index.ts'
import { archiveOf } from '../archive/archive-fixture.ts'

const SEED = Number(process.env['SEED'] ?? Date.now() % 2 ** 31)
const settings = { seed: SEED, numRuns: 100 }

function sample<T>(arbitrary: fc.Arbitrary<T>, numRuns = 200): T[] {
  return fc.sample(arbitrary, { seed: SEED, numRuns })
}

describe(`arbitraries of the log archive (SEED=${SEED})`, () => {
  it('names and descriptors are valid, and come back as they were', () => {
    fc.assert(
      fc.property(streamNames(), descriptors(), (name, descriptor) => {
        expect(streamNameFault(name, 'name')).toBeUndefined()
        assertDescriptor(descriptor)
        expect(decodeDescriptor(encodeDescriptor(descriptor))).toMatchObject(descriptor)
      }),
      settings,
    )
    expect(sample(streamNames()).some((name) => name.includes('/'))).toBe(true)
    const chosen = sample(descriptors({ prefix: 'a/b', streamType: StreamType.binary }))
    expect(chosen.every(({ prefix, streamType }) => prefix === 'a/b' && streamType === 1)).toBe(true)
    expect(new Set(sample(descriptors()).map(({ streamType }) => streamType)).size).toBe(3)
  })

  it('streams that were written: each entry is valid, and all are archived as they are', async () => {
    await fc.assert(
      fc.asyncProperty(writtenStreams(), async ({ descriptor, entries, terminalIndex }) => {
        for (const entry of entries) assertEntry(entry, descriptor.streamType)
        const options = { descriptor: encodeDescriptor(descriptor), terminalIndex }
        const { manifest } = await archiveOf(entries, options)
        expect(manifest).toMatchObject({ entryCount: entries.length, raisedCount: 0, missingCount: 0 })
        expect(manifest.complete).toBe(terminalIndex >= 0)
        expect(manifest.dropped.indexes).toBe(0)
      }),
      { ...settings, numRuns: 40 },
    )
    const gapped = sample(writtenStreams({ gaps: true }))
    expect(gapped.some(({ entries }) => entries.some((entry, i) => entry.streamIndex !== i))).toBe(true)
    expect(gapped.some(({ terminalIndex }) => terminalIndex < 0)).toBe(true)
  })

  it('bundles hold every entry of their streams once, in order, and the ends', () => {
    const parts = { project: 'proj', prefix: 'a/b', secret: new Uint8Array(36) }
    fc.assert(
      fc.property(sentBundles(parts), ({ streams, bundles }) => {
        const found = new Map(streams.map(({ descriptor }) => [descriptor.name, [] as number[]]))
        const ends = new Map<string, number>()
        for (const sent of bundles) {
          const { bundle } = unpackBundle(packBundle(sent, { deflate: systemDeflate }), {
            inflate: systemInflate,
          })
          for (const { desc, logs, terminal, terminalIndex } of bundle?.entries ?? []) {
            const name = desc?.name ?? ''
            found.get(name)?.push(...logs.map((log) => decodeLogEntry(log).streamIndex))
            if (terminal) ends.set(name, terminalIndex)
          }
        }
        for (const { descriptor, entries, terminalIndex } of streams) {
          expect(found.get(descriptor.name)).toEqual(entries.map(({ streamIndex }) => streamIndex))
          expect(ends.get(descriptor.name) ?? -1).toBe(terminalIndex)
        }
      }),
      settings,
    )
    expect(sample(sentBundles(parts)).some(({ bundles }) => bundles.length > 2)).toBe(true)
  })

  it('deliveries: each message at least once, in any order, or not at all where they may be lost', () => {
    const all = sample(deliveries({ messages: 5 }))
    expect(all.every((numbers) => new Set(numbers).size === 5)).toBe(true)
    expect(all.some((numbers) => numbers.length > 5)).toBe(true)
    expect(all.some((numbers) => numbers.some((number, i) => number < (numbers[i - 1] ?? 0)))).toBe(true)
    const lossy = sample(deliveries({ messages: 5, withLost: true }))
    expect(lossy.some((numbers) => new Set(numbers).size < 5)).toBe(true)
  })

  it('interleavings: as many steps as asked for, of all parts', () => {
    const steps = sample(interleavings({ parts: 3, steps: 40 }), 20)
    expect(steps.every(({ length }) => length === 40)).toBe(true)
    expect(new Set(steps.flat())).toEqual(new Set([0, 1, 2]))
    expect(sample(interleavings({ parts: 1 }), 1)[0]).toHaveLength(200)
  })

  it('faults of calls: before, after and slow ones, for a store to meet', async () => {
    const found = sample(callFaults({ calls: 3 })).flatMap((faults) => [...faults])
    expect(new Set(found.map(([index]) => index))).toEqual(new Set([0, 1, 2]))
    expect(new Set(found.map(([, { fails }]) => fails))).toEqual(new Set(['before', 'after', undefined]))
    expect(found.some(([, { before }]) => before !== undefined)).toBe(true)
    expect(found.some(([, { after }]) => after !== undefined)).toBe(true)
    for (const faults of sample(callFaults({ calls: 1, faultsMax: 1 }))) {
      const blobs = faultyBlobStore(new MemoryBlobStore(), callFaultsAt(faults))
      const put = blobs.put('a', Uint8Array.of(1)).then(
        () => undefined,
        (error: unknown) => (error as { code: string }).code,
      )
      expect(await put).toBe(faults.get(0)?.fails === undefined ? undefined : 'UNAVAILABLE')
    }
  })
})
