/** What the tree will be: made of the links and properties that are live at the end, checked before the first is made. */
export interface Layout {
  /** Cleaned paths of the folders, parents first. */
  readonly folders: readonly string[]
  readonly files: readonly { readonly fnode: number; readonly links: readonly string[] }[]
  readonly properties: readonly { readonly path: string; readonly content: string }[]
}
