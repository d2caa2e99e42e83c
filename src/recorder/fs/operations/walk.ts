import type { Context } from '../context.ts'
import type { Kind } from '../tree.ts'
import { ask, type Steps } from '../steps.ts'

export interface Entry {
  readonly path: string
  /** Undefined for what is on the disk only, such as a symbolic link. */
  readonly kind: Kind | undefined
}

/** A recorded directory, not the root, and all that is in it: parents first. */
export function* walk(context: Context, directory: string): Steps<Entry[]> {
  const entries: Entry[] = [{ path: directory, kind: 'directory' }]
  for (const { path, kind } of entries) {
    if (kind !== 'directory') continue
    for (const name of yield* ask('readdir', context.disk.real(path))) {
      const below = `${path}/${name}`
      entries.push({ path: below, kind: context.tree.kindOf(below) })
    }
  }
  return entries
}
