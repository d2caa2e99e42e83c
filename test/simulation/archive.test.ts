/**
 * All of the archive half on one set of stores: writers whose bundles come late, in any order, twice or never; collectors,
 * archivists, sweeps and their coordinators, each a process of its own. The fault model:
 *
 * - a process dies at any step: of its calls the last one may have had its effect, no later one has, and no answer
 *   reaches it; another one takes its place
 * - a process stands still while time, leases and the others go on, and then goes on itself
 * - a call fails before anything is done, or after all of it, and the caller is not told which
 * - calls under way, of one process too, take effect and are answered in any order
 * - an archivist is told to leave in the middle of its work
 * - leases run out; time jumps by seconds or hours
 * - the transport loses bundles for good, delivers them again, also to another collector, and in another order
 * - a writer dies without terminating its stream; two lines are sent for one index
 * - a stream is purged at any time; values in storage are damaged; staged files rot on their disk; what is quarantined is
 *   released, with or without its damaged values, or left
 *
 * Stores keep their promises, and nobody changes what was archived behind everybody's back.
 *
 * The law: when nothing is due any more, each stream is archived once: complete, or with its gaps named; every entry that
 * was acknowledged is in the archive exactly once with its bytes, except behind the terminal index or the size limit, as the
 * manifest says; nothing is staged any more. Entries left intermediate storage only after the archive was read back and
 * reported, a reported archive never changes. Of a purged stream nothing is left. A quarantined one has kept its entries.
 */
import { describe, expect, it } from 'vitest'
import { ArchiveSimulation } from './archive/archive-simulation.ts'
import { faultsOfEnding } from './archive/ending.ts'

const FIRST_SEED = Number(process.env['RECOVERYLOG_SEED'] ?? 1)
const SEED_COUNT = Number(process.env['RECOVERYLOG_SEEDS'] ?? 12)
const SEEDS = Array.from({ length: SEED_COUNT }, (_, i) => FIRST_SEED + i)

describe('simulation: writers, collectors, archivists, sweeps and faults', () => {
  it.each(SEEDS)('each stream is archived once, with all that was acknowledged (seed %i)', async (seed) => {
    const simulation = new ArchiveSimulation(seed)
    await simulation.run()
    const faults = await faultsOfEnding(simulation)
    if (faults.length > 0) console.error(simulation.steps.trace.slice(-60).join('\n'))
    expect(faults).toEqual([])
  })

  it('the same seed leads to the same steps, another one to others', async () => {
    const traces: string[] = []
    for (const seed of [FIRST_SEED, FIRST_SEED, FIRST_SEED + 1]) {
      const simulation = new ArchiveSimulation(seed)
      await simulation.run()
      traces.push(simulation.steps.trace.join('\n'))
    }
    expect(traces[1]).toBe(traces[0])
    expect(traces[2]).not.toBe(traces[0])
  })
})
