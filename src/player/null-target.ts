import type { Target } from './target.ts'

/**
 * A target that keeps nothing but the sizes of files: to verify that a log plays, and that its paths may be made.
 *
 * ```ts
 * const { missed } = await new Player({ hints, journals, target: nullTarget() }).play()
 * ```
 */
export function nullTarget(): Target {
  const sizes = new Map<number, number>()
  return {
    check: nothing,
    prepare: nothing,
    create(fnode) {
      sizes.set(fnode, 0)
    },
    write(fnode, offset, _bytes, begin, end) {
      const size = offset + end - begin
      if (size > (sizes.get(fnode) ?? 0)) sizes.set(fnode, size)
      return true
    },
    remove(fnode) {
      sizes.delete(fnode)
    },
    room: () => Promise.resolve(),
    release: () => undefined,
    sizeOf: (fnode) => sizes.get(fnode) ?? 0,
    sameName: () => undefined,
    flush: () => Promise.resolve(),
    finish: nothing,
    discard: () => Promise.resolve(),
  }
}

function nothing(): void {
  // deliberately empty: there is no place to take or to free
}
