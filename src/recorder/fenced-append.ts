/**
 * An append that requires the fence. Where another process has become the appender meanwhile, the fence tells whether it
 * has taken the log from us: an empty append asks, and claims nothing. If it has not (its own hand-off failed, say), the
 * append, which is known not to have landed, is made again.
 */
import { RecoveryLogError } from '../errors/index.ts'
import type { AppendRequest, Commit, Journal } from '../journal/index.ts'

/** Each lost try means another process that appends without owning the log; so many of them are a fault. */
const TRIES_MAX = 8
const NOTHING = new Uint8Array(0)

/** An append that throws where it should reject is a failed append too. */
export async function appendFenced(journal: Journal, request: AppendRequest): Promise<Commit> {
  for (let tries = 1; ; tries++) {
    try {
      return await journal.append(request)
    } catch (error) {
      if (!isReplaced(error, tries)) throw error
      await journal.append({ ...request, content: NOTHING })
    }
  }
}

/** The same, waiting for nothing asynchronous. */
export function appendFencedSync(journal: Required<Journal>, request: AppendRequest): Commit {
  for (let tries = 1; ; tries++) {
    try {
      return journal.appendSync(request)
    } catch (error) {
      if (!isReplaced(error, tries)) throw error
      journal.appendSync({ ...request, content: NOTHING })
    }
  }
}

function isReplaced(error: unknown, tries: number): boolean {
  return tries < TRIES_MAX && RecoveryLogError.is(error, 'APPENDER_REPLACED')
}
