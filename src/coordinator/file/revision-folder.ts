import { randomBytes } from 'node:crypto'
import {
  closeSync,
  linkSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  unlinkSync,
  writeSync,
} from 'node:fs'
import { dirname, join } from 'node:path'
import { RecoveryLogError } from '../../errors/index.ts'
import { systemErrorCode } from '../../parts/index.ts'
import { conflictAt } from '../state-store.ts'
import type { StateDocument } from '../state-store.ts'
import { revisionIn, revisionText } from './revision-file.ts'
import type { Revision } from './revision-file.ts'
import { ifThere, removeFile, syncFile, syncFolder } from './system.ts'

/**
 * The folder of a document, with a file for each revision (adapters spec, Q5). A revision is made by linking a synced file
 * to its number, which the system lets one writer do; readers take the highest.
 *
 * Revisions before the highest are removed. So a number may be free again when a writer comes that has slept long: its
 * link succeeds, but below the highest. It finds that out by looking again: the highest names the writes that have made
 * those before it.
 */

/** A reader that loses a race against a removal looks again; whoever removes has made a newer one. */
const READ_TRIES = 1000

/**
 * The latest revision, or undefined when there is no document. `known` is one that was the latest before: when it still
 * is, its file, which never changes, is not read again.
 *
 * @throws RecoveryLogError `CORRUPT`, `UNAVAILABLE`
 */
export function readLatest(folder: string, known?: Revision): Revision | undefined {
  for (let tries = 0; tries < READ_TRIES; tries++) {
    const number = highestOf(revisionsIn(folder))
    if (number === 0) return undefined
    if (number === known?.document.revision) return known
    const path = join(folder, String(number))
    const text = ifThere(() => readFileSync(path, 'utf8'))
    if (text !== undefined) return revisionIn(text, path)
  }
  throw new RecoveryLogError('UNAVAILABLE', `${folder} changes faster than it can be read`, { folder })
}

export interface RevisionWrite {
  readonly folder: string
  /** Where files are written before they are linked. */
  readonly aside: string
  readonly id: string
  /** The revision that this one follows; 0 makes the document. */
  readonly revision: number
  readonly document: StateDocument
  /** As `readLatest` has it. */
  readonly known: Revision | undefined
  /** Called with the number when all is ready, right before others may see it. */
  readonly announce: (revision: number) => void
}

/** Makes the revision behind `revision`, and answers it. @throws RecoveryLogError `CONFLICT`, `OUTCOME_UNKNOWN` */
export async function writeRevision(write: RevisionWrite): Promise<Revision> {
  const { folder, aside, id, revision, document, known, announce } = write
  const before = readLatest(folder, known)
  const lost = conflictAt(document.kind, id, revision)
  if ((before?.document.revision ?? 0) !== revision) throw lost
  const token = randomBytes(8).toString('hex')
  const number = revision + 1
  const text = revisionText(id, number, document, [token, ...(before?.lineage ?? [])])
  if (revision === 0) mkdirSync(folder, { recursive: true })
  const asidePath = join(aside, token)
  const path = join(folder, String(number))
  await writeSynced(asidePath, text)
  try {
    announce(number)
    linkSync(asidePath, path)
  } catch (error) {
    throw systemErrorCode(error) === 'EEXIST' ? lost : error
  } finally {
    unlinkSync(asidePath)
  }
  // Asked before anything is waited for: later there may be too many behind it to say.
  const revisions = revisionsIn(folder)
  if (highestOf(revisions) !== number && !isMade(folder, number, token)) {
    ifThere(() => unlinkSync(path))
    throw lost
  }
  // Of a new document the name of its folder too, whoever has made that.
  await Promise.all([syncFolder(folder), revision === 0 ? syncFolder(dirname(folder)) : undefined])
  await Promise.all(revisions.map(async (older) => older < number && removeFile(join(folder, String(older)))))
  return revisionIn(text, path) // as it lies there: the caller may go on with what it has handed in
}

/** Whether the revision `number` is what the write `token` has made. @throws RecoveryLogError `OUTCOME_UNKNOWN` */
function isMade(folder: string, number: number, token: string): boolean {
  const { document, lineage } = readLatest(folder) as Revision
  const writer = lineage[document.revision - number]
  if (writer !== undefined) return writer === token
  const message = `${folder} has gone on too far to say who has made revision ${number}`
  throw new RecoveryLogError('OUTCOME_UNKNOWN', message, { folder, revision: number })
}

async function writeSynced(path: string, text: string): Promise<void> {
  const fd = openSync(path, 'wx')
  try {
    const bytes = Buffer.from(text)
    let written = 0
    while (written < bytes.length) written += writeSync(fd, bytes, written)
    await syncFile(fd)
  } finally {
    closeSync(fd)
  }
}

function revisionsIn(folder: string): number[] {
  return (ifThere(() => readdirSync(folder)) ?? []).map(Number)
}

function highestOf(revisions: readonly number[]): number {
  return revisions.reduce((highest, revision) => Math.max(highest, revision), 0)
}
