/** Durable points: what was recorded before has committed, by a promise of it or by flushing. */
import type { Context } from '../context.ts'
import { Durable, type Steps } from '../steps.ts'

/** `fs.fsync(fd)` and `fs.fdatasync(fd)`. The disk itself is not synced: what is lost there is recovered from the log. */
export function syncDescriptor(method: string) {
  return function* (context: Context, fd: unknown): Steps<Durable> {
    context.files.get(fd, method)
    return new Durable(undefined)
  }
}
