import { FSM } from '../../src/fsm/index.ts'
import { MemoryJournal } from '../../src/journal/index.ts'
import type {
  AppendRequest,
  Commit,
  Journal,
  JournalSupports,
  MemoryJournalOptions,
} from '../../src/journal/index.ts'
import { Recorder } from '../../src/recorder/index.ts'
import type { RecorderOptions } from '../../src/recorder/index.ts'

export const AUTHOR = 0x1a2b3c4d
export const LOG = 'test/log'

export function emptyMachine(log = LOG): FSM {
  return new FSM({ log, liveNodes: [], properties: [] })
}

export interface OpenRecorder<Log extends Journal> {
  readonly recorder: Recorder
  readonly journal: Log
  readonly fsm: FSM
}

/** A recorder at the beginning of `journal`, in `/dir` unless told otherwise. */
export async function openRecorder<Log extends Journal>(
  journal: Log,
  options: Partial<RecorderOptions> = {},
): Promise<OpenRecorder<Log>> {
  const fsm = options.fsm ?? emptyMachine(journal.name)
  const recorder = await Recorder.open({ author: AUTHOR, dir: '/dir', ...options, journal, fsm })
  return { recorder, journal, fsm }
}

export interface HeldJournalOptions extends Partial<MemoryJournalOptions> {
  readonly appendSync?: boolean
}

/** Holds each append until it is told to commit it or to let it fail, and keeps what was appended. */
export class HeldJournal extends MemoryJournal {
  override readonly supports: JournalSupports & { readonly prune: true; readonly appendSync: true }
  readonly held: { commit: () => void; fail: (error: Error) => void; readonly content: Uint8Array }[] = []
  /** What has been appended, each append's content. */
  readonly appends: Uint8Array[] = []
  /** False answers at once: for the appends of `open`. */
  holds = false

  constructor({ appendSync = true, ...options }: HeldJournalOptions = {}) {
    super({ name: LOG, ...options })
    this.supports = { prune: true, appendSync: appendSync as true }
  }

  override append(request: AppendRequest): Promise<Commit> {
    if (!this.holds) return super.append(request)
    return new Promise((resolve, reject) => {
      const done = (): void => {
        this.held.splice(this.held.indexOf(held), 1)
      }
      const held = {
        content: request.content,
        commit: () => {
          done()
          super.append(request).then(resolve, reject)
        },
        fail: (error: Error) => {
          done()
          reject(error)
        },
      }
      this.held.push(held)
    })
  }

  override appendSync(request: AppendRequest): Commit {
    const commit = super.appendSync(request)
    if (request.content.length > 0) this.appends.push(request.content.slice())
    return commit
  }
}

/** All that was queued in this turn has been handed to the journal, and all answers have come. */
export async function settled(): Promise<void> {
  for (let turn = 0; turn < 20; turn++) await Promise.resolve()
}

export function bytes(text: string): Uint8Array {
  return new TextEncoder().encode(text)
}

export function text(content: Uint8Array | undefined): string | undefined {
  return content === undefined ? undefined : new TextDecoder().decode(content)
}
