import { randomBytes } from 'node:crypto'
import {
  closeSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmdirSync,
  rmSync,
  unlinkSync,
  writeFileSync,
  writeSync,
} from 'node:fs'
import { join } from 'node:path'
import { RecoveryLogError } from '../../errors/index.ts'
import { systemErrorCode } from '../../parts/index.ts'
import type { ArchiveTask } from '../task-queue.ts'
import { taskFileName, taskIn, taskStateIn, taskText } from './task-file.ts'
import type { TaskState } from './task-file.ts'
import { ifThere, syncFile, syncFolder } from './system.ts'

/**
 * The folder of a task, with its one file. It comes into being by one rename, with the file in it, and so whole; a folder
 * without a file is none. Beside the file lies, for people, why the task was released last.
 */

const WHY = 'why'

/** Somebody else may be removing what is left of a task that is done. */
const MAKE_TRIES = 1000

export function newToken(): string {
  return randomBytes(8).toString('hex')
}

/** Where the task stands, or undefined when there is none. */
export function readState(folder: string): TaskState | undefined {
  for (const name of ifThere(() => readdirSync(folder)) ?? []) {
    const state = taskStateIn(name)
    if (state !== undefined) return state
  }
  return undefined
}

/** Which task it is, or undefined when it does not stand as `state` says any more. @throws RecoveryLogError `CORRUPT` */
export function readTask(folder: string, state: TaskState): ArchiveTask | undefined {
  const path = join(folder, taskFileName(state))
  const text = ifThere(() => readFileSync(path, 'utf8'))
  return text === undefined ? undefined : taskIn(text, path)
}

/** Why it was released last; empty when it never was. */
export function readWhy(folder: string): string {
  return ifThere(() => readFileSync(join(folder, WHY), 'utf8')) ?? ''
}

export function writeWhy(folder: string, reason: string): void {
  ifThere(() => {
    writeFileSync(join(folder, WHY), reason)
  })
}

/**
 * Makes the task unless there is one; answers whether it has. The caller makes the folder's name durable.
 *
 * @throws RecoveryLogError `UNAVAILABLE`
 */
export async function makeTask(
  folder: string,
  aside: string,
  task: ArchiveTask,
  state: TaskState,
): Promise<boolean> {
  const made = join(aside, newToken())
  mkdirSync(made)
  try {
    await writeSynced(join(made, taskFileName(state)), taskText(task))
    await syncFolder(made)
    for (let tries = 0; tries < MAKE_TRIES; tries++) {
      if (readState(folder) !== undefined) return false
      removeEmpty(folder)
      if (isRenamed(made, folder)) return true
    }
    throw new RecoveryLogError('UNAVAILABLE', `${folder} comes and goes`, { folder })
  } finally {
    rmSync(made, { recursive: true, force: true })
  }
}

/** Puts `to` in the place of `from`; answers false when the task does not stand as `from` says any more. */
export function changeState(folder: string, from: TaskState, to: TaskState): boolean {
  return isRenamed(join(folder, taskFileName(from)), join(folder, taskFileName(to)))
}

/** Ends the task; answers false when it does not stand as `state` says any more. */
export function removeTask(folder: string, state: TaskState): boolean {
  const path = join(folder, taskFileName(state))
  if (ifThere(() => (unlinkSync(path), true)) === undefined) return false
  removeEmpty(folder)
  return true
}

/** Removes what is left of a task that is done. */
function removeEmpty(folder: string): void {
  ifThere(() => {
    rmdirUnlessFull(folder)
  })
}

function rmdirUnlessFull(folder: string): void {
  if (readdirSync(folder).includes(WHY)) ifThere(() => unlinkSync(join(folder, WHY)))
  try {
    rmdirSync(folder)
  } catch (error) {
    if (!isFull(error)) throw error // somebody has put it anew
  }
}

function isRenamed(from: string, to: string): boolean {
  try {
    renameSync(from, to)
    return true
  } catch (error) {
    if (systemErrorCode(error) === 'ENOENT' || isFull(error)) return false
    throw error
  }
}

/** What systems say of a folder that is not empty. */
function isFull(error: unknown): boolean {
  return ['ENOTEMPTY', 'EEXIST'].includes(systemErrorCode(error) ?? '')
}

async function writeSynced(path: string, text: string): Promise<void> {
  const fd = openSync(path, 'wx')
  try {
    writeSync(fd, text)
    await syncFile(fd)
  } finally {
    closeSync(fd)
  }
}
