import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach } from 'vitest'
import { TalkingProcess } from './talking-process.ts'

export const PROCESS_SEED = Number(process.env['SEED'] ?? 20261121)
export const GENERATIONS = Number(process.env['GENERATIONS'] ?? 2)

/** A folder for each test of a file, and the processes that work in it: none is left behind. */
export class ProcessFolder {
  dir = ''
  readonly #script: string
  #children: TalkingProcess[] = []
  #random = PROCESS_SEED

  /** @param script is run with the folder and the name of the process */
  constructor(name: string, script: string) {
    this.#script = script
    beforeEach(() => {
      this.dir = mkdtempSync(join(tmpdir(), name))
      this.#children = []
      this.#random = PROCESS_SEED
    })
    afterEach(async () => {
      for (const child of this.#children) await child.kill()
      rmSync(this.dir, { recursive: true })
    })
  }

  start(name: string): TalkingProcess {
    const child = new TalkingProcess(this.#script, [this.dir, name])
    this.#children.push(child)
    return child
  }

  /** Kills processes at random points: each after another number of lines. */
  async killSoon(...children: readonly TalkingProcess[]): Promise<void> {
    for (const child of children) {
      this.#random = (this.#random * 1_103_515_245 + 12_345) % 2 ** 31
      const wanted = 1 + (this.#random % 60)
      await child.until(() => child.lines.length >= wanted)
    }
    for (const child of children) await child.kill()
  }

  /** What all of them have said. */
  get lines(): string[] {
    return this.#children.flatMap(({ lines }) => lines)
  }
}
