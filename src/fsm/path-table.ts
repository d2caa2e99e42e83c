import { crc32c } from '../wire/index.ts'
import { NONE } from './fnode-table.ts'
import { PathArena } from './path-arena.ts'

/** The owner of a path that is no link but a property: no fnode has this number. */
export const PROPERTY_OWNER = 0

const SLOT_BITS_MIN = 6

/** The hash by which paths are found: one routine serves for this and for the chain. */
export function pathHash(bytes: Uint8Array, begin: number, end: number): number {
  return crc32c(0, bytes, begin, end)
}

/**
 * Every path in use, link or property, with its owner. An open-addressing table, at most half full, of hashes and of
 * places in an arena, where the bytes are compared. Deletion moves later slots back: no tombstones. The whole hash
 * lies in the slot, so that a search that fails, a shift and a growth never look at a path.
 */
export class PathTable {
  /** Two numbers a slot: the hash, and the place + 1; 0 is an empty slot. */
  #slots = new Int32Array(2 << SLOT_BITS_MIN)
  #mask = (1 << SLOT_BITS_MIN) - 1
  #shift = 32 - SLOT_BITS_MIN
  #size = 0
  #arena = new PathArena()

  /** The place of a path whose hash is known, or `NONE`. */
  find(hash: number, bytes: Uint8Array, begin: number, end: number): number {
    const slots = this.#slots
    for (let slot = hash >>> this.#shift; ; slot = (slot + 1) & this.#mask) {
      const place = (slots[2 * slot + 1] as number) - 1
      if (place === NONE) return NONE
      if (slots[2 * slot] === hash && this.#arena.equals(place, bytes, begin, end)) return place
    }
  }

  ownerOf(place: number): number {
    return this.#arena.ownerOf(place)
  }

  nextOf(place: number): number {
    return this.#arena.nextOf(place)
  }

  textOf(place: number): string {
    return this.#arena.textOf(place)
  }

  /**
   * Adds a path that is not there yet, before `next` in the list of its owner, and answers its place; `NONE` when the
   * arena is full, and mostly of paths that are gone: then `compact` first.
   */
  add(hash: number, bytes: Uint8Array, begin: number, end: number, owner: number, next: number): number {
    let place = this.#arena.put(owner, next, bytes, begin, end)
    if (place === NONE) {
      if (!this.#arena.grow(end - begin)) return NONE
      place = this.#arena.put(owner, next, bytes, begin, end)
    }
    if (2 * ++this.#size > this.#mask) this.#grow()
    this.#insert(hash, place + 1)
    return place
  }

  #insert(hash: number, entry: number): void {
    const slots = this.#slots
    let slot = hash >>> this.#shift
    while (slots[2 * slot + 1] !== 0) slot = (slot + 1) & this.#mask
    slots[2 * slot] = hash
    slots[2 * slot + 1] = entry
  }

  #grow(): void {
    const old = this.#slots
    this.#slots = new Int32Array(2 * old.length)
    this.#mask = 2 * this.#mask + 1
    this.#shift--
    for (let at = 0; at < old.length; at += 2) {
      if (old[at + 1] !== 0) this.#insert(old[at] as number, old[at + 1] as number)
    }
  }

  /** Removes a path of that hash, and answers the list of its owner, which began at `first`, without it. */
  remove(hash: number, place: number, first: number): number {
    const next = this.nextOf(place)
    let rest = first
    if (first === place) {
      rest = next
    } else {
      let before = first
      while (this.nextOf(before) !== place) before = this.nextOf(before)
      this.#arena.setNext(before, next)
    }
    this.#arena.drop(place)
    this.#removeSlot(hash, place)
    this.#size--
    return rest
  }

  #removeSlot(hash: number, place: number): void {
    const slots = this.#slots
    const mask = this.#mask
    let hole = hash >>> this.#shift
    while (slots[2 * hole + 1] !== place + 1) hole = (hole + 1) & mask
    for (let slot = (hole + 1) & mask; slots[2 * slot + 1] !== 0; slot = (slot + 1) & mask) {
      // A slot may fill the hole when the hole is not before the place where the search for it begins.
      const home = (slots[2 * slot] as number) >>> this.#shift
      if (((slot - home) & mask) < ((slot - hole) & mask)) continue
      slots[2 * hole] = slots[2 * slot] as number
      slots[2 * hole + 1] = slots[2 * slot + 1] as number
      hole = slot
    }
    slots[2 * hole + 1] = 0
  }

  /**
   * Makes room for a path of `length` bytes by copying all paths into a new arena. Answers where the entry at an old
   * place lies now.
   */
  compact(length: number): (place: number) => number {
    const old = this.#arena
    const arena = old.succeed(length)
    const moved: number[] = []
    const slots = this.#slots
    for (let at = 1; at < slots.length; at += 2) {
      if (slots[at] === 0) continue
      const place = arena.adopt(old, (slots[at] as number) - 1)
      slots[at] = place + 1
      moved.push(place)
    }
    const newPlace = (place: number): number => (place === NONE ? NONE : old.ownerOf(place))
    for (const place of moved) arena.setNext(place, newPlace(arena.nextOf(place)))
    this.#arena = arena
    return newPlace
  }
}
