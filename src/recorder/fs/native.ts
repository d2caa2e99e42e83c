/**
 * What the underlying file system brings along: its `Buffer`, and the streams that its own streams are made of. So the
 * package needs neither Node nor a substitute for it.
 */
import type { Readable, Writable } from 'node:stream'
import type { Disk } from './disk.ts'
import { argumentError, unsupported } from './errors.ts'

/** A `Uint8Array` that knows encodings. */
interface EncodingBytes extends Uint8Array {
  toString(encoding?: string): string
}

interface BufferClass {
  from(text: string, encoding: string): EncodingBytes
  from(buffer: ArrayBufferLike, begin: number, length: number): EncodingBytes
}

const utf8 = new TextEncoder()

export class Native {
  readonly #buffer: BufferClass | undefined
  readonly #readable: typeof Readable | undefined
  readonly #writable: typeof Writable | undefined

  constructor(buffer: BufferClass | undefined, disk: Disk) {
    this.#buffer = buffer
    this.#readable = ancestorOf(disk.member('ReadStream'), 'Readable') as typeof Readable | undefined
    this.#writable = ancestorOf(disk.member('WriteStream'), 'Writable') as typeof Writable | undefined
  }

  static async of(disk: Disk): Promise<Native> {
    const path = await disk.callAsync('realpath', [disk.real('/'), { encoding: 'buffer' }])
    const { constructor } = path as { constructor: Partial<BufferClass> }
    return new Native(
      path instanceof Uint8Array && 'alloc' in constructor ? (constructor as BufferClass) : undefined,
      disk,
    )
  }

  get Readable(): typeof Readable {
    if (this.#readable === undefined) {
      throw unsupported('createReadStream, over a file system without streams')
    }
    return this.#readable
  }

  get Writable(): typeof Writable {
    if (this.#writable === undefined) {
      throw unsupported('createWriteStream, over a file system without streams')
    }
    return this.#writable
  }

  /** The same bytes as a `Buffer` of the underlying file system. */
  buffer(bytes: Uint8Array): Uint8Array {
    return this.#buffer?.from(bytes.buffer, bytes.byteOffset, bytes.length) ?? bytes
  }

  encode(text: string, encoding: unknown): Uint8Array {
    if (isUtf8(encoding)) return utf8.encode(text)
    return this.#encodings(encoding).from(text, encoding as string)
  }

  decode(bytes: Uint8Array, encoding: unknown): string {
    if (isUtf8(encoding)) return new TextDecoder('utf-8', { ignoreBOM: true }).decode(bytes)
    return this.#encodings(encoding)
      .from(bytes.buffer, bytes.byteOffset, bytes.length)
      .toString(encoding as string)
  }

  #encodings(encoding: unknown): BufferClass {
    if (this.#buffer === undefined) {
      const shown = String(encoding)
      throw argumentError(
        'ERR_INVALID_ARG_VALUE',
        `The argument 'encoding' is invalid encoding. Received '${shown}'`,
      )
    }
    return this.#buffer
  }
}

function isUtf8(encoding: unknown): boolean {
  return encoding === undefined || encoding === null || encoding === 'utf8' || encoding === 'utf-8'
}

/** The class of this name that a class is made of. Some inherit by prototypes only, so they are what is asked. */
function ancestorOf(base: unknown, name: string): unknown {
  let prototype: unknown = typeof base === 'function' ? base.prototype : undefined
  while (typeof prototype === 'object' && prototype !== null) {
    if (prototype.constructor.name === name) return prototype.constructor
    prototype = Object.getPrototypeOf(prototype)
  }
  return undefined
}
