/**
 * What becomes of every function of `node:fs`, of `fs.promises` and of a file handle: data for documentation and for the
 * test that walks them. What is not here is refused when it is called, so that nothing is silently missing.
 */
import { OPERATIONS, type OperationName, type Treatment } from './operations/index.ts'

export type { Treatment }

/** Operations that have a promise form; the others work on descriptors, which promises have handles for. */
export const PROMISED = [
  'access',
  'appendFile',
  'chmod',
  'chown',
  'copyFile',
  'cp',
  'lchmod',
  'lchown',
  'link',
  'lstat',
  'lutimes',
  'mkdir',
  'mkdtemp',
  'open',
  'opendir',
  'readdir',
  'readFile',
  'readlink',
  'realpath',
  'rename',
  'rm',
  'rmdir',
  'stat',
  'statfs',
  'symlink',
  'truncate',
  'unlink',
  'utimes',
  'writeFile',
] as const satisfies readonly OperationName[]

const operationNames = Object.keys(OPERATIONS) as OperationName[]

/** Of `node:fs`, in callback and synchronous forms. */
export const FS_SUPPORT: Readonly<Record<string, Treatment>> = {
  ...Object.fromEntries(
    operationNames.flatMap((name) => {
      const { treatment } = OPERATIONS[name]
      return [
        [name, treatment],
        [`${name}Sync`, treatment],
      ]
    }),
  ),
  createReadStream: 'passed',
  createWriteStream: 'recorded',
  exists: 'passed',
  existsSync: 'passed',
  glob: 'refused',
  globSync: 'refused',
  mkdtempDisposableSync: 'refused',
  openAsBlob: 'passed',
  unwatchFile: 'passed',
  watch: 'passed',
  watchFile: 'passed',
  FileReadStream: 'passed',
  FileWriteStream: 'recorded',
  ReadStream: 'passed',
  WriteStream: 'recorded',
  Utf8Stream: 'refused',
}

/** Of `fs.promises`. */
export const PROMISES_SUPPORT: Readonly<Record<string, Treatment>> = {
  ...Object.fromEntries(PROMISED.map((name) => [name, OPERATIONS[name].treatment])),
  glob: 'refused',
  mkdtempDisposable: 'refused',
  watch: 'passed',
}

/** Of a file handle. */
export const HANDLE_SUPPORT: Readonly<Record<string, Treatment>> = {
  appendFile: 'recorded',
  chmod: 'kept',
  chown: 'kept',
  close: 'recorded',
  createReadStream: 'passed',
  createWriteStream: 'recorded',
  datasync: 'durable',
  getAsyncId: 'refused',
  read: 'passed',
  readFile: 'passed',
  readLines: 'passed',
  readableWebStream: 'passed',
  readv: 'passed',
  stat: 'passed',
  sync: 'durable',
  truncate: 'recorded',
  utimes: 'kept',
  write: 'recorded',
  writeFile: 'recorded',
  writev: 'recorded',
}
