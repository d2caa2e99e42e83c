/**
 * The tree as it is recorded: files by their names, directories, open inodes. Its changes are recorded as they are made,
 * so they are made inside of `Recorder.atomic`; `settle` ends each by bringing the markers of empty directories up to date.
 */
import { Directories } from './directories.ts'
import { MARKER_NAME, markerOf, parentOf } from './names.ts'
import { type Inode, newInode } from './open-files.ts'
import type { Recorder } from '../recorder.ts'

export type Kind = 'file' | 'directory' | 'property'

export class Tree {
  readonly #recorder: Recorder
  readonly #directories = new Directories()
  /** Those with open descriptors, by fnode, and by path for a property. */
  readonly #inodes = new Map<number | string, Inode>()
  /** Directories whose markers may have to come or go. */
  readonly #touched = new Set<string>()
  /** Files that are named like a marker and have content, out of a log that knew no markers. */
  readonly #likeMarkers: Set<string>

  /** `likeMarkers`: the linked paths named like a marker that are files on the disk. */
  constructor(recorder: Recorder, likeMarkers: Set<string>) {
    this.#recorder = recorder
    this.#likeMarkers = likeMarkers
    for (const { path } of recorder.fsm.links()) {
      if (this.#isMarker(path)) this.#directories.add(parentOf(path))
      else this.#directories.addName(path)
      this.#touched.add(parentOf(path))
    }
    for (const path of recorder.fsm.properties.keys()) this.#directories.addName(path)
    this.#touched.add('/')
  }

  kindOf(path: string): Kind | undefined {
    if (this.#directories.has(path)) return 'directory'
    if (this.#recorder.fsm.fnodeOf(path) !== undefined) return 'file'
    return this.#recorder.fsm.properties.has(path) ? 'property' : undefined
  }

  isEmpty(directory: string): boolean {
    return this.#directories.isEmpty(directory)
  }

  /** Every name of a file. */
  namesOf(path: string): readonly string[] {
    const fnode = this.#recorder.fsm.fnodeOf(path)
    return fnode === undefined ? [] : this.#recorder.fsm.linksOf(fnode)
  }

  /** What an open file of this path shares with the others; a new one when none is open. */
  inodeOf(path: string): Inode {
    const fnode = this.#recorder.fsm.fnodeOf(path)
    const property = fnode === undefined && this.#recorder.fsm.properties.has(path) ? path : undefined
    const open = this.#inodes.get(fnode ?? path)
    if (open !== undefined) return open
    return newInode(fnode, property)
  }

  /** Counts a descriptor that was opened. */
  opened(inode: Inode): void {
    inode.opens++
    if (inode.fnode > 0 || inode.property !== undefined) {
      this.#inodes.set(inode.property ?? inode.fnode, inode)
    }
  }

  closed(inode: Inode): void {
    if (--inode.opens === 0) this.#inodes.delete(inode.property ?? inode.fnode)
  }

  /** A new file with no content, which is to be the inode's. */
  create(path: string, inode: Inode): void {
    const fnode = this.#recorder.create(path)
    this.#directories.addName(path)
    this.#touched.add(parentOf(path))
    inode.fnode = fnode
    if (inode.opens > 0) this.#inodes.set(fnode, inode)
  }

  link(path: string, to: string): void {
    this.#recorder.link(path, to)
    this.#directories.addName(to)
    this.#touched.add(parentOf(to))
  }

  unlink(path: string): void {
    const fnode = this.#recorder.fsm.fnodeOf(path) as number
    this.#recorder.remove(path)
    this.#likeMarkers.delete(path)
    this.#directories.removeName(path)
    this.#touched.add(parentOf(path))
    const inode = this.#inodes.get(fnode)
    if (inode === undefined || this.#recorder.fsm.linksOf(fnode).length > 0) return
    inode.fnode = 0
    this.#inodes.delete(fnode)
  }

  /** Moves a name, over another file's when there is one. */
  rename(from: string, to: string): void {
    if (this.#recorder.fsm.fnodeOf(to) !== undefined) this.unlink(to)
    this.link(from, to)
    this.unlink(from)
  }

  /** The file goes on as a new fnode under all its names, with what is left of it. */
  replace(path: string, left: Uint8Array): void {
    const before = this.#recorder.fsm.fnodeOf(path) as number
    const fnode = this.#recorder.replace(before, left.length, (offset, length) =>
      left.subarray(offset, offset + length),
    )
    this.moved(before, fnode)
  }

  /** A file goes on as another fnode. */
  moved(before: number, fnode: number): void {
    const inode = this.#inodes.get(before)
    if (inode === undefined) return
    this.#inodes.delete(before)
    inode.fnode = fnode
    this.#inodes.set(fnode, inode)
  }

  /** A file becomes the property that it was renamed onto. */
  becomeProperty(path: string, property: string, content: string): void {
    const replaced = this.#inodes.get(property)
    if (replaced !== undefined) replaced.property = undefined
    this.#inodes.delete(property)
    const inode = this.#inodes.get(this.#recorder.fsm.fnodeOf(path) as number)
    this.unlink(path)
    this.#recorder.property(property, content)
    if (inode === undefined) return
    inode.property = property
    this.#inodes.set(property, inode)
  }

  makeDirectory(path: string): void {
    this.#directories.add(path)
    this.#touched.add(path).add(parentOf(path))
  }

  removeDirectory(path: string): void {
    this.#directories.remove(path)
    this.#touched.add(path).add(parentOf(path))
  }

  /** Records and unlinks markers, so that just the empty directories have one. The root is one of them. */
  settle(): void {
    for (const directory of this.#touched) {
      const marker = markerOf(directory)
      const isMarked = this.#recorder.fsm.fnodeOf(marker) !== undefined
      if (this.#likeMarkers.has(marker) || isMarked === this.#directories.isEmpty(directory)) continue
      if (isMarked) this.#recorder.remove(marker)
      else this.#recorder.create(marker)
    }
    this.#touched.clear()
  }

  #isMarker(path: string): boolean {
    return path.endsWith(`/${MARKER_NAME}`) && !this.#likeMarkers.has(path)
  }
}
