import { assertNoFault } from './name-fault.ts'
import type { NameFault } from './name-fault.ts'
import { constructName, projectFault, SEPARATOR, streamNameFault, trimSeparators } from './stream-name.ts'

/** Stream paths, `<prefix>/+/<name>`, and addresses, `logdog://<host>/<project>/<path>` (log-archive spec, section 2). */

/** The segment between prefix and name. */
export const PATH_SEPARATOR = '+'

export interface SplitPath {
  readonly prefix: string
  /** Empty when there is no separator. */
  readonly name: string
  readonly hasSeparator: boolean
}

/** Splits a path at its first segment that is exactly `+`. Nothing is validated. */
export function splitStreamPath(path: string): SplitPath {
  const segments = path.split(SEPARATOR)
  const at = segments.indexOf(PATH_SEPARATOR)
  if (at < 0) return { prefix: path, name: '', hasSeparator: false }
  const prefix = segments.slice(0, at).join(SEPARATOR)
  return { prefix, name: segments.slice(at + 1).join(SEPARATOR), hasSeparator: true }
}

/** The path of the stream `name` of `prefix`, separators at their ends passed over. Nothing is validated. */
export function joinStreamPath(prefix: string, name: string): string {
  return [trimSeparators(prefix), PATH_SEPARATOR, trimSeparators(name)].join(SEPARATOR)
}

/** As `joinStreamPath`, but an empty name, or prefix, leaves out the separator that would stand beside it. */
export function pathPrefix(prefix: string, name: string): string {
  return constructName(prefix, PATH_SEPARATOR, name)
}

/** The first rule that a path breaks, in its prefix, then in its name. */
export function streamPathFault(path: string): NameFault | undefined {
  const { prefix, name, hasSeparator } = splitStreamPath(path)
  const fault = streamNameFault(prefix, 'prefix')
  if (fault !== undefined) return fault
  if (hasSeparator) return streamNameFault(name)
  return { rule: 'no separator', part: 'path', index: path.length, message: 'has no segment that is +' }
}

/** As `streamPathFault`, but prefix and name may be missing, for whoever looks for the beginnings of paths. */
export function partialPathFault(path: string): NameFault | undefined {
  const { prefix, name } = splitStreamPath(path)
  const fault = prefix === '' ? undefined : streamNameFault(prefix, 'prefix')
  return fault ?? (name === '' ? undefined : streamNameFault(name))
}

/** @throws RecoveryLogError `NAME_INVALID` with rule, part, index and value */
export function assertStreamPath(path: string): void {
  assertNoFault(streamPathFault(path), path)
}

/** A path's last segment and what comes before it. A path of one segment has nothing before it. */
export function splitLast(path: string): { readonly parent: string; readonly last: string } {
  const at = path.lastIndexOf(SEPARATOR)
  return at > 0 ? { parent: path.slice(0, at), last: path.slice(at + 1) } : { parent: '', last: path }
}

/** Where a stream can be found. */
export interface StreamAddress {
  /** With its port, when there is one. May be empty. */
  readonly host: string
  readonly project: string
  readonly path: string
}

const ADDRESS = /^logdog:\/\/([^/?#]*)\/([^?#]*)/i

/**
 * Reads `logdog://<host>/<project>/<path>`. Percent signs are resolved; what comes after `?` or `#` is passed over.
 *
 * @throws RecoveryLogError `NAME_INVALID`
 */
export function parseStreamAddress(address: string): StreamAddress {
  const match = ADDRESS.exec(address)
  const resource = match === null ? undefined : percentDecoded(match[2] as string)
  if (match === null || resource === undefined) {
    const message = 'must be logdog://<host>/<project>/<path>'
    assertNoFault({ rule: 'scheme', part: 'address', index: 0, message }, address)
  }
  const text = resource as string
  const at = text.indexOf(SEPARATOR)
  const project = at < 0 ? text : text.slice(0, at)
  const path = at < 0 ? '' : text.slice(at + 1)
  assertNoFault(projectFault(project) ?? streamPathFault(path), address)
  return { host: (match as RegExpExecArray)[1] as string, project, path }
}

/** The address in text. Names need no percent signs. */
export function formatStreamAddress({ host, project, path }: StreamAddress): string {
  return `logdog://${host}/${project}/${path}`
}

function percentDecoded(text: string): string | undefined {
  try {
    return decodeURIComponent(text)
  } catch {
    return undefined // a percent sign without its digits: no address
  }
}
