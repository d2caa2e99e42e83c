/** Bytes that tell which entry of which stream they are: of 0 to about 2,000 bytes. */
export function entryOf(path: string, index: number): Uint8Array {
  const bytes = new Uint8Array((index * 37) % 2003)
  for (let i = 0; i < bytes.length; i++) bytes[i] = path.length * 31 + index * 7 + i
  return bytes
}
