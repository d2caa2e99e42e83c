import { RecoveryLogError } from '../errors/index.ts'
import type { WithSignal } from '../storage/index.ts'
import { changeDocument } from './change-document.ts'
import { checkSettings, DEFAULT_COORDINATOR_SETTINGS } from './settings.ts'
import type { CoordinatorSettings } from './settings.ts'
import type { JsonValue, StoredDocument, StreamStore } from './state-store.ts'

/** Settings in the state store: documents of kind `settings`, one of the service and one of each project that has its own. */

const SETTINGS_KIND = 'settings'

/** The service's settings lie beside those of the projects; no project has an empty name. */
const SERVICE = ''

/** What somebody says for himself. */
export type OwnSettings = Readonly<Partial<CoordinatorSettings>>

/** Reads settings when they are asked for, so that a change counts from then on, whichever process has made it. */
export class SettingsBook {
  readonly #store: StreamStore
  readonly #service: CoordinatorSettings

  /** @throws RecoveryLogError `INVALID` with `setting` and `value` */
  constructor(store: StreamStore, service: OwnSettings = {}) {
    checkSettings(service)
    this.#store = store
    this.#service = { ...DEFAULT_COORDINATOR_SETTINGS, ...service }
  }

  /** What counts for `project` now; without one, for the service. */
  async read(project: string = SERVICE, options: WithSignal = {}): Promise<CoordinatorSettings> {
    const service = { ...this.#service, ...(await this.#own(SERVICE, options)) }
    if (project === SERVICE) return service
    const own = await this.#own(project, options)
    const lengths = [service.prefixExpirationMs, own.prefixExpirationMs ?? 0]
    return { ...service, ...own, prefixExpirationMs: shortestMs(lengths) }
  }

  /**
   * Replaces what a project, or the service, says for itself; what it does not say is as before it said anything.
   *
   * @throws RecoveryLogError `INVALID` with `setting` and `value`
   */
  async set(settings: OwnSettings, project: string = SERVICE, options: WithSignal = {}): Promise<void> {
    checkSettings(settings)
    const value = { ...settings } as JsonValue
    const document = { kind: SETTINGS_KIND, project, name: 'settings', dueMs: null, value }
    await changeDocument(this.#store, SETTINGS_KIND, idOf(project), options, () => document)
  }

  async #own(project: string, options: WithSignal): Promise<OwnSettings> {
    const stored = await this.#store.read(SETTINGS_KIND, idOf(project), options)
    return stored === undefined ? {} : settingsIn(stored)
  }
}

/** The shortest of those that are set; 0 when none is. */
export function shortestMs(lengths: readonly number[]): number {
  const set = lengths.filter((length) => length > 0)
  return set.length === 0 ? 0 : Math.min(...set)
}

function idOf(project: string): string {
  return project === SERVICE ? 'service' : `project/${project}`
}

function settingsIn({ project, value }: StoredDocument): OwnSettings {
  try {
    checkSettings(value as OwnSettings)
    return value as OwnSettings
  } catch (cause) {
    const message = `the stored settings of ${project === SERVICE ? 'the service' : project} are damaged`
    throw new RecoveryLogError('CORRUPT', message, { project }, { cause })
  }
}
