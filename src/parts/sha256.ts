/** One sha256 under way. */
export interface Sha256 {
  /** Takes `bytes`, which are borrowed for the call. */
  update(bytes: Uint8Array): void
  /** The 32 bytes of the sum, owned by the caller. Ends this object. */
  digest(): Uint8Array
}

/** Begins a sha256, handed in: `recoverylog/node` fills it with the system's. */
export type Sha256Factory = () => Sha256
