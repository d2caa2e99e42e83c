import { readFileSync, readdirSync } from 'node:fs'
import { join } from 'node:path'

/**
 * By which rule of test/vectors/README.md a case was judged. `counted` is for what the rules say is counted and not run.
 */
export type Rule =
  | 'equal to Go'
  | 'no ghosts'
  | 'typed error'
  | 'confinement'
  | 'malformed'
  | 'cut hints'
  | 'doubtful'
  | 'as the spec says'
  | 'behaviour'
  | 'counted'

export interface Failure {
  readonly file: string
  readonly name: string
  readonly error: unknown
}

/** One run over a folder of vectors: hands out the files, runs the cases, counts them by file and rule. */
export class VectorRun {
  readonly counts = new Map<string, Map<Rule, number>>()
  readonly failures: Failure[] = []
  /** Where the files lie that were asked for: one that nobody asks for is one that nobody knows. */
  readonly filesRead = new Set<string>()
  readonly root: string
  readonly #isFlat: boolean

  /** `isFlat`: what is in a half of the vectors lies in `root` itself; else the halves do. */
  constructor(root: string, isFlat = false) {
    this.root = root
    this.#isFlat = isFlat
  }

  /** Where a path of the vectors, such as `recovery-log/fsm.json`, lies on disk. */
  locate(path: string): string {
    return join(this.root, this.#isFlat ? path.slice(path.indexOf('/') + 1) : path)
  }

  json<T>(path: string): T {
    return JSON.parse(this.#read(path).toString('utf8')) as T
  }

  bytes(path: string): Uint8Array {
    return this.#read(path)
  }

  list(path: string): string[] {
    return readdirSync(this.locate(path)).sort()
  }

  /** Runs one case of `file`. What it throws is collected, not thrown: a run tells of every failing case. */
  async check(file: string, name: string, rule: Rule, body: () => void | Promise<void>): Promise<void> {
    const rules = this.counts.get(file) ?? new Map<Rule, number>()
    this.counts.set(file, rules.set(rule, (rules.get(rule) ?? 0) + 1))
    try {
      await body()
    } catch (error) {
      this.failures.push({ file, name, error })
    }
  }

  #read(path: string): Buffer {
    const file = this.locate(path)
    this.filesRead.add(file)
    return readFileSync(file)
  }
}

/** What runs one vector file, or one folder of cases. `file` is its path under the root, such as `recovery-log/fsm.json`. */
export interface VectorSuite {
  readonly file: string
  run(run: VectorRun): Promise<void>
}
