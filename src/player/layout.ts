/**
 * What the tree will be: made of the links and properties that are live at the end of a playback, and checked before
 * the first of them is made (recovery-log spec, sections 7.8 and 9).
 */
import type { Property } from '../wire/index.ts'
import { cleanPath, refused, STAGING_FOLDER } from './confinement.ts'
import type { Platform } from '../parts/index.ts'

/** A name that a file will have. `path` is cleaned: it begins with `/` and has no empty piece. */
export interface FileLink {
  readonly path: string
  readonly fnode: number
}

export interface Layout {
  /** Cleaned paths of the folders below the root, parents first. */
  readonly folders: readonly string[]
  readonly links: readonly FileLink[]
  readonly properties: readonly Property[]
}

export interface LayoutOptions {
  /** As recorded. */
  readonly links: Iterable<FileLink>
  readonly properties: Iterable<Property>
  readonly platform: Platform
  readonly directoryMarkers: boolean
  /** How many bytes a fnode's file has. */
  readonly sizeOf: (fnode: number) => number
  /** Which two of these different names of one folder are one name to the file system. */
  readonly sameName: (names: readonly string[]) => readonly [string, string] | undefined
}

/** Holds what a durable directory writes before it has a name. */
const RESERVED_PREFIX = '/.recoverylog/'
/** Stands for a folder without files. */
const EMPTY_FOLDER_MARKER = '.emptydir'

/** Throws `PATH_REFUSED` for what may not be made, and for what cannot be there together. */
export function layOut(options: LayoutOptions): Layout {
  const tree = new Tree()
  const links: FileLink[] = []
  const properties: Property[] = []
  for (const link of options.links) {
    const path = cleanPath(link.path, options.platform)
    if (options.directoryMarkers && path.startsWith(RESERVED_PREFIX)) continue
    if (options.directoryMarkers && isMarker(path) && options.sizeOf(link.fnode) === 0) {
      tree.folderOf(path, link.path)
    } else {
      tree.addFile(path, link.path)
      links.push({ path, fnode: link.fnode })
    }
  }
  for (const property of options.properties) {
    const path = cleanPath(property.path, options.platform)
    tree.addFile(path, property.path)
    properties.push({ path, content: property.content })
  }
  tree.refuseEqualNames(options.sameName)
  return { folders: tree.folders(), links, properties }
}

function isMarker(path: string): boolean {
  return path.endsWith(`/${EMPTY_FOLDER_MARKER}`)
}

/** A name in a folder, with the recorded path that it came from. */
interface Entry {
  readonly from: string
  /** Undefined for a file. */
  readonly folder: Folder | undefined
}

interface Folder {
  readonly path: string
  readonly entries: Map<string, Entry>
}

class Tree {
  readonly #root: Folder = { path: '', entries: new Map() }
  /** Parents first, because none is made before its parent. */
  readonly #folders: Folder[] = [this.#root]

  folders(): string[] {
    return this.#folders.slice(1).map((folder) => folder.path)
  }

  addFile(path: string, from: string): void {
    const folder = this.folderOf(path, from)
    const name = path.slice(folder.path.length + 1)
    const other = folder.entries.get(name)
    if (other !== undefined) {
      const rule = other.folder === undefined ? 'two links of one path' : 'a folder has its name'
      throw refused(from, rule, other.from)
    }
    folder.entries.set(name, { from, folder: undefined })
  }

  /** The folder in which `path` lies, made where it is not yet there. */
  folderOf(path: string, from: string): Folder {
    let folder = this.#root
    for (let begin = 1, end; (end = path.indexOf('/', begin)) !== -1; begin = end + 1) {
      const name = path.slice(begin, end)
      let entry = folder.entries.get(name)
      if (entry === undefined) {
        entry = { from, folder: { path: path.slice(0, end), entries: new Map() } }
        folder.entries.set(name, entry)
        this.#folders.push(entry.folder as Folder)
      }
      if (entry.folder === undefined) throw refused(from, 'a file has the name of its folder', entry.from)
      folder = entry.folder
    }
    return folder
  }

  /** The file system is asked only about names that some file system takes for one. */
  refuseEqualNames(sameName: LayoutOptions['sameName']): void {
    for (const folder of this.#folders) {
      const alike = new Map<string, string[]>()
      // The staging folder is still there while the names are made.
      if (folder === this.#root) alike.set(folded(STAGING_FOLDER), [STAGING_FOLDER])
      for (const name of folder.entries.keys()) {
        const key = folded(name)
        const names = alike.get(key)
        if (names === undefined) alike.set(key, [name])
        else names.push(name)
      }
      for (const names of alike.values()) {
        const pair = names.length > 1 ? sameName(names) : undefined
        if (pair !== undefined) {
          throw refused(
            `${folder.path}/${pair[1]}`,
            'the file system takes two names for one',
            `${folder.path}/${pair[0]}`,
          )
        }
      }
    }
  }
}

/** Equal for all names that differ in case, in the composition of letters, or in dots and spaces at their end. */
function folded(name: string): string {
  return name
    .normalize('NFKC')
    .toUpperCase()
    .toLowerCase()
    .replace(/[. ]+$/, '')
}
