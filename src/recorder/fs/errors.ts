/** Errors of the shape of Node's own, with `/`-rooted paths. */

/** What Linux says, by code. Other systems number some of them differently: go by `code`. */
const ERRNO = {
  EBADF: [9, 'bad file descriptor'],
  EBUSY: [16, 'resource busy or locked'],
  EEXIST: [17, 'file already exists'],
  EINVAL: [22, 'invalid argument'],
  EIO: [5, 'i/o error'],
  EISDIR: [21, 'illegal operation on a directory'],
  ELOOP: [40, 'too many symbolic links encountered'],
  ENAMETOOLONG: [36, 'name too long'],
  ENOENT: [2, 'no such file or directory'],
  ENOSYS: [38, 'function not implemented'],
  ENOTDIR: [20, 'not a directory'],
  ENOTEMPTY: [39, 'directory not empty'],
  EPERM: [1, 'operation not permitted'],
  EXDEV: [18, 'cross-device link not permitted'],
} as const satisfies Record<string, readonly [number, string]>

export type SystemErrorCode = keyof typeof ERRNO

/** The fields that Node gives to what the system said. */
export interface SystemError extends Error {
  code: string
  errno: number
  syscall: string
  path?: string
  dest?: string
}

/** `ENOENT: no such file or directory, rename '/a' -> '/b'`. */
export function systemError(
  code: SystemErrorCode,
  syscall: string,
  path?: string,
  dest?: string,
): SystemError {
  const [errno, words] = ERRNO[code]
  const places = (path === undefined ? '' : ` '${path}'`) + (dest === undefined ? '' : ` -> '${dest}'`)
  const error = new Error(`${code}: ${words}, ${syscall}${places}`) as SystemError
  error.errno = -errno
  error.code = code
  error.syscall = syscall
  if (path !== undefined) error.path = path
  if (dest !== undefined) error.dest = dest
  return error
}

/** The same error of another call, which was made of several: Node has one system call there. */
export function retold(error: unknown, syscall: string, path: string, dest: string): unknown {
  if (!isSystemError(error) || error.errno > 0) return error
  const { code, errno, message } = error
  const words = message
    .slice(message.indexOf(' ') + 1)
    .split(',', 1)
    .join()
  const told = new Error(`${code}: ${words}, ${syscall} '${path}' -> '${dest}'`)
  return Object.assign(told, { errno, code, syscall, path, dest })
}

/** By shape: it may come from another realm. */
function isSystemError(error: unknown): error is SystemError {
  return typeof error === 'object' && error !== null && 'errno' in error && 'message' in error
}

const OPERATION_REASONS = {
  ERR_FS_EISDIR: 'Path is a directory',
  ERR_FS_CP_EINVAL: 'Invalid src or dest',
  ERR_FS_CP_DIR_TO_NON_DIR: 'Cannot overwrite non-directory with directory',
  ERR_FS_CP_NON_DIR_TO_DIR: 'Cannot overwrite directory with non-directory',
  ERR_FS_CP_EEXIST: 'Target already exists',
} as const

export type OperationErrorCode = keyof typeof OPERATION_REASONS

/** Node's errors of `cp` and `rm` that come from no system call: `ERR_FS_EISDIR` and the like. */
export function operationError(
  code: OperationErrorCode,
  syscall: 'cp' | 'rm',
  systemCode: SystemErrorCode,
  detail: string,
  path: string,
): SystemError {
  const [errno] = ERRNO[systemCode]
  const message = `${OPERATION_REASONS[code]}: ${syscall} returned ${systemCode} (${detail}) ${path}`
  const error = new Error(message) as SystemError
  error.name = 'SystemError'
  error.errno = errno
  error.code = code
  error.syscall = syscall
  error.path = path
  return error
}

/** A caller's own mistake, with Node's code. */
export function argumentError(
  code: 'ERR_INVALID_ARG_TYPE' | 'ERR_INVALID_ARG_VALUE' | 'ERR_INVALID_RETURN_VALUE' | 'ERR_OUT_OF_RANGE',
  message: string,
): TypeError | RangeError {
  const error = code === 'ERR_OUT_OF_RANGE' ? new RangeError(message) : new TypeError(message)
  return Object.assign(error, { code })
}

/** A function that this file system has no way to record. */
export function unsupported(name: string): SystemError {
  return systemError('ENOSYS', name)
}

/**
 * The error of the underlying file system, as if `/` were its root: `virtual` maps its paths. What names no path (wrong
 * types of arguments) is left as it is.
 */
export function withVirtualPaths(error: unknown, virtual: (real: string) => string): unknown {
  if (!isSystemError(error) || typeof error.path !== 'string') return error
  const { errno, code, syscall, path, dest } = error
  const mapped = { path: virtual(path), ...(dest === undefined ? {} : { dest: virtual(dest) }) }
  let message = error.message.replace(`'${path}'`, () => `'${mapped.path}'`)
  if (dest !== undefined) message = message.replace(`-> '${dest}'`, () => `-> '${virtual(dest)}'`)
  return Object.assign(new Error(message), { errno, code, syscall }, mapped)
}
