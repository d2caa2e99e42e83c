/**
 * The rule of confinement on POSIX (recovery-log spec, section 9), once more and plainly: whether these recorded paths
 * cannot all be made.
 */
export function isRefused(paths: readonly string[]): boolean {
  const cleaned = paths.map((path) => path.split('/').filter((piece) => piece !== ''))
  if (cleaned.some(isRefusedAlone)) return true
  const names = cleaned.map((pieces) => pieces.join('/'))
  const isFolderOf = (name: string, other: string): boolean => other.startsWith(`${name}/`)
  return names.some((name, i) =>
    names.some((other, j) => i !== j && (name === other || isFolderOf(name, other))),
  )
}

function isRefusedAlone(pieces: readonly string[]): boolean {
  if (pieces.length === 0 || pieces[0] === '.fnodes') return true
  if (Buffer.byteLength(`/${pieces.join('/')}`) > 4095) return true
  return pieces.some(
    (piece) => piece === '.' || piece === '..' || piece.includes('\0') || Buffer.byteLength(piece) > 255,
  )
}
