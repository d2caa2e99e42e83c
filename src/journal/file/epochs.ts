import { RecoveryLogError } from '../../errors/index.ts'
import type { Label } from '../journal.ts'
import { damageError, wholeEnd } from './epoch-end.ts'
import type { Seal, TornTail } from './epoch-end.ts'
import { decodeRecord, encodeRecord } from './format.ts'
import type { JournalFolder } from './journal-folder.ts'
import { labelsOf } from './segment-file.ts'

/** Each attempt that fails means that another claimant got one step further. */
const CLAIM_ATTEMPTS_MAX = 100

/** Intents and seals: who appends, and up to where each epoch counts. */
export class Epochs {
  readonly #folder: JournalFolder
  readonly #boot: string
  readonly #onTornTail: (tail: TornTail) => void
  readonly #seals = new Map<number, Seal>()
  #newest: number

  constructor(folder: JournalFolder, boot: string, onTornTail: (tail: TornTail) => void) {
    this.#folder = folder
    this.#boot = boot
    this.#onTornTail = onTornTail
    this.#newest = folder.listedEpoch()
  }

  /** The highest epoch that anybody has claimed; 0 when nobody has. */
  newest(): number {
    while (this.isReplaced(this.#newest)) this.#newest++
    return this.#newest
  }

  /** Whether a later epoch than this one has been claimed. */
  isReplaced(epoch: number): boolean {
    return this.#folder.hasIntent(epoch + 1)
  }

  /** The seal of a claimed epoch. Publishes it when its claimant has not: that claims nothing. */
  seal(epoch: number): Seal {
    const known = this.#seals.get(epoch)
    if (known !== undefined) return known
    const seal = this.#read(epoch) ?? this.#publishEnd(epoch)
    this.#seals.set(epoch, seal)
    return seal
  }

  /** Claims the next epoch, and answers where it begins. */
  claim(): Seal {
    for (let attempt = 0; attempt < CLAIM_ATTEMPTS_MAX; attempt++) {
      this.#folder.assertThere()
      const newest = this.newest()
      if (this.#folder.createIntent(newest + 1)) return this.seal(newest + 1)
    }
    throw new RecoveryLogError('UNAVAILABLE', 'others keep taking over', {
      journal: this.#folder.identity.name,
      attempts: CLAIM_ATTEMPTS_MAX,
    })
  }

  /**
   * Ends an epoch of our own at `begin`, leaving out what was written behind it and is in doubt. Answers the seal that
   * holds: another one's, when it was faster, may lie higher.
   */
  retire(epoch: number, begin: number, registers: readonly Label[]): Seal {
    this.#folder.assertThere()
    this.#folder.createIntent(epoch + 1) // there already: somebody is taking over, and the first link wins
    return this.#read(epoch + 1) ?? this.#publish({ epoch: epoch + 1, begin, registers }, undefined)
  }

  #publishEnd(epoch: number): Seal {
    if (epoch === 1) return this.#publish({ epoch, begin: 0, registers: [] }, undefined)
    const { offset, registers, torn, damage } = wholeEnd(this.#folder, this.seal(epoch - 1), this.#boot)
    if (damage !== undefined) throw damage
    return this.#publish({ epoch, begin: offset, registers }, torn)
  }

  #publish({ epoch, begin, registers }: Seal, torn: TornTail | undefined): Seal {
    const pairs = registers.map(({ name, value }) => [name, value])
    const isOurs = this.#folder.publishSeal(epoch, encodeRecord({ epoch, begin, registers: pairs }))
    if (isOurs && torn !== undefined) this.#onTornTail(torn)
    const seal = this.#read(epoch)
    if (seal === undefined) throw new Error(`the seal of epoch ${String(epoch)} has gone`)
    return seal
  }

  #read(epoch: number): Seal | undefined {
    const bytes = this.#folder.readSeal(epoch)
    if (bytes === undefined) return undefined
    const record = decodeRecord(bytes) as { begin: number; registers: unknown } | undefined
    if (record === undefined) throw damageError(this.#folder, 0, bytes.length)
    return { epoch, begin: record.begin, registers: labelsOf(record.registers) }
  }
}
