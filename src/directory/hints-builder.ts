/** Builds the sets of hints of one owner (durable-directory spec, section 3). */
import type { JournalResolver } from '../journal/index.ts'
import type { Clock } from '../parts/index.ts'
import type { Recorder } from '../recorder/index.ts'
import type { FSMHints } from '../wire/index.ts'
import type { HintsSet, JournalIdentity, Since } from './hints-set.ts'

export interface HintsBuilderOptions {
  readonly author: number
  readonly since: Since
  readonly log: string
  readonly clock: Clock
  readonly journals: JournalResolver
}

export class HintsBuilder {
  readonly #options: HintsBuilderOptions
  readonly #recorder: Recorder

  constructor(options: HintsBuilderOptions, recorder: Recorder) {
    this.#options = options
    this.#recorder = recorder
  }

  /** Inside a barrier: all that the set speaks of has committed. */
  async build(signal: AbortSignal | undefined): Promise<{ set: HintsSet; position: number }> {
    const { position } = this.#recorder
    const hints = await this.#recorder.hints(signal === undefined ? {} : { signal })
    return { set: await hintsSetOf(this.#options, hints, this.#recorder.head), position }
  }
}

/** A set of these hints, built when the log had committed through `end`. */
export async function hintsSetOf(
  { author, since, log, clock, journals }: HintsBuilderOptions,
  hints: FSMHints,
  end: number,
): Promise<HintsSet> {
  const names = new Set([log, hints.log])
  for (const { segments } of hints.liveNodes) {
    for (const segment of segments) if (segment.log !== '') names.add(segment.log)
  }
  const identities: JournalIdentity[] = []
  for (const name of names) {
    const journal = await journals(name)
    if (journal !== undefined) identities.push({ name, id: journal.id })
  }
  return { time: clock.now(), author, since, end: { log, end }, journals: identities, hints }
}
