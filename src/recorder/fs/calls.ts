/** Calls by name, in their two ways: the faces, handles and streams are made of them. */
import type { Context } from './context.ts'
import { argumentError } from './errors.ts'
import { OPERATIONS, type Operation, type OperationName } from './operations/index.ts'
import { parentOf } from './names.ts'
import { isOptions, type Options } from './operations/arguments.ts'
import { type CopyFilter, copyPairs } from './operations/copy.ts'

/** What Node allocates for a read that brings no buffer. */
const READ_BYTES = 16 * 1024

export class Calls {
  readonly context: Context

  constructor(context: Context) {
    this.context = context
  }

  now(name: OperationName, args: readonly unknown[]): unknown {
    const { steps, isOrdered }: Operation = OPERATIONS[name]
    const { runner } = this.context
    if (isOrdered(args)) return runner.runSync(steps(this.context, ...args))
    return runner.runFreeSync(steps(this.context, ...args))
  }

  /** A change is made in the turn of the call, unless it has to wait. */
  async later(name: OperationName, args: readonly unknown[]): Promise<unknown> {
    const { steps, isOrdered }: Operation = OPERATIONS[name]
    const { runner } = this.context
    const given = name === 'cp' && hasFilter(args) ? await this.#filtered(args) : args
    if (isOrdered(given)) return runner.run(steps(this.context, ...given))
    return runner.runFree(steps(this.context, ...given))
  }

  /** A filter of `cp` may answer later, and may call this file system: so it is asked before the copy takes its place. */
  async #filtered([from, to, options, ...rest]: readonly unknown[]): Promise<readonly unknown[]> {
    const { filter, ...settings } = options as Options
    const pairs = (await this.context.runner.runFree(copyPairs(this.context, from, to))) as [string, string][]
    const left = new Set<string>()
    for (const [source, target] of pairs) {
      const isLeft = left.has(parentOf(source)) || !(await (filter as CopyFilter)(source, target))
      if (isLeft) left.add(source)
    }
    return [from, to, { ...settings, filter: (source: string) => !left.has(source) }, ...rest]
  }

  /** The arguments of a read in their longest form: `(fd)`, `(fd, options)` and `(fd, buffer, options)` are taken too. */
  readArguments([fd, buffer, ...rest]: readonly unknown[]): [
    fd: unknown,
    buffer: ArrayBufferView,
    ...unknown[],
  ] {
    const hasBuffer = ArrayBuffer.isView(buffer)
    const options = hasBuffer ? rest[0] : buffer
    if (!hasBuffer && buffer !== undefined && buffer !== null && !isOptions(buffer)) {
      const message = 'The "buffer" argument must be an instance of Buffer, TypedArray, or DataView.'
      throw argumentError('ERR_INVALID_ARG_TYPE', message)
    }
    const given = isOptions(options) ? options : undefined
    const into = hasBuffer ? buffer : (given?.['buffer'] as ArrayBufferView | undefined)
    const place = given === undefined ? rest : [given['offset'], given['length'], given['position']]
    return [fd, into ?? this.context.native.buffer(new Uint8Array(READ_BYTES)), ...place]
  }
}

function hasFilter([, , options]: readonly unknown[]): boolean {
  return isOptions(options) && typeof options['filter'] === 'function'
}
