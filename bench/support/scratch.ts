import { mkdirSync, mkdtempSync } from 'node:fs'
import { join, resolve } from 'node:path'

// Beside the project and not in the system's folder for temporary files, which may be memory.
const scratchRoot = resolve('.tmp')

/** A new folder for what a run writes. */
export function scratchFolder(): string {
  mkdirSync(scratchRoot, { recursive: true })
  return mkdtempSync(join(scratchRoot, 'scratch-'))
}
