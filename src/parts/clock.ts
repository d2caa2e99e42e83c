/** The time, handed in. `recoverylog/node` fills it with the system's; tests hand in one that they move. */
export interface Clock {
  /** Milliseconds since 1970-01-01 UTC. */
  now(): number
  /** Resolves after `ms` milliseconds; an abort rejects with `ABORTED` and frees the timer. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>
}
