/**
 * Owners, standbys and copies on one log, with faults. The fault model: a process dies at any step (its objects are
 * dropped, its lock's holder is dead); an append fails without landing, or lands and its answer is lost; the store of
 * hints fails; several owners believe to own the log at once; what no hints need is pruned at any time.
 *
 * The law: what a new owner, a standby or a copy finds is the tree as it was after some call of the history, and never an
 * older one than the last that was synced. An owner whose log was taken over reports nothing as synced any more.
 */
import { describe, expect, it } from 'vitest'
import type { DurableDirectory, Standby } from '../../src/directory/index.ts'
import { DurableDirectory as Directory } from '../../src/directory/index.ts'
import { RecoveryLogError } from '../../src/errors/index.ts'
import type { Journal } from '../../src/journal/index.ts'
import { settle } from '../support/directory.ts'
import { World } from '../support/world.ts'

const FIRST_SEED = Number(process.env['RECOVERYLOG_SEED'] ?? 1)
const SEED_COUNT = Number(process.env['RECOVERYLOG_SEEDS'] ?? 25)
const SEEDS = Array.from({ length: SEED_COUNT }, (_, i) => FIRST_SEED + i)
const STEPS = 80
const MACHINES = ['m1', 'm2', 'm3'] as const

type Tree = string

/** The states of the tree, in the order of the calls that led to them; all before `synced` have been passed for good. */
class History {
  states: Tree[] = ['{}']
  synced = 0

  /** A recovery found this tree: the history goes on from there. */
  resume(tree: Tree): void {
    const at = this.states.lastIndexOf(tree)
    expect(at, `found ${tree}\nof ${this.states.slice(this.synced).join('\n')}`).toBeGreaterThanOrEqual(
      this.synced,
    )
    this.states.length = at + 1
    this.synced = at
  }
}

interface Owner {
  readonly state: DurableDirectory
  readonly machine: string
  readonly pid: number
}

class Simulation {
  readonly world: World
  readonly history = new History()
  owner: Owner | undefined
  /** Owners that have been fenced, or will find that out. */
  old: Owner[] = []
  standby: { standby: Standby<DurableDirectory>; machine: string; pid: number } | undefined
  #failAppends: 'none' | 'before' | 'after' = 'none'
  #pid = 100
  #state: number
  /** Small in most runs, so that hints are cut. */
  readonly #segmentGapBytesMin: number

  constructor(seed: number) {
    this.world = new World(seed)
    this.#state = Math.imul(seed, 2654435761) | 1
    this.#segmentGapBytesMin = this.pick([50, 200, 1000, 1e9])
    const save = this.world.hints.save.bind(this.world.hints)
    this.world.hints.save = (set, options) =>
      this.chance(0.1)
        ? Promise.reject(new RecoveryLogError('UNAVAILABLE', 'no network'))
        : save(set, options)
  }

  random(count: number): number {
    this.#state ^= this.#state << 13
    this.#state ^= this.#state >>> 17
    this.#state ^= this.#state << 5
    return (this.#state >>> 0) % count
  }

  chance(share: number): boolean {
    return this.random(1000) < share * 1000
  }

  pick<T>(items: readonly T[]): T {
    return items[this.random(items.length)] as T
  }

  /** A journal object of its own for each process, with faults. */
  #journal(): Journal {
    const journal = this.world.journal.share()
    const append = journal.append.bind(journal)
    journal.append = async (request) => {
      const fault = this.#failAppends
      this.#failAppends = 'none'
      if (fault === 'before') throw new RecoveryLogError('UNAVAILABLE', 'the network is down')
      const commit = await append(request)
      if (fault === 'after') throw new RecoveryLogError('OUTCOME_UNKNOWN', 'no answer came')
      return commit
    }
    Object.defineProperty(journal, 'supports', { value: { prune: true, appendSync: false } })
    return journal
  }

  treeOf(machine: string, dir = '/data/state'): Tree {
    return JSON.stringify(this.world.tree(machine, dir))
  }

