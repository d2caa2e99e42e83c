/** Bytes that tell which blob they are: of 0 to about 300,000 bytes. */
export function contentOf(key: string, number: number): Uint8Array {
  const bytes = new Uint8Array((number * 7919) % 300_007)
  for (let i = 0; i < bytes.length; i++) bytes[i] = key.length * 31 + number * 7 + i
  return bytes
}
