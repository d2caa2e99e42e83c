/** The bytes of many paths behind one another in one array, because a string or an array for each would be garbage. */

const BYTES_MIN = 4096
/** Places are int32. */
const BYTES_MAX = 2 ** 31 - 1

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

export class PathArena {
  #bytes = new Uint8Array(BYTES_MIN)
  #used = 0
  #live = 0

  hasRoom(length: number): boolean {
    return this.#used + length <= this.#bytes.length
  }

  /** Copies a path in, for which there must be room, and answers its place. */
  put(bytes: Uint8Array, begin: number, end: number): number {
    const place = this.#used
    const arena = this.#bytes
    // A path is short: this beats `set(subarray)`, which makes an object.
    for (let at = begin, to = place; at < end; at++, to++) arena[to] = bytes[at] as number
    this.#used += end - begin
    this.#live += end - begin
    return place
  }

  /** Forgets one path of that length. Its bytes lie there until the arena is replaced. */
  drop(length: number): void {
    this.#live -= length
  }

  equals(place: number, bytes: Uint8Array, begin: number, end: number): boolean {
    const arena = this.#bytes
    for (let at = begin, from = place; at < end; at++, from++) if (arena[from] !== bytes[at]) return false
    return true
  }

  text(place: number, length: number): string {
    return utf8.decode(this.#bytes.subarray(place, place + length))
  }

  /** An empty arena with room for all live paths, `length` bytes more, and as much again. */
  successor(length: number): PathArena {
    const wanted = 2 * (this.#live + length)
    if (wanted > BYTES_MAX) throw new RangeError(`paths of ${String(this.#live)} bytes are more than can be held`)
    const next = new PathArena()
    if (wanted > BYTES_MIN) next.#bytes = new Uint8Array(wanted)
    return next
  }

  /** Copies a path over from another arena, and answers its new place. */
  take(from: PathArena, place: number, length: number): number {
    return this.put(from.#bytes, place, place + length)
  }
}
