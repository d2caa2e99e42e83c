import assert from 'node:assert/strict'

/** Fails on a key that the runner would pass over in silence. */
export function knownKeys(value: object, keys: readonly string[]): void {
  const unknown = Object.keys(value).filter((key) => !keys.includes(key))
  assert.deepEqual(unknown, [], 'keys that the runner does not know')
}