  /** A machine that no living process works on. */
  #freeMachine(): string | undefined {
    const busy = [this.owner, ...this.old, this.standby].map((process) => process?.machine)
    return MACHINES.find((machine) => !busy.includes(machine))
  }

  async open(): Promise<void> {
    const machine = this.#freeMachine()
    if (machine === undefined) return
    const pid = this.#pid++
    try {
      const state = await this.world.open(machine, {
        journal: this.#journal(),
        identity: this.world.processes.start(pid),
        segmentGapBytesMin: this.#segmentGapBytesMin,
      })
      this.#owns({ state, machine, pid })
    } catch (error) {
      this.#tolerate(error)
      this.world.processes.kill(pid)
    }
  }

  async follow(): Promise<void> {
    const machine = this.#freeMachine()
    if (machine === undefined || this.standby !== undefined) return
    const pid = this.#pid++
    const identity = this.world.processes.start(pid)
    const segmentGapBytesMin = this.#segmentGapBytesMin
    const standby = await this.world.follow(machine, {
      journal: this.#journal(),
      identity,
      segmentGapBytesMin,
    })
    this.standby = { standby, machine, pid }
  }

  async promote(): Promise<void> {
    if (this.standby === undefined) return
    const { standby, machine, pid } = this.standby
    this.standby = undefined
    try {
      this.#owns({ state: await standby.promote(), machine, pid })
    } catch (error) {
      this.#tolerate(error)
      await standby.close()
      this.world.processes.kill(pid)
    }
  }

  #owns(owner: Owner): void {
    if (this.owner !== undefined) this.old.push(this.owner)
    this.owner = owner
    this.history.resume(this.treeOf(owner.machine))
  }

  /** One call of the owner's file system. It may find itself fenced or failed. */
  write(): void {
    if (this.owner === undefined) return
    const { fs } = this.owner.state
    const path = `/f-${String(this.random(6))}`
    try {
      const kind = this.random(6)
      if (kind === 0 && fs.existsSync(path)) fs.unlinkSync(path)
      else if (kind === 1 && fs.existsSync(path)) fs.renameSync(path, `/f-${String(this.random(6))}`)
      else if (kind === 2 && fs.existsSync(path)) fs.truncateSync(path, this.random(20))
      else if (kind === 3) fs.mkdirSync(`/d-${String(this.random(3))}`, { recursive: true })
      else if (kind === 4) fs.appendFileSync(path, `+${String(this.random(100))}`)
      else fs.writeFileSync(path, `content ${String(this.random(1e6))}`)
    } catch (error) {
      this.#tolerate(error)
    }
    this.history.states.push(this.treeOf(this.owner.machine))
  }

  async sync(): Promise<void> {
    if (this.owner === undefined) return
    const at = this.history.states.length - 1
    try {
      await this.owner.state.sync()
      this.history.synced = at
    } catch (error) {
      this.#tolerate(error)
      await this.#drop(this.owner)
      this.owner = undefined
    }
  }

  /** Who has been taken over can write on its disk, but nothing of it is ever synced. */
  async writeLate(): Promise<void> {
    const late = this.old.pop()
    if (late === undefined) return
    await expect(
      (async () => {
        late.state.fs.writeFileSync('/late', 'x')
        await late.state.sync()
      })(),
    ).rejects.toThrow()
    await this.#drop(late)
  }

  /** As kill -9: nothing of the process runs any more, its lock stays behind. */
  async die(): Promise<void> {
    if (this.owner === undefined) return
    const { pid } = this.owner
    this.owner.state.fs.writeFileSync = () => undefined
    await this.#abandon(this.owner)
    this.world.processes.kill(pid)
    this.owner = undefined
  }

  async close(): Promise<void> {
    if (this.owner === undefined) return
    const at = this.history.states.length - 1
    try {
      await this.owner.state.close()
      if ((await this.owner.state.closed).reason === 'closed') this.history.synced = at
    } catch (error) {
      this.#tolerate(error)
    }
    this.world.processes.kill(this.owner.pid)
    this.owner = undefined
  }

  async prune(): Promise<void> {
    if (this.owner === undefined) return
    try {
      if (this.chance(0.5)) await this.owner.state.checkpoint()
      await this.owner.state.prune()
    } catch (error) {
      this.#tolerate(error)
    }
  }

  /** A copy finds a state that is not older than the last synced one either. */
  async copy(): Promise<void> {
    const dir = `/data/copy-${String(this.#pid++)}`
    try {
      await Directory.recover({ ...this.world.options('copies'), dir })
    } catch (error) {
      this.#tolerate(error)
      return
    }
    const found = this.history.states.lastIndexOf(this.treeOf('copies', dir))
    expect(found).toBeGreaterThanOrEqual(this.history.synced)
  }

  fault(): void {
    this.#failAppends = this.pick(['before', 'after'])
  }

  async step(): Promise<void> {
    const roll = this.random(100)
    if (roll < 45) this.write()
    else if (roll < 65) await this.sync()
    else if (roll < 73) await this.open()
    else if (roll < 77) await this.follow()
    else if (roll < 81) await this.promote()
    else if (roll < 85) await this.writeLate()
    else if (roll < 88) await this.die()
    else if (roll < 90) await this.close()
    else if (roll < 94) await this.prune()
    else if (roll < 97) await this.copy()
    else if (roll < 98) await this.world.clock.advance(60_000)
    else this.fault()
  }

  /** Heals everything, and looks whether the log goes on from what was synced. */
  async end(): Promise<void> {
    this.#failAppends = 'none'
    for (const late of this.old.splice(0)) await this.#drop(late)
    if (this.owner !== undefined) await this.#drop(this.owner)
    this.owner = undefined
    await this.standby?.standby.close()
    this.standby = undefined
    await this.open()
    expect(this.owner).toBeDefined()
    this.write()
    await this.sync()
    await this.close()
    await this.copy()
  }

  async #drop(owner: Owner): Promise<void> {
    await owner.state.close().catch((error: unknown) => {
      this.#tolerate(error)
    })
    this.world.processes.kill(owner.pid)
  }

  /** What is queued is lost: the journal of a dead process takes no more appends. */
  async #abandon(owner: Owner): Promise<void> {
    this.#failAppends = 'before'
    await owner.state.close().catch((error: unknown) => {
      this.#tolerate(error)
    })
    this.#failAppends = 'none'
    await settle()
  }

  /** An error of ours says what was injected, or what follows from it; anything else is a bug. */
  #tolerate(error: unknown): void {
    if (RecoveryLogError.is(error)) {
      expect([
        'FENCED',
        'UNAVAILABLE',
        'OUTCOME_UNKNOWN',
        'CLOSED',
        'CONFLICT',
        'HINTS_CONFLICT',
        'HINTS_EMPTY',
      ]).toContain(error.code)
      return
    }
    const { code } = error as { code?: string }
    expect(['EIO', 'ENOENT', 'EPERM'], String(error)).toContain(code)
  }
}

describe('simulation: owners, standbys, copies and faults', () => {
  it.each(SEEDS)('nothing that was synced is lost (seed %i)', async (seed) => {
    const simulation = new Simulation(seed)
    for (let step = 0; step < STEPS; step++) await simulation.step()
    await simulation.end()
  })
})
