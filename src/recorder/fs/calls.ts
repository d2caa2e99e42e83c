/** Calls by name, in their two ways: the faces, handles and streams are made of them. */
import type { Context } from './context.ts'
import { argumentError } from './errors.ts'
import { OPERATIONS, type Operation, type OperationName } from './operations/index.ts'
import { isOptions } from './operations/arguments.ts'

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
    if (isOrdered(args)) return runner.run(steps(this.context, ...args))
    return runner.runFree(steps(this.context, ...args))
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
