import type { DirectoryEvent, OpenOptions, Standby } from '../../src/directory/index.ts'
import { DurableDirectory, MemoryHintsStore } from '../../src/directory/index.ts'
import { MemoryJournal } from '../../src/journal/index.ts'
import type { Journal } from '../../src/journal/index.ts'
import type { Random } from '../../src/parts/index.ts'
import { ManualClock, memoryFileSystem, Processes, seededRandom } from './directory.ts'

/** All that durable directories of one test share: a journal, hints, a clock, and machines with their file systems. */
export class World {
  readonly journal = new MemoryJournal({ name: 'the/log', id: 'id-1', fragmentBytes: 4096 })
  readonly hints = new MemoryHintsStore()
  readonly clock = new ManualClock()
  readonly random: Random
  readonly events: DirectoryEvent[] = []
  readonly processes = new Processes()
  readonly #machines = new Map<string, ReturnType<typeof memoryFileSystem>>()
  #pid = 100

  constructor(seed = 1) {
    this.random = seededRandom(seed)
  }

  /** The file system of a machine. */
  machine(name = 'm1'): ReturnType<typeof memoryFileSystem> {
    const fs = this.#machines.get(name) ?? memoryFileSystem()
    this.#machines.set(name, fs)
    return fs
  }

  /** What a process of a machine hands in. Each is another process. */
  options(machine = 'm1', journal: Journal = this.journal): OpenOptions {
    return {
      dir: '/data/state',
      fs: this.machine(machine),
      journal,
      hints: this.hints,
      clock: this.clock,
      random: this.random,
      identity: this.processes.start(this.#pid++),
      onEvent: (event) => this.events.push(event),
    }
  }

  open(machine = 'm1', more: Partial<OpenOptions> = {}): Promise<DurableDirectory> {
    return DurableDirectory.open({ ...this.options(machine), ...more })
  }

  follow(machine = 'm2', more: Partial<OpenOptions> = {}): Promise<Standby<DurableDirectory>> {
    return DurableDirectory.follow({ ...this.options(machine), ...more })
  }

  /** The types of events since the last call, without the player's and without progress. */
  told(): string[] {
    return this.events
      .splice(0)
      .flatMap(({ type }) => (type === 'player' || type === 'progress' ? [] : [type]))
  }

  /** Path to content, directories with a slash at their end. */
  tree(machine: string, dir = '/data/state'): Record<string, string> {
    const fs = this.machine(machine)
    const tree: Record<string, string> = {}
    for (const name of (fs.readdirSync(dir, { recursive: true }) as string[]).sort()) {
      if (fs.statSync(`${dir}/${name}`).isDirectory()) tree[`${name}/`] = ''
      else tree[name] = fs.readFileSync(`${dir}/${name}`, 'utf8') as string
    }
    return tree
  }
}
