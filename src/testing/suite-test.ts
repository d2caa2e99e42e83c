/** How a suite registers a test: `test` of node:test fits, `it` of Vitest does too. */
export type SuiteTest = (name: string, body: () => Promise<void>) => unknown

/** Throws when a promise does not hold. A suite needs no more of an assertion library than this and the next two. */
export function expectThat(holds: boolean, what: string): void {
  if (!holds) throw new Error(what)
}

/** Compares by value: numbers, texts, arrays and plain objects of them. */
export function expectSame(actual: unknown, expected: unknown, what: string): void {
  const left = JSON.stringify(actual)
  const right = JSON.stringify(expected)
  expectThat(left === right, `${what}: expected ${right}, got ${left}`)
}

/** The code of the error that `body` ends with; for other errors their text, and without an error `no error`. */
export async function codeOf(body: () => Promise<unknown>): Promise<string> {
  try {
    await body()
    return 'no error'
  } catch (error) {
    if (typeof error === 'object' && error !== null && 'code' in error) return String(error.code)
    return String(error)
  }
}
