import { randomUUID } from 'node:crypto'
import { existsSync, mkdirSync, rmdirSync } from 'node:fs'
import { readdir, rmdir, stat, unlink } from 'node:fs/promises'
import { join } from 'node:path'
import { systemErrorCode } from '../../parts/index.ts'
import { ifThere, isMissing } from './system-error.ts'

/**
 * Where a store writes what is not to be seen yet. Each has a folder of its own: the system lets one process at a time
 * make a file in a folder, and of several that share one all but one would wait. It is made when it is needed.
 */
export class AsideFolder {
  readonly #path: string

  /** @param tmp holds the folders of all */
  constructor(tmp: string) {
    this.#path = join(tmp, randomUUID())
  }

  /** The path of a new file. */
  newPath(): string {
    // Another store may have removed it as that of a dead writer.
    if (!existsSync(this.#path)) mkdirSync(this.#path)
    return join(this.#path, randomUUID())
  }

  /** Removes the folder, unless something has been left in it. */
  remove(): void {
    try {
      rmdirSync(this.#path)
    } catch (error) {
      if (!isMissing(error) && !isFull(error)) throw error
    }
  }
}

/** Removes what nobody has written to for so long in the folders of all: their writers are dead. */
export async function removeLeftovers(tmp: string, leftoverMs: number): Promise<void> {
  for (const name of await readdir(tmp)) {
    const folder = join(tmp, name)
    const isOldFolder = await isOld(folder, leftoverMs)
    for (const file of (await ifThere(readdir(folder))) ?? []) {
      const path = join(folder, file)
      if (await isOld(path, leftoverMs)) await ifThere(unlink(path))
    }
    if (isOldFolder) await ifThere(rmdir(folder)).catch(passIfFull)
  }
}

async function isOld(path: string, leftoverMs: number): Promise<boolean> {
  const info = await ifThere(stat(path))
  return info !== undefined && Date.now() - info.mtimeMs > leftoverMs
}

function passIfFull(error: unknown): void {
  if (!isFull(error)) throw error
}

/** What systems say of a folder that is not empty. */
function isFull(error: unknown): boolean {
  return ['ENOTEMPTY', 'EEXIST'].includes(systemErrorCode(error) ?? '')
}
