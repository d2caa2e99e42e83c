import { RecoveryLogError } from '../errors/index.ts'
import { findMagic, FRAME_BYTES_MAX, FRAME_HEADER_BYTES, readFrameHeader } from './frame.ts'

const NEWLINE = 0x0a

/**
 * Finds the frames of a log in a buffer that its caller fills, piece by piece (recovery-log spec, section 2). It holds
 * no bytes, only how many it has passed over: where no frame begins there is a *desync*, and everything up to the next
 * magic word is skipped, as one range however many buffers it fills.
 *
 * ```ts
 * while (scanner.scan(bytes, at, end, offset + at)) {
 *   // scanner.skipped bytes lie between the frame before and this one, which begins at scanner.frameBegin
 *   decodeRecordedOp(bytes, scanner.messageBegin, scanner.messageEnd, op)
 *   at = scanner.messageEnd // and past the content of a write
 * }
 * at = scanner.frameBegin // keep what is from there on: scanner.needed bytes at least, before the next call
 * ```
 */
export class FrameScanner {
  /** The longest message taken. */
  readonly frameBytesMax: number
  /** Where the frame begins that `scan` found; otherwise, where what it has not passed over yet begins. */
  frameBegin = 0
  messageBegin = 0
  messageEnd = 0
  /** How many bytes right before `frameBegin`, in this buffer or those before it, are no frames. */
  skipped = 0
  /** After `scan` answered false: how many bytes from `frameBegin` on it takes to say more. */
  needed = FRAME_HEADER_BYTES

  #found = false

  constructor(options: { readonly frameBytesMax?: number } = {}) {
    this.frameBytesMax = options.frameBytesMax ?? FRAME_BYTES_MAX
    if (!Number.isSafeInteger(this.frameBytesMax) || this.frameBytesMax < 0) {
      throw new RangeError(`frameBytesMax: expected an integer of at least 0, got ${this.frameBytesMax}`)
    }
  }

  /**
   * Looks for the next frame in `bytes[begin, end)`, of which the first byte lies at `offset` in the log. Answers true
   * for a whole one. The caller goes on behind it, or, after false, at `frameBegin` with more bytes.
   *
   * Throws `CORRUPT` with offset and length when the header declares a longer message than `frameBytesMax`, before
   * anybody can take memory for it.
   */
  scan(bytes: Uint8Array, begin: number, end: number, offset: number): boolean {
    if (this.#found) {
      this.#found = false
      this.skipped = 0
    }
    let at = begin
    let length = -1
    while (end - at >= FRAME_HEADER_BYTES) {
      length = readFrameHeader(bytes, at)
      if (length >= 0) break
      const magic = findMagic(bytes, at + 1, end)
      this.skipped += magic - at
      at = magic
    }
    this.frameBegin = at
    this.needed = FRAME_HEADER_BYTES
    if (length < 0) return false
    if (length > this.frameBytesMax) {
      const data = { offset: offset + at - begin, length, frameBytesMax: this.frameBytesMax }
      throw new RecoveryLogError('CORRUPT', 'a frame declares a longer message than is taken', data)
    }
    this.needed += length
    if (end - at < this.needed) return false
    this.messageBegin = at + FRAME_HEADER_BYTES
    this.messageEnd = at + this.needed
    this.#found = true
    return true
  }

  /**
   * Ends a source of which `bytes[begin, end)` is what `scan` left over, and answers how many bytes before its end are no
   * frames: those skipped and the rest, as one range; 0 after a clean end. As in Go, a lone newline is a clean end.
   */
  finish(bytes: Uint8Array, begin: number, end: number): number {
    if (this.#found) this.reset()
    if (this.skipped === 0 && end - begin === 1 && bytes[begin] === NEWLINE) return 0
    return this.skipped + end - begin
  }

  /** Forgets what was skipped: for a reader that goes on elsewhere. */
  reset(): void {
    this.#found = false
    this.skipped = 0
  }
}
