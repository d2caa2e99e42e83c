import { RecoveryLogError } from '../errors/index.ts'
import type { FSM } from '../fsm/index.ts'
import type { Journal } from '../journal/index.ts'
import { pathFrameBytesMax } from '../wire/index.ts'
import { PathCleaner } from './recorded-path.ts'
import type { RecorderOptions } from './recorder-options.ts'

/** Always a property, as in Go, unless there are to be none. */
const IDENTITY = '/IDENTITY'

const utf8 = new TextEncoder()

/** Which paths may be recorded, and as what (recovery-log spec, section 4). */
export class RecordablePaths {
  /** Absolute and normalised. */
  readonly dir: string
  readonly #cleaner: PathCleaner
  readonly #journal: Journal
  readonly #fsm: FSM
  readonly #properties: ReadonlySet<string>

  constructor({ journal, fsm, dir = '/', separator = '/', properties = [] }: RecorderOptions) {
    this.#journal = journal
    this.#fsm = fsm
    this.#cleaner = new PathCleaner(dir, separator)
    this.dir = this.#cleaner.dir
    const named =
      properties === 'none' ? [] : [IDENTITY, ...properties.map((path) => this.#cleaner.clean(path))]
    this.#properties = new Set(named)
  }

  /**
   * The recorded path. `PATH_REFUSED`; `APPEND_TOO_LARGE` when no append holds it, known beforehand because a call of
   * several operations must not fail at its second one.
   */
  clean(path: string): string {
    const recorded = this.#cleaner.clean(path)
    const { maxAppendBytes, name } = this.#journal
    if (pathFrameBytesMax(recorded.length) <= maxAppendBytes) return recorded
    if (pathFrameBytesMax(0) + utf8.encode(recorded).length <= maxAppendBytes) return recorded
    throw new RecoveryLogError('APPEND_TOO_LARGE', 'the path fits no append', {
      path,
      log: name,
      maxAppendBytes,
    })
  }

  /** The recorded path of a file: `PROPERTY_EXISTS` for a property. */
  cleanFile(path: string): string {
    const recorded = this.clean(path)
    if (!this.isProperty(recorded)) return recorded
    throw new RecoveryLogError('PROPERTY_EXISTS', 'the path is that of a property', {
      path,
      log: this.#journal.name,
    })
  }

  /** Whether a recorded path is a property: because it is one by name, or because the log has it. */
  isProperty(recorded: string): boolean {
    return this.#properties.has(recorded) || this.#fsm.properties.has(recorded)
  }

  /** The fnode that has a recorded path, which `path` was; else `NOT_FOUND`. */
  fnodeOf(recorded: string, path: string): number {
    const fnode = this.#fsm.fnodeOf(recorded)
    if (fnode === undefined) throw this.notFound(path)
    return fnode
  }

  notFound(path: string): RecoveryLogError {
    return new RecoveryLogError('NOT_FOUND', 'no file has this path', { path, log: this.#journal.name })
  }

  alreadyExists(path: string): RecoveryLogError {
    return new RecoveryLogError('ALREADY_EXISTS', 'a file has this path', { path, log: this.#journal.name })
  }
}
