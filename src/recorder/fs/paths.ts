/** From what a caller calls a path to a place of the disk. No path leads out of the root. */
import type { Context } from './context.ts'
import { argumentError, systemError } from './errors.ts'
import { isBrokenText, isReservedName, isTooLong, parentOf } from './names.ts'
import { ask, type Steps } from './steps.ts'

export interface Place {
  /** Begins with `/`, without `.`, `..`, empty pieces or a slash at its end. */
  readonly path: string
  /** On the underlying file system; with the slash that the caller ended with, which asks for a directory. */
  readonly real: string
  /** For errors. */
  readonly shown: string
}

export interface Locating {
  /** For errors. */
  readonly syscall: string
  /** Whether a symbolic link at the end is followed. */
  readonly follow: boolean
  /** Whether the call makes, changes or removes what is there: then reserved names are refused. */
  readonly changes: boolean
}

/** As Linux has it. */
const LINKS_FOLLOWED_MAX = 40

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

/**
 * The place that a path names. `..` is resolved against `/`. `EPERM` for names that are reserved, hidden or no text, and
 * for a symbolic link that leads out of the root; `ENAMETOOLONG`.
 */
export function* locate(context: Context, argument: unknown, locating: Locating): Steps<Place> {
  const { syscall, follow, changes } = locating
  const text = pathText(argument, syscall)
  if (text === '') throw systemError('ENOENT', syscall, '')
  const clean = normalise(text)
  const slash = clean !== '/' && /\/\.{0,2}$/.test(text) ? '/' : ''
  if (isBrokenText(clean)) throw systemError('EPERM', syscall, clean)
  if (isTooLong(clean)) throw systemError('ENAMETOOLONG', syscall, clean)
  const path = yield* resolve(context, clean, follow || slash !== '', syscall)
  const shown = path === '/' ? path : path + slash
  if (changes && isReservedName(path, context.platform)) throw systemError('EPERM', syscall, shown)
  return { path, real: context.disk.real(path) + (path === '/' ? '' : slash), shown }
}

/** The text of a path (a string, bytes, or a file URL), or of the beginning of one. `EPERM` when it is not valid UTF-8. */
export function pathText(argument: unknown, syscall: string): string {
  let text: string
  if (typeof argument === 'string') text = argument
  else if (argument instanceof Uint8Array) text = decoded(argument, syscall)
  else if (isUrl(argument)) text = urlPath(argument)
  else {
    const message = `The "path" argument must be of type string or an instance of Buffer or URL. Received ${shownType(argument)}`
    throw argumentError('ERR_INVALID_ARG_TYPE', message)
  }
  if (text.includes('\0')) {
    const message = `The argument 'path' must be a string, Uint8Array, or URL without null bytes. Received ${JSON.stringify(text)}`
    throw argumentError('ERR_INVALID_ARG_VALUE', message)
  }
  return text
}

/** Begins with `/`: what is relative is so to the root. */
export function normalise(text: string): string {
  if (!/(?:^[^/])|\/(?:\/|\.{1,2}(?:\/|$)|$)/.test(text)) return text
  const pieces: string[] = []
  for (const piece of text.split('/')) {
    if (piece === '..') pieces.pop()
    else if (piece !== '' && piece !== '.') pieces.push(piece)
  }
  return `/${pieces.join('/')}`
}

/**
 * The path without symbolic links, but for one at its end that is not followed. What is recorded is none, and so need not
 * be looked at; where nothing is, the call itself will say so.
 */
function* resolve(context: Context, path: string, follow: boolean, syscall: string): Steps<string> {
  const { tree, disk } = context
  if (tree.kindOf(path) !== undefined) return path
  if (!follow && tree.kindOf(parentOf(path)) === 'directory') return path
  let pieces = path.slice(1).split('/')
  let links = 0
  let at = ''
  for (let i = 0; i < pieces.length; i++) {
    const next = `${at}/${pieces[i] as string}`
    const rest = pieces.slice(i + 1)
    if (tree.kindOf(next) === undefined && (follow || rest.length > 0)) {
      const stats = yield* context.lookUp(next)
      if (stats === undefined) return [next, ...rest].join('/')
      if (stats.isSymbolicLink()) {
        if (++links > LINKS_FOLLOWED_MAX) throw systemError('ELOOP', syscall, path)
        const target = linkTarget(at, yield* ask('readlink', disk.real(next)), disk.root)
        if (target === undefined) throw systemError('EPERM', syscall, path)
        pieces = [...target, ...rest]
        at = ''
        i = -1
        continue
      }
    }
    at = next
  }
  return at === '' ? '/' : at
}

/** The pieces of what a link in `directory` leads to. Undefined when that is not below the root. */
function linkTarget(directory: string, target: string, root: string): string[] | undefined {
  const pieces: string[] = []
  let text = `${directory}/${target}`
  if (target.startsWith('/')) {
    if (target !== root && !target.startsWith(`${root}/`)) return undefined
    text = target.slice(root.length)
  }
  for (const piece of text.split('/')) {
    if (piece === '..' && pieces.pop() === undefined) return undefined
    if (piece !== '..' && piece !== '' && piece !== '.') pieces.push(piece)
  }
  return pieces
}

function decoded(bytes: Uint8Array, syscall: string): string {
  try {
    return utf8.decode(bytes)
  } catch {
    throw systemError('EPERM', syscall)
  }
}

/** By shape, as Node tells one: a URL may come from another realm. */
function isUrl(argument: unknown): argument is URL {
  const { href, protocol, pathname } = (argument ?? {}) as Partial<URL>
  return typeof href === 'string' && typeof protocol === 'string' && typeof pathname === 'string'
}

function urlPath({ protocol, pathname }: URL): string {
  if (protocol !== 'file:') {
    throw Object.assign(new TypeError('The URL must be of scheme file'), { code: 'ERR_INVALID_URL_SCHEME' })
  }
  if (/%2f/i.test(pathname)) {
    const message = 'File URL path must not include encoded / characters'
    throw Object.assign(new TypeError(message), { code: 'ERR_INVALID_FILE_URL_PATH' })
  }
  return decodeURIComponent(pathname)
}

function shownType(value: unknown): string {
  return value === null || value === undefined ? String(value) : `type ${typeof value}`
}
