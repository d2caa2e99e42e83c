/** Every call of the recorded file system that is made of steps, with its plain name. */
import type { Context } from '../context.ts'
import { systemError } from '../errors.ts'
import type { Steps } from '../steps.ts'
import { copyFile, cp } from './copy.ts'
import { mkdir, mkdtemp, rm, rmdir } from './directories.ts'
import { syncDescriptor } from './durable.ts'
import { link, rename, unlink } from './names.ts'
import { close, open } from './open.ts'
import { opendir } from './opendir.ts'
import {
  movesPosition,
  passDescriptor,
  passPath,
  read,
  readdir,
  readFile,
  readlink,
  readv,
  realpath,
} from './read.ts'
import { ftruncate, truncate } from './truncate.ts'
import { appendFile, write, writeFile, writev } from './write.ts'

/** What becomes of a call (durable-directory spec, section 2). */
export type Treatment = 'recorded' | 'passed' | 'kept' | 'durable' | 'refused'

export interface Operation {
  readonly treatment: Treatment
  /** Whether it has its place in the order of the calls; else it runs beside them. */
  readonly isOrdered: (args: readonly unknown[]) => boolean
  readonly steps: (context: Context, ...args: unknown[]) => Steps<unknown>
}

type StepsOf = Operation['steps']

const always = (): boolean => true
const never = (): boolean => false

const recorded = (steps: StepsOf): Operation => ({ treatment: 'recorded', isOrdered: always, steps })
const kept = (steps: StepsOf): Operation => ({ treatment: 'kept', isOrdered: always, steps })
const durable = (steps: StepsOf): Operation => ({ treatment: 'durable', isOrdered: always, steps })
const passed = (steps: StepsOf, isOrdered: Operation['isOrdered'] = never): Operation => ({
  treatment: 'passed',
  isOrdered,
  steps,
})

export const OPERATIONS = {
  access: passed(passPath('access', 'access', true)),
  appendFile: recorded(appendFile),
  chmod: kept(passPath('chmod', 'chmod', true)),
  chown: kept(passPath('chown', 'chown', true)),
  close: recorded(close),
  copyFile: recorded(copyFile),
  cp: recorded(cp),
  fchmod: kept(passDescriptor('fchmod')),
  fchown: kept(passDescriptor('fchown')),
  fdatasync: durable(syncDescriptor('fdatasync')),
  fstat: passed(passDescriptor('fstat')),
  fsync: durable(syncDescriptor('fsync')),
  ftruncate: recorded(ftruncate),
  futimes: kept(passDescriptor('futimes')),
  lchmod: kept(passPath('lchmod', 'lchmod', false)),
  lchown: kept(passPath('lchown', 'lchown', false)),
  link: recorded(link),
  lstat: passed(passPath('lstat', 'lstat', false)),
  lutimes: kept(passPath('lutimes', 'lutime', false)),
  mkdir: recorded(mkdir),
  mkdtemp: recorded(mkdtemp),
  open: recorded(open),
  opendir: passed(opendir),
  read: passed(read, ([, , , , position]) => movesPosition(position)),
  readdir: passed(readdir),
  readFile: passed(readFile, ([target]) => typeof target === 'number'),
  readlink: passed(readlink),
  readv: passed(readv, ([, , position]) => movesPosition(position)),
  realpath: passed(realpath),
  rename: recorded(rename),
  rm: recorded(rm),
  rmdir: recorded(rmdir),
  stat: passed(passPath('stat', 'stat', true)),
  statfs: passed(passPath('statfs', 'statfs', true)),
  symlink: { treatment: 'refused', isOrdered: never, steps: symlink },
  truncate: recorded(truncate),
  unlink: recorded(unlink),
  utimes: kept(passPath('utimes', 'utime', true)),
  write: recorded(write),
  writeFile: recorded(writeFile),
  writev: recorded(writev),
} as const satisfies Record<string, Operation>

export type OperationName = keyof typeof OPERATIONS

/** A symbolic link could not be recovered: it is not recorded. */
function* symlink(_context: Context, target: unknown, path: unknown): Steps<void> {
  throw systemError('EPERM', 'symlink', String(target), String(path))
}
