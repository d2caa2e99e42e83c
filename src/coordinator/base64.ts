/** Bytes in JSON: base64, as `btoa` writes it. */

/** So many bytes become one text at a time: more arguments than a call takes are too many. */
const CHUNK_BYTES = 8192

export function toBase64(bytes: Uint8Array): string {
  let text = ''
  for (let at = 0; at < bytes.length; at += CHUNK_BYTES) {
    text += String.fromCharCode(...bytes.subarray(at, at + CHUNK_BYTES))
  }
  return btoa(text)
}

/** The bytes, or undefined when `text` is no base64. */
export function fromBase64(text: string): Uint8Array | undefined {
  let characters: string
  try {
    characters = atob(text)
  } catch {
    return undefined
  }
  // `Uint8Array.from` would go through an iterator: a sixth of a query for streams.
  const bytes = new Uint8Array(characters.length)
  for (let at = 0; at < bytes.length; at++) bytes[at] = characters.charCodeAt(at)
  return bytes
}
