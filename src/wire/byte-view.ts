/**
 * A DataView of the bytes that are being read: it loads four bytes in one step, where they need not be aligned. A reader
 * passes the same buffer again and again, and making a view for each call costs more than what is read through it, so the
 * last one is kept.
 */

let viewed: Uint8Array = new Uint8Array(0)
let view = new DataView(viewed.buffer)

/** A view that begins where `bytes` does, and may reach beyond their end. */
export function viewOf(bytes: Uint8Array): DataView {
  if (bytes !== viewed) {
    view = new DataView(bytes.buffer, bytes.byteOffset)
    viewed = bytes
  }
  return view
}
