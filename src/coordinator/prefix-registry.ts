import { RecoveryLogError } from '../errors/index.ts'
import {
  assertProject,
  assertStreamName,
  PREFIX_SECRET_BYTES,
  prefixId,
  RETRY_NONCE_BYTES,
} from '../names/index.ts'
import type { Clock, Random, Sha256Factory } from '../parts/index.ts'
import type { WithSignal } from '../storage/index.ts'
import { toBase64 } from './base64.ts'
import { changeDocument } from './change-document.ts'
import type { RegisteredPrefix, RegisterPrefixRequest } from './coordinator.ts'
import { isSameSecret } from './same-secret.ts'
import { shortestMs } from './settings-book.ts'
import type { SettingsBook } from './settings-book.ts'
import type { StateDocument, StreamStore } from './state-store.ts'
import { StoredFields } from './stored-fields.ts'

/** Prefixes in the state store: documents of kind `prefix`, listed by prefix. Each is registered once (section 8). */

export const PREFIX_KIND = 'prefix'

/** So long who has registered a prefix may ask again: the answer may have been lost. */
const RETRY_MS = 15 * 60 * 1000

interface PrefixRecord {
  readonly secret: Uint8Array
  /** Empty: none was given, and nobody may ask again. */
  readonly nonce: Uint8Array
  readonly createdMs: number
  readonly expiresMs: number
  readonly source: readonly string[]
}

export interface PrefixRegistryParts {
  readonly store: StreamStore
  readonly clock: Pick<Clock, 'now'>
  readonly random: Random
  readonly sha256: Sha256Factory
  readonly settings: SettingsBook
}

export class PrefixRegistry {
  readonly #parts: PrefixRegistryParts

  constructor(parts: PrefixRegistryParts) {
    this.#parts = parts
  }

  async register(request: RegisterPrefixRequest): Promise<RegisteredPrefix> {
    const { project, prefix, expirationMs = 0, nonce = new Uint8Array(), source = [] } = request
    assertProject(project)
    assertStreamName(prefix, 'prefix')
    checkExpiration(expirationMs)
    const { store, clock, random } = this.#parts
    const known = await this.#read(project, prefix, request)
    if (known !== undefined) return this.#again(request, known)
    checkNonce(nonce)
    const createdMs = clock.now()
    const expiresMs = createdMs + (await this.#livesMs(request, expirationMs))
    const secret = random(PREFIX_SECRET_BYTES)
    const document = prefixDocument(project, prefix, { secret, nonce, createdMs, expiresMs, source })
    try {
      await store.create(this.#idOf(project, prefix), document, request)
      return { secret: new Uint8Array(secret), expiresMs }
    } catch (error) {
      // Somebody else was faster: perhaps who asks, before the answer was lost.
      const winner = RecoveryLogError.is(error, 'CONFLICT')
        ? await this.#read(project, prefix, request)
        : undefined
      if (winner === undefined) throw error
      return this.#again(request, winner)
    }
  }

  /**
   * The prefix's expiration and secret, for whoever shows that.
   *
   * @throws RecoveryLogError `NOT_FOUND`, `DENIED`
   */
  async authenticate(
    request: { readonly project: string; readonly secret: Uint8Array } & WithSignal,
    prefix: string,
  ): Promise<RegisteredPrefix> {
    const { project, secret } = request
    const record = await this.#read(project, prefix, request)
    if (record === undefined) {
      throw new RecoveryLogError('NOT_FOUND', `the prefix ${prefix} is not registered`, { project, prefix })
    }
    if (!isSameSecret(record.secret, secret)) {
      throw new RecoveryLogError('DENIED', `this is not the secret of the prefix ${prefix}`, {
        project,
        prefix,
      })
    }
    return { secret: record.secret, expiresMs: record.expiresMs }
  }

  /** Answers who has registered the prefix before, when the nonce says so. */
  #again({ project, prefix, nonce }: RegisterPrefixRequest, known: PrefixRecord): RegisteredPrefix {
    const { secret, createdMs, expiresMs } = known
    const isSame = nonce !== undefined && nonce.length > 0 && isSameSecret(known.nonce, nonce)
    if (isSame && this.#parts.clock.now() <= createdMs + RETRY_MS) return { secret, expiresMs }
    throw new RecoveryLogError('ALREADY_EXISTS', `the prefix ${prefix} is registered`, { project, prefix })
  }

  /** The shortest of what is asked for and what project and service say. @throws RecoveryLogError `INVALID` */
  async #livesMs(request: RegisterPrefixRequest, expirationMs: number): Promise<number> {
    const { project, prefix } = request
    const { prefixExpirationMs } = await this.#parts.settings.read(project, request)
    const livesMs = shortestMs([expirationMs, prefixExpirationMs])
    if (livesMs > 0) return livesMs
    const message = 'neither request, project nor service says when a prefix expires'
    throw new RecoveryLogError('INVALID', message, { project, prefix })
  }

  async #read(project: string, prefix: string, { signal }: WithSignal): Promise<PrefixRecord | undefined> {
    const options = signal === undefined ? {} : { signal }
    const stored = await this.#parts.store.read(PREFIX_KIND, this.#idOf(project, prefix), options)
    return stored === undefined ? undefined : prefixRecord(stored)
  }

  #idOf(project: string, prefix: string): string {
    return `${project}/${prefixId(prefix, this.#parts.sha256)}`
  }
}

/** Ends a prefix: no new stream can be registered under it from now on, and it cannot be registered again. */
export async function expirePrefix(store: StreamStore, id: string, options: WithSignal): Promise<void> {
  await changeDocument(store, PREFIX_KIND, id, options, (before) => {
    if (before === undefined) return undefined
    const record = prefixRecord(before)
    return record.expiresMs === 0
      ? undefined
      : prefixDocument(before.project, before.name, { ...record, expiresMs: 0 })
  })
}

function checkNonce(nonce: Uint8Array): void {
  if (nonce.length === 0 || nonce.length === RETRY_NONCE_BYTES) return
  const data = { bytes: nonce.length }
  throw new RecoveryLogError('INVALID', `a nonce has ${RETRY_NONCE_BYTES} bytes, not ${nonce.length}`, data)
}

function checkExpiration(expirationMs: number): void {
  if (Number.isSafeInteger(expirationMs) && expirationMs >= 0) return
  throw new RecoveryLogError('INVALID', `a prefix cannot expire after ${expirationMs} milliseconds`, {
    expirationMs,
  })
}

function prefixDocument(project: string, prefix: string, record: PrefixRecord): StateDocument {
  const { secret, nonce, source, ...times } = record
  const value = { secret: toBase64(secret), nonce: toBase64(nonce), source: [...source], ...times }
  return { kind: PREFIX_KIND, project, name: prefix, dueMs: null, value }
}

function prefixRecord(document: StateDocument): PrefixRecord {
  const fields = new StoredFields(document)
  return {
    secret: fields.bytes('secret'),
    nonce: fields.bytes('nonce'),
    createdMs: fields.integer('createdMs'),
    expiresMs: fields.integer('expiresMs'),
    source: fields.value('source') as readonly string[],
  }
}
