import { fsync, mkdirSync, rmdirSync } from 'node:fs'
import * as nodeFs from 'node:fs'
import { dirname } from 'node:path'
import { promisify } from 'node:util'
import { syncFolderAside } from '../../parts/index.ts'
import { isMissing } from './system-error.ts'

/** The folders of a file blob store: made when they are needed, removed when they are empty, and durable. */

const sync = promisify(fsync)

/** Makes the names in a folder durable. */
export async function syncFolder(path: string): Promise<void> {
  await syncFolderAside(nodeFs, sync, path)
}

/**
 * Makes `path` and what is missing above it, below `root`, and makes their names durable. Answers whether anything was
 * missing.
 */
export async function makeFolder(path: string, root: string, syncs: FolderSyncs): Promise<boolean> {
  const first = mkdirSync(path, { recursive: true })
  if (first === undefined) return false
  const parents: string[] = []
  for (let made = path; made !== root && made.length >= first.length; made = dirname(made)) {
    parents.push(dirname(made))
  }
  await Promise.all(parents.map(async (parent) => syncs.sync(parent)))
  return true
}

/** Syncs of one folder that are asked for while one is under way are one sync, the next: many are put side by side. */
export class FolderSyncs {
  readonly #running = new Map<string, Promise<void>>()
  readonly #next = new Map<string, Promise<void>>()

  async sync(path: string): Promise<void> {
    const running = this.#running.get(path)
    if (running === undefined) return this.#begin(path)
    const begin = async (): Promise<void> => this.#begin(path)
    const next = this.#next.get(path) ?? running.then(begin, begin)
    this.#next.set(path, next)
    return next
  }

  async #begin(path: string): Promise<void> {
    this.#next.delete(path)
    const run = syncFolder(path)
    this.#running.set(path, run)
    try {
      await run
    } finally {
      if (this.#running.get(path) === run) this.#running.delete(path)
    }
  }
}

/** Removes `path`, and what is above it, below `root`, while it is empty. */
export function removeEmptyFolders(path: string, root: string): void {
  for (let folder = path; folder !== root; folder = dirname(folder)) {
    try {
      rmdirSync(folder)
    } catch (error) {
      if (isMissing(error)) continue // somebody else has removed it
      return // it is not empty, or may not be removed: it may stay
    }
  }
}
