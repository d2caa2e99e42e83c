import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { MemoryJournal } from '../../src/journal/index.ts'
import type { Journal } from '../../src/journal/index.ts'
import { DecoratedJournal, faultyJournal, journalSuite } from '../../src/testing/index.ts'
import type { JournalUnderTest } from '../../src/testing/index.ts'
import { vitestRunner } from '../testing/runners.ts'
import { fileJournalUnderTest } from './file-under-test.ts'

const FRAGMENT_BYTES = 50_000
const MEMORY_SUPPORTS = {
  prune: true,
  appendSync: true,
  open: true,
  kill: false, // nothing in memory survives its process
  recreate: true,
  damage: false, // stored content can be reached by nobody else
  loseAnswer: false, // there is no engine between
}

function memoryUnderTest(): JournalUnderTest & { readonly journal: MemoryJournal } {
  const options = { name: 'suite/memory', fragmentBytes: FRAGMENT_BYTES }
  const journal = new MemoryJournal(options)
  return {
    journal,
    open: async () => journal.share(),
    recreate: async () => new MemoryJournal(options),
  }
}

function decorate(under: JournalUnderTest, wrap: (journal: Journal) => Journal): JournalUnderTest {
  return {
    ...under,
    journal: wrap(under.journal),
    open: async () => wrap(await (under.open?.() ?? Promise.reject(new Error('no open')))),
  }
}

journalSuite({
  runner: vitestRunner,
  name: 'MemoryJournal',
  factory: async () => memoryUnderTest(),
  supports: MEMORY_SUPPORTS,
})

journalSuite({
  runner: vitestRunner,
  name: 'DecoratedJournal on MemoryJournal',
  factory: async () => decorate(memoryUnderTest(), (journal) => new DecoratedJournal(journal)),
  supports: MEMORY_SUPPORTS,
})

journalSuite({
  runner: vitestRunner,
  name: 'faultyJournal without faults on MemoryJournal',
  factory: async () => decorate(memoryUnderTest(), (journal) => faultyJournal(journal, () => undefined)),
  supports: MEMORY_SUPPORTS,
})

for (const durability of ['disk', 'process'] as const) {
  journalSuite({
    runner: vitestRunner,
    name: `FileJournal (${durability})`,
    factory: async () => {
      const dir = await mkdtemp(join(tmpdir(), 'file-journal-'))
      const under = await fileJournalUnderTest({
        dir: join(dir, 'suite'),
        durability,
        segmentBytes: FRAGMENT_BYTES,
      })
      return { ...under, dispose: () => rm(dir, { recursive: true }) }
    },
    supports: {
      prune: true,
      appendSync: true,
      open: true,
      kill: true,
      recreate: true,
      damage: true,
      loseAnswer: true,
    },
  })
}
