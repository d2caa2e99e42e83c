/**
 * The directories and how many names are in each, as far as they are recorded: so that becoming empty, and ceasing to
 * be, is told without reading the disk.
 */
import { parentOf } from './names.ts'

export class Directories {
  readonly #counts = new Map<string, number>([['/', 0]])

  has(path: string): boolean {
    return this.#counts.has(path)
  }

  isEmpty(path: string): boolean {
    return this.#counts.get(path) === 0
  }

  /** A directory, and those above it as far as they are not known yet. */
  add(path: string): void {
    if (this.#counts.has(path)) return
    this.#counts.set(path, 0)
    this.addName(path)
  }

  remove(path: string): void {
    this.#counts.delete(path)
    this.removeName(path)
  }

  /** A name in its parent, which becomes known with it. */
  addName(path: string): void {
    const parent = parentOf(path)
    this.add(parent)
    this.#counts.set(parent, (this.#counts.get(parent) as number) + 1)
  }

  removeName(path: string): void {
    const parent = parentOf(path)
    this.#counts.set(parent, (this.#counts.get(parent) as number) - 1)
  }
}
