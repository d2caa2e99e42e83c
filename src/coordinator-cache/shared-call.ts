import { raceAbort } from '../async/index.ts'

/** What makes two calls for a stream the same: the secret, and the terminal index, which is -1 for a registration. */
export interface CallIdentity {
  readonly secret: Uint8Array
  readonly terminalIndex: number
}

export function isSameCall(a: CallIdentity, b: CallIdentity): boolean {
  if (a.terminalIndex !== b.terminalIndex || a.secret.length !== b.secret.length) return false
  for (let i = 0; i < a.secret.length; i++) if (a.secret[i] !== b.secret[i]) return false
  return true
}

/** A request under way, and those who wait for it. */
export class SharedCall<Result> {
  /** Its secret is borrowed from whoever began it. */
  readonly identity: CallIdentity
  readonly beganMs: number
  /** What everybody who waits is answered. */
  result!: Promise<Result>
  /** Ends the request; undefined when who began it never leaves. */
  readonly #controller: AbortController | undefined
  #waiting = 0

  constructor(identity: CallIdentity, beganMs: number, controller: AbortController | undefined) {
    this.identity = identity
    this.beganMs = beganMs
    this.#controller = controller
  }

  /** Waits for the result. An abort ends this wait alone; with the last one also the request, and `onAbandoned` is told. */
  wait(signal: AbortSignal | undefined, onAbandoned: (call: this) => void): Promise<Result> {
    this.#waiting++
    if (signal === undefined) return this.result
    return raceAbort(this.result, signal).catch((error: unknown) => {
      if (signal.aborted && --this.#waiting === 0) {
        onAbandoned(this)
        this.#controller?.abort()
      }
      throw error
    })
  }
}
