import { SEPARATOR } from './stream-name.ts'

/** Paths of Google's store, `gs://<bucket>/<name>`, as LUCI's settings and reports have them. */

const SCHEME = 'gs://'

export interface GsPath {
  /** Empty when the path has no scheme. */
  readonly bucket: string
  /** The object's name; without a scheme, the whole path. */
  readonly name: string
}

/** Takes a path apart. Nothing is validated. */
export function splitGsPath(path: string): GsPath {
  if (!path.startsWith(SCHEME)) return { bucket: '', name: path }
  const rest = path.slice(SCHEME.length)
  const at = rest.indexOf(SEPARATOR)
  return at < 0 ? { bucket: rest, name: '' } : { bucket: rest.slice(0, at), name: rest.slice(at + 1) }
}

/** Goes down from a path: slashes at the ends of all parts are passed over, and parts that are then empty. */
export function joinGsPath(base: string, ...parts: readonly string[]): string {
  const { bucket, name } = splitGsPath(base)
  const names = [name, ...parts].map((part) => part.replace(/\/+$/, '')).filter((part) => part !== '')
  return (bucket === '' ? [] : [SCHEME + bucket]).concat(names).join(SEPARATOR)
}
