import type { ArchivistParts } from '../../src/archivist/index.ts'

/** What is waited for before a call begins, and before its answer is given. */
export interface Gate {
  enter(call: string): Promise<void>
  leave(call: string): Promise<void>
}

/** The parts of one archivist whose every call, and every step of a listing, goes through a gate. */
export function gatedParts(parts: ArchivistParts, gate: Gate): ArchivistParts {
  return {
    ...parts,
    coordinator: gated('coordinator', parts.coordinator, gate),
    storage: gated('storage', parts.storage, gate),
    blobs: gated('blobs', parts.blobs, gate),
  }
}

function gated<Part extends object>(name: string, part: Part, gate: Gate): Part {
  return new Proxy(part, {
    get(target, property) {
      const value = Reflect.get(target, property) as unknown
      if (typeof value !== 'function') return value
      const call = `${name}.${String(property)}`
      return (...args: unknown[]) => {
        const isListing = call === 'blobs.list' || call === 'storage.get' || isWholeBlob(call, args[1])
        const begin = (): unknown => Reflect.apply(value, target, args) as unknown
        return isListing
          ? through(begin as () => AsyncIterable<unknown>, call, gate)
          : answer(begin, call, gate)
      }
    },
  })
}

/** `blobs.get` answers a stream unless it is asked for a range. */
function isWholeBlob(call: string, options: unknown): boolean {
  return call === 'blobs.get' && (options as { length?: number } | undefined)?.length === undefined
}

async function answer(begin: () => unknown, call: string, gate: Gate): Promise<unknown> {
  await gate.enter(call)
  const result = await begin()
  await gate.leave(call)
  return result
}

async function* through(
  begin: () => AsyncIterable<unknown>,
  call: string,
  gate: Gate,
): AsyncIterable<unknown> {
  await gate.enter(call)
  for await (const item of begin()) {
    await gate.leave(call)
    yield item
    await gate.enter(call)
  }
  await gate.leave(call)
}
