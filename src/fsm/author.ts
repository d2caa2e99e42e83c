/** Authors and the registers that fence a log for them (recovery-log spec, section 1). */

const AUTHOR_MAX = 0xffff_ffff
const FENCE_NAME = 'author'
const BASE = 32
/** What an author looks like in base 32; the greatest has seven digits. */
const FENCE_VALUE = /^[1-9a-v][0-9a-v]{0,6}$/

/** The register of a journal that says whose log it is: a label. */
export interface Fence {
  readonly name: typeof FENCE_NAME
  /** The author in base 32, digits 0-9 then a-v, lower case, without padding. */
  readonly value: string
}

/** The fence of `author`, a uint32 that is not 0, else RangeError. */
export function fenceOf(author: number): Fence {
  if (author >>> 0 !== author || author === 0) {
    throw new RangeError(`an author is a number from 1 to ${String(AUTHOR_MAX)}, got ${String(author)}`)
  }
  return { name: FENCE_NAME, value: author.toString(BASE) }
}

/** The author whose fence a register is; undefined for any other register. */
export function authorOf(register: { readonly name: string; readonly value: string }): number | undefined {
  if (register.name !== FENCE_NAME || !FENCE_VALUE.test(register.value)) return undefined
  const author = Number.parseInt(register.value, BASE)
  return author <= AUTHOR_MAX ? author : undefined
}
