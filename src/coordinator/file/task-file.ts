import { TASK_REASONS } from '../task-queue.ts'
import type { ArchiveTask } from '../task-queue.ts'
import { RecoveryLogError } from '../../errors/index.ts'

/**
 * The file of a task: its name says where the task stands, its content which task it is. Each change is one rename, of
 * which the system lets one process succeed.
 */

/** Where a task stands. */
export interface TaskState {
  readonly phase: 'waiting' | 'leased' | 'dead'
  /** When it is due, when its lease runs out, or when it died. */
  readonly atMs: number
  readonly tries: number
  readonly releases: number
  /** Names the lease, and whatever else has renamed the file: no two names are ever the same. */
  readonly token: string
}

const NAME = /^(waiting|leased|dead)-(-?\d+)-(\d+)-(\d+)-([0-9a-f]+)$/

export function taskFileName({ phase, atMs, tries, releases, token }: TaskState): string {
  return `${phase}-${atMs}-${tries}-${releases}-${token}`
}

/** What a file's name says, or undefined when it is none of a task. */
export function taskStateIn(name: string): TaskState | undefined {
  const match = NAME.exec(name)
  if (match === null) return undefined
  const [, phase, atMs, tries, releases, token] = match
  return {
    phase: phase as TaskState['phase'],
    atMs: Number(atMs),
    tries: Number(tries),
    releases: Number(releases),
    token: token as string,
  }
}

export function taskText({ project, id, reason, createdMs }: ArchiveTask): string {
  return JSON.stringify({ project, id, reason, createdMs })
}

/** @throws RecoveryLogError `CORRUPT` with the file */
export function taskIn(text: string, path: string): ArchiveTask {
  let task: Partial<ArchiveTask>
  try {
    task = JSON.parse(text) as Partial<ArchiveTask>
  } catch {
    task = {} // judged below
  }
  const { project, id, reason, createdMs } = task
  if (
    typeof project === 'string' &&
    typeof id === 'string' &&
    typeof createdMs === 'number' &&
    TASK_REASONS.some((known) => known === reason)
  ) {
    return { project, id, reason: reason as ArchiveTask['reason'], createdMs }
  }
  throw new RecoveryLogError('CORRUPT', `the task file ${path} is not as it was written`, { path })
}
