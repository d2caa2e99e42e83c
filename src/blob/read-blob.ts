import type { BlobStore } from './blob-store.ts'

/**
 * The whole content of a blob in one piece: for small ones.
 *
 * @throws RecoveryLogError `NOT_FOUND`, `CORRUPT`
 */
export async function readBlob(
  store: Pick<BlobStore, 'get'>,
  key: string,
  options: { readonly signal?: AbortSignal } = {},
): Promise<Uint8Array> {
  const chunks: Uint8Array[] = []
  let size = 0
  for await (const chunk of store.get(key, options)) {
    chunks.push(new Uint8Array(chunk))
    size += chunk.length
  }
  const bytes = new Uint8Array(size)
  let at = 0
  for (const chunk of chunks) {
    bytes.set(chunk, at)
    at += chunk.length
  }
  return bytes
}
