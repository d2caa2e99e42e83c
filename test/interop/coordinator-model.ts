import assert from 'node:assert/strict'

/** What steps of coordinator.json look like, and a model of the spec that says how ours ends where Go's does otherwise. */

export interface GoError {
  readonly code: 'AlreadyExists' | 'FailedPrecondition' | 'Internal' | 'InvalidArgument' | 'NotFound'
  readonly text: string
}

export interface GoState {
  readonly proto_version: string
  readonly terminal_index: number
  readonly archived: boolean
  readonly purged: boolean
  readonly has_secret: boolean
}

interface Requests {
  register_prefix: {
    request: { prefix: string; nonce_hex: string; expiration_ms: number | null }
    response: { secret_bytes: number; same_secret_as_before: boolean | null } | null
  }
  register_stream: {
    request: {
      descriptor?: { prefix: string; name: string } | null
      descriptor_hex: string
      terminal_index: number
      peculiar: string
    }
    response: { id: string; state: GoState } | null
  }
  terminate_stream: { request: { id: string; terminal_index: number; peculiar: string }; response: null }
  load_stream: {
    request: { id: string }
    response: { state: GoState; archival_key_set: boolean; age_ms: number; descriptor_hex: string } | null
  }
  archive_stream: {
    request: {
      id: string
      terminal_index: number
      log_entry_count: number
      stream_url: string
      index_url: string
      error: string
    }
    response: null
  }
  lease_archive_tasks: {
    request: { max: number; lease_ms: number }
    response: { tasks: readonly { project: string; id: string; realm: string }[] }
  }
  delete_archive_tasks: { request: { last_leased_task_of: string }; response: null }
  look_at_task_queue: { request: object; response: { tasks: readonly { due_in_ms: number }[] } }
}

export type Step = {
  [Op in keyof Requests]: {
    readonly op: Op
    readonly at_ms: number
    readonly error: GoError | null
  } & Requests[Op]
}[keyof Requests]

const CONFLICT: GoError = { code: 'FailedPrecondition', text: 'another terminal index' }

/** The streams as the spec has them. Where `isSure`, Go has them alike. */
export class CoordinatorModel {
  readonly isSure: boolean
  hasPrefix = false
  /** Whose task was leased once. */
  readonly leased = new Set<string>()
  /** When each stream was registered first. */
  readonly registeredMs: number[] = []
  readonly #streams = new Map<string, GoState>()

  constructor(isSure: boolean) {
    this.isSure = isSure
  }

  get openStreams(): number {
    return [...this.#streams.values()].filter(({ archived }) => !archived).length
  }

  isArchived(id: string): boolean {
    return this.#streams.get(id)?.archived === true
  }

  stateOf(id: string): GoState {
    return this.#streams.get(id) as GoState
  }

  /** A known stream is registered again also when its prefix has expired, and is terminated also then. */
  registerStream(
    id: string,
    terminalIndex: number,
    { at_ms, error }: Pick<Step, 'at_ms' | 'error'>,
  ): { readonly error: GoError } | { readonly error?: undefined; readonly state: GoState } {
    const known = this.#streams.get(id)
    if (!this.hasPrefix) return { error: { code: 'FailedPrecondition', text: 'there is no prefix' } }
    const isExpired = error?.code === 'FailedPrecondition' && known !== undefined
    if (isExpired) assert(!this.isSure)
    else if (error !== null) return { error }
    if (known === undefined) this.registeredMs.push(at_ms)
    const before = known ?? {
      proto_version: '1',
      terminal_index: -1,
      archived: false,
      purged: false,
      has_secret: true,
    }
    if (terminalIndex >= 0 && this.#differs(before, terminalIndex)) return { error: CONFLICT }
    const terminal_index = terminalIndex >= 0 ? terminalIndex : before.terminal_index
    return { state: this.#set(id, { ...before, terminal_index }) }
  }

  terminateStream(id: string, terminalIndex: number, error: GoError | null): GoError | null {
    const known = this.#streams.get(id)
    const isJudged = known === undefined || (error !== null && error.code !== 'FailedPrecondition')
    if (isJudged) return error
    const differs = this.#differs(known, terminalIndex)
    if (this.isSure) assert.equal(differs, error !== null)
    if (differs) return CONFLICT
    this.#set(id, { ...known, terminal_index: terminalIndex })
    return null
  }

  /** The first archive stands; a known terminal index stays, and an archive with another one is none of its stream. */
  archiveStream(id: string, terminalIndex: number, error: GoError | null): GoError | null {
    const known = this.#streams.get(id)
    if (known === undefined || error !== null) return error
    if (known.archived) return null
    if (known.terminal_index >= 0 && terminalIndex !== known.terminal_index) {
      assert(!this.isSure)
      return CONFLICT
    }
    this.#set(id, { ...known, archived: true, terminal_index: terminalIndex })
    return null
  }

  compareState(ours: GoState, go: GoState): void {
    if (this.isSure) assert.deepEqual(ours, go)
  }

  #differs({ terminal_index, archived }: GoState, terminalIndex: number): boolean {
    return (terminal_index >= 0 || archived) && terminal_index !== terminalIndex
  }

  #set(id: string, state: GoState): GoState {
    this.#streams.set(id, state)
    return state
  }
}
