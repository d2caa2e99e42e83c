import { closeSync, fsync, openSync } from 'node:fs'
import { mkdir, rmdir } from 'node:fs/promises'
import { dirname } from 'node:path'
import { promisify } from 'node:util'
import { systemErrorCode } from '../../parts/index.ts'
import { isMissing } from './system-error.ts'

/** The folders of a file blob store: made when they are needed, removed when they are empty, and durable. */

const sync = promisify(fsync)

/**
 * Makes the names in a folder durable. Systems that cannot sync a folder keep names by themselves. Only the sync is waited
 * for: to open a folder, and to close it, costs less than to ask another thread to do it.
 */
export async function syncFolder(path: string): Promise<void> {
  let fd
  try {
    fd = openSync(path, 'r')
  } catch (error) {
    if (isRefusal(error)) return
    throw error
  }
  try {
    await sync(fd)
  } catch (error) {
    if (!isRefusal(error)) throw error
  } finally {
    closeSync(fd)
  }
}

/**
 * Makes `path` and what is missing above it, below `root`, and makes their names durable. Answers whether anything was
 * missing.
 */
export async function makeFolder(path: string, root: string): Promise<boolean> {
  const first = await mkdir(path, { recursive: true })
  if (first === undefined) return false
  const syncs: Promise<void>[] = []
  for (let made = path; made !== root && made.length >= first.length; made = dirname(made)) {
    syncs.push(syncFolder(dirname(made)))
  }
  await Promise.all(syncs)
  return true
}

/** Removes `path`, and what is above it, below `root`, while it is empty. */
export async function removeEmptyFolders(path: string, root: string): Promise<void> {
  for (let folder = path; folder !== root; folder = dirname(folder)) {
    try {
      await rmdir(folder)
    } catch (error) {
      if (isMissing(error)) continue // somebody else has removed it
      return // it is not empty, or may not be removed: it may stay
    }
  }
}

function isRefusal(error: unknown): boolean {
  return ['EISDIR', 'EPERM', 'EACCES', 'EINVAL'].includes(systemErrorCode(error) ?? '')
}
