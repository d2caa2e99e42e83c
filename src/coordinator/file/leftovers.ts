import { readdirSync, rmSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { ifThere } from './system.ts'

/** What a dead writer has left is removed when it was not written to for so long. */
const LEFTOVER_MS = 24 * 60 * 60 * 1000

/** Removes what is left in a folder of things that were being made. */
export function removeLeftovers(folder: string): void {
  for (const name of readdirSync(folder)) {
    const path = join(folder, name)
    const stat = ifThere(() => statSync(path))
    // By the system's own clock, which has dated the file.
    if (stat === undefined || Date.now() - stat.mtimeMs < LEFTOVER_MS) continue
    rmSync(path, { recursive: true, force: true })
  }
}
