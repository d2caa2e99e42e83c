/** A property that came with an old log: a file whose content is recorded by value, whole after each change. */
import { type Change, contentBytes, pathBytes } from '../change.ts'
import type { Context } from '../context.ts'
import { systemError } from '../errors.ts'
import { readWhole } from './content.ts'
import type { Steps } from '../steps.ts'

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

/** Records what the property's file holds now. */
export function* recordProperty(context: Context, change: Change, path: string): Steps<void> {
  const content = propertyText(yield* readWhole(context, path), path)
  change.add(pathBytes(path) + contentBytes(3 * content.length), () => {
    context.recorder.property(path, content)
  })
}

/** The text that a property would hold. `EPERM` when it is none: nothing else can be recorded by value. */
export function propertyText(bytes: Uint8Array, path: string): string {
  try {
    return utf8.decode(bytes)
  } catch {
    throw systemError('EPERM', 'write', path)
  }
}
