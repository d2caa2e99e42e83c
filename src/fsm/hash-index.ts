/**
 * An open-addressing table from hashes to row numbers: at most half full, linear probing, deletion by backward shift,
 * so that there are no tombstones and a table that has churned for days is as fast as a new one.
 *
 * Each slot holds the whole hash beside the row, so that a probe that fails, a shift and a growth never look at a row.
 * Several rows may have one hash: whoever looks something up compares the rows that are offered.
 *
 * ```ts
 * for (let row = index.first(hash); row !== NO_ROW; row = index.next()) if (matches(row)) return row
 * ```
 */

export const NO_ROW = -1

const SLOT_BITS_MIN = 6

export class HashIndex {
  /** Two numbers a slot: the hash, and the row + 1; 0 is an empty slot. */
  #slots = new Int32Array(2 << SLOT_BITS_MIN)
  #mask = (1 << SLOT_BITS_MIN) - 1
  /** The uppermost bits of a hash choose the slot: a multiplicative hash mixes those best. */
  #shift = 32 - SLOT_BITS_MIN
  #size = 0
  #probe = 0
  #probedHash = 0

  /** The first row that was inserted with `hash`, or `NO_ROW`. */
  first(hash: number): number {
    this.#probe = hash >>> this.#shift
    this.#probedHash = hash
    return this.#find()
  }

  /** The next row with the hash that `first` was asked for, or `NO_ROW`. */
  next(): number {
    this.#probe = (this.#probe + 1) & this.#mask
    return this.#find()
  }

  #find(): number {
    const slots = this.#slots
    for (let slot = this.#probe; ; slot = (slot + 1) & this.#mask) {
      const row = slots[2 * slot + 1] as number
      if (row === 0 || slots[2 * slot] === this.#probedHash) {
        this.#probe = slot
        return row - 1
      }
    }
  }

  insert(hash: number, row: number): void {
    if (2 * ++this.#size > this.#mask) this.#grow()
    this.#put(this.#slots, hash, row + 1)
  }

  #put(slots: Int32Array, hash: number, entry: number): void {
    let slot = hash >>> this.#shift
    while (slots[2 * slot + 1] !== 0) slot = (slot + 1) & this.#mask
    slots[2 * slot] = hash
    slots[2 * slot + 1] = entry
  }

  #grow(): void {
    const old = this.#slots
    const slots = new Int32Array(2 * old.length)
    this.#mask = 2 * this.#mask + 1
    this.#shift--
    for (let at = 0; at < old.length; at += 2) {
      if (old[at + 1] !== 0) this.#put(slots, old[at] as number, old[at + 1] as number)
    }
    this.#slots = slots
  }

  /** Removes a row that was inserted with `hash`. */
  remove(hash: number, row: number): void {
    const slots = this.#slots
    const mask = this.#mask
    let hole = hash >>> this.#shift
    while (slots[2 * hole + 1] !== row + 1) hole = (hole + 1) & mask
    this.#size--
    for (let slot = (hole + 1) & mask; slots[2 * slot + 1] !== 0; slot = (slot + 1) & mask) {
      // An entry may fill the hole when the hole is not before the slot where its probing begins.
      const home = (slots[2 * slot] as number) >>> this.#shift
      if (((slot - home) & mask) < ((slot - hole) & mask)) continue
      slots[2 * hole] = slots[2 * slot] as number
      slots[2 * hole + 1] = slots[2 * slot + 1] as number
      hole = slot
    }
    slots[2 * hole + 1] = 0
  }
}
