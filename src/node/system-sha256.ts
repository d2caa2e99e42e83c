import { createHash } from 'node:crypto'
import type { Sha256Factory } from '../parts/index.ts'

/** The system's sha256. */
export const systemSha256: Sha256Factory = () => {
  const hash = createHash('sha256')
  return {
    update(bytes) {
      hash.update(bytes)
    },
    digest: () => new Uint8Array(hash.digest()),
  }
}
