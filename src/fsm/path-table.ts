/**
 * Every path in use, link or property, with its owner: an open-addressing table over the arena in which the bytes lie.
 * At most half of its slots are full, and deletion moves later ones back, so there are no tombstones. The whole hash lies
 * in the slot: a search that fails, a shift and a growth never look at a path.
 */

import { NONE } from './fnode-table.ts'
import { PathArena } from './path-arena.ts'

/** The owner of a path that is no link but a property: no fnode has this number. */
export const PROPERTY_OWNER = 0

const SLOT_BITS_MIN = 6

export class PathTable {
  /** Two numbers a slot: the hash, and the place + 1; 0 is an empty slot. */
  #slots = new Int32Array(2 << SLOT_BITS_MIN)
  #mask = (1 << SLOT_BITS_MIN) - 1
  #shift = 32 - SLOT_BITS_MIN
  #size = 0
  #arena = new PathArena()
  /** Where `find` ended: at the slot of the path, or at the empty one where it belongs. */
  #slot = 0

  /** The place of a path whose hash is known, or `NONE`. */
  find(hash: number, bytes: Uint8Array, begin: number, end: number): number {
    const slots = this.#slots
    const mask = this.#mask
    let slot = hash >>> this.#shift
    let entry = slots[2 * slot + 1] as number
    while (entry !== 0) {
      if (slots[2 * slot] === hash && this.#arena.equals(entry - 1, bytes, begin, end)) break
      slot = (slot + 1) & mask
      entry = slots[2 * slot + 1] as number
    }
    this.#slot = slot
    return entry - 1
  }

  /** Reads where `find` will begin to. */
  touch(hash: number): number {
    return this.#slots[2 * (hash >>> this.#shift)] as number
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
   * Adds the path that `find` has just not found, before `next` in the list of its owner, and answers its place; `NONE`
   * when the arena is full, and mostly of paths that are gone: then `compact` first.
   */
  add(hash: number, bytes: Uint8Array, begin: number, end: number, owner: number, next: number): number {
    const place = this.#arena.put(owner, next, bytes, begin, end)
    if (place === NONE) return NONE
    const slots = this.#slots
    const at = 2 * this.#slot
    slots[at] = hash
    slots[at + 1] = place + 1
    if (2 * ++this.#size > this.#mask) this.#grow()
    return place
  }

  #grow(): void {
    const old = this.#slots
    const slots = (this.#slots = new Int32Array(2 * old.length))
    const mask = (this.#mask = 2 * this.#mask + 1)
    const shift = --this.#shift
    for (let at = 0; at < old.length; at += 2) {
      const entry = old[at + 1] as number
      if (entry === 0) continue
      const hash = old[at] as number
      let slot = hash >>> shift
      while (slots[2 * slot + 1] !== 0) slot = (slot + 1) & mask
      slots[2 * slot] = hash
      slots[2 * slot + 1] = entry
    }
  }

  /** Removes the path that `find` has just found, and answers the list of its owner, which began at `first`, without it. */
  remove(place: number, first: number): number {
    this.#empty(this.#slot)
    this.#size--
    const arena = this.#arena
    const next = arena.nextOf(place)
    arena.drop(place)
    if (first === place) return next
    let before = first
    while (arena.nextOf(before) !== place) before = arena.nextOf(before)
    arena.setNext(before, next)
    return first
  }

  #empty(slot: number): void {
    const slots = this.#slots
    const mask = this.#mask
    const shift = this.#shift
    let hole = slot
    for (let next = (hole + 1) & mask; slots[2 * next + 1] !== 0; next = (next + 1) & mask) {
      const hash = slots[2 * next] as number
      // A slot may fill the hole when the hole is not before the place where the search for it begins.
      if (((next - (hash >>> shift)) & mask) < ((next - hole) & mask)) continue
      slots[2 * hole] = hash
      slots[2 * hole + 1] = slots[2 * next + 1] as number
      hole = next
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
