import { mkdir, open, rmdir } from 'node:fs/promises'
import { dirname } from 'node:path'
import { systemErrorCode } from '../../parts/index.ts'
import { isMissing } from './system-error.ts'

/** The folders of a file blob store: made when they are needed, removed when they are empty, and durable. */

/** Makes the names in a folder durable. Systems that cannot sync a folder keep names by themselves. */
export async function syncFolder(path: string): Promise<void> {
  let folder
  try {
    folder = await open(path, 'r')
  } catch (error) {
    if (isRefusal(error)) return
    throw error
  }
  try {
    await folder.sync()
  } catch (error) {
    if (!isRefusal(error)) throw error
  } finally {
    await folder.close()
  }
}

/** Makes `path` and what is missing above it, below `root`, and makes their names durable. */
export async function makeFolder(path: string, root: string): Promise<void> {
  const first = await mkdir(path, { recursive: true })
  if (first === undefined) return
  for (let made = path; made !== root && made.length >= first.length; made = dirname(made)) {
    await syncFolder(dirname(made))
  }
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
