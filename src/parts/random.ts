/** Randomness, handed in: answers `count` unpredictable bytes, owned by the caller. */
export type Random = (count: number) => Uint8Array
