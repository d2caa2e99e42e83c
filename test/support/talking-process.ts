import { spawn } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { createInterface } from 'node:readline'

/** A child process that runs a script of ours and says what it has done, a line each. */
export class TalkingProcess {
  readonly lines: string[] = []
  readonly #child: ChildProcess
  readonly #ended: Promise<void>
  readonly #waiting = new Set<() => void>()

  constructor(script: string, args: readonly string[]) {
    this.#child = spawn(process.execPath, ['--import', 'tsx', script, ...args], {
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    const lines = createInterface({ input: this.#child.stdout as NodeJS.ReadableStream })
    lines.on('line', (line) => {
      this.lines.push(line)
      for (const wake of this.#waiting) wake()
      this.#waiting.clear()
    })
    this.#ended = new Promise((resolve) => lines.on('close', resolve))
  }

  /** Kills it, and waits until all that it said has been read. */
  async kill(): Promise<void> {
    this.#child.kill('SIGKILL')
    await this.#ended
  }

  /** Waits until this holds. Fails when the process ends before. */
  async until(holds: () => boolean): Promise<void> {
    const ended = this.#ended.then(() => {
      throw new Error('the process has ended')
    })
    ended.catch(() => undefined)
    while (!holds()) await Promise.race([ended, new Promise<void>((resolve) => this.#waiting.add(resolve))])
  }
}
