/**
 * Law: any sequence of calls gives on a recorded file system the results and errors that it gives on the plain one, and
 * what is recovered from the log is what is on the disk.
 */
import fc from 'fast-check'
import * as nodeFs from 'node:fs'
import { expect, test } from 'vitest'
import { type Call, callSequence, type Form, FORMS, Side } from '../recorder/fs/calls.ts'
import { promisesOnly, recorded, temporaryFolder } from '../recorder/fs/recorded.ts'

const RUNS = Number(process.env['RUNS'] ?? 100)

for (const form of FORMS) {
  test(`file system: every sequence of calls is as on node:fs, and recovered (${form})`, async () => {
    await fc.assert(fc.asyncProperty(callSequence, (calls) => compare(calls, form, false)), { numRuns: RUNS })
  })
}

test('file system: every sequence of calls is as on node:fs, and recovered (over promises only)', async () => {
  await fc.assert(fc.asyncProperty(callSequence, (calls) => compare(calls, 'promise', true)), { numRuns: RUNS })
})

async function compare(calls: readonly Call[], form: Form, overPromises: boolean): Promise<void> {
  const plainRoot = temporaryFolder()
  const r = await recorded(overPromises ? { seen: promisesOnly(nodeFs) } : {})
  const plain = new Side(nodeFs, plainRoot, form)
  const ours = new Side(r.fs, '', form)
  try {
    for (const call of calls) {
      const [answer, wanted] = [await ours.outcome(call), await plain.outcome(call)]
      expect({ call, answer }).toEqual({ call, answer: wanted })
    }
    await r.check()
    await ours.closeAll()
    await r.check()
  } finally {
    await ours.closeAll()
    await plain.closeAll()
    nodeFs.rmSync(plainRoot, { recursive: true })
    nodeFs.rmSync(r.root, { recursive: true })
  }
}
