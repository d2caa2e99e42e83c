import { describe, expect, it } from 'vitest'
import type { Recorder } from '../../src/recorder/index.ts'
import { AUTHOR, bytes, HeldJournal, openRecorder, text } from './recorders.ts'
import type { OpenRecorder } from './recorders.ts'
import { contentOf, kindsOf, replay } from './replay.ts'

const DATA = bytes('content')

/** What each call appends, after `/dir/a` (fnode 1), `/dir/b` (2), `/dir/c` with the second name `/dir/d` (3), and `/P`. */
const CALLS: readonly [
  name: string,
  call: (recorder: Recorder) => unknown,
  answer: unknown,
  appended: string[],
][] = [
  ['create', (r) => r.create('/dir/new'), 5, ['create']],
  ['create of a known path', (r) => r.create('/dir/a'), 6, ['unlink', 'create']],
  ['create of one name of two', (r) => r.create('/dir/c'), 6, ['unlink', 'create']],
  ['open of a known path', (r) => r.open('/dir/a'), 1, []],
  ['open of a known path, to create', (r) => r.open('/dir/a', { create: true }), 1, []],
  ['open of an unknown path, to create', (r) => r.open('/dir/new', { create: true }), 5, ['create']],
  ['open to create exclusively', (r) => r.open('/dir/new', { create: true, exclusive: true }), 5, ['create']],
  ['open to truncate', (r) => r.open('/dir/a', { truncate: true }), 6, ['unlink', 'create']],
  ['open to create and truncate', (r) => r.open('/dir/new', { create: true, truncate: true }), 5, ['create']],
  ['link', (r) => r.link('/dir/a', '/dir/new'), undefined, ['link']],
  ['remove', (r) => r.remove('/dir/a'), undefined, ['unlink']],
  ['rename', (r) => r.rename('/dir/a', '/dir/new'), undefined, ['link', 'unlink']],
  ['rename over a file', (r) => r.rename('/dir/a', '/dir/b'), undefined, ['unlink', 'link', 'unlink']],
  ['rename to itself', (r) => r.rename('/dir/a', '/dir/a'), undefined, []],
  ['rename between two names of one file', (r) => r.rename('/dir/c', '/dir/d'), undefined, []],
  [
    'rename onto a property',
    (r) => r.rename('/dir/a', '/dir/IDENTITY', 'me'),
    undefined,
    ['property', 'unlink'],
  ],
  [
    'rename onto a named property',
    (r) => r.rename('/dir/a', '/dir/P', 'p'),
    undefined,
    ['property', 'unlink'],
  ],
  ['property', (r) => r.property('/dir/P', 'whole'), undefined, ['property']],
  ['write', (r) => r.write(1, 7, DATA), undefined, ['write']],
  ['write of nothing', (r) => r.write(1, 7, DATA.subarray(0, 0)), undefined, ['write']],
  ['replace', (r) => r.replace(1, 3, () => DATA.subarray(0, 3)), 6, ['unlink', 'create', 'write']],
  ['replace by nothing', (r) => r.replace(1, 0, () => DATA), 6, ['unlink', 'create']],
  [
    'replace of a file with two names',
    (r) => r.replace(3, 3, () => DATA.subarray(0, 3)),
    6,
    ['unlink', 'create', 'write', 'unlink', 'link'],
  ],
]

const REFUSED: readonly [name: string, call: (recorder: Recorder) => unknown, code: string, data: object][] =
  [
    ['open of an unknown path', (r) => r.open('/dir/x'), 'NOT_FOUND', { path: '/dir/x' }],
    [
      'open of an unknown path, truncating',
      (r) => r.open('/dir/x', { truncate: true }),
      'NOT_FOUND',
      { path: '/dir/x' },
    ],
    ['open of an unknown path, exclusively', (r) => r.open('/dir/x', { exclusive: true }), 'NOT_FOUND', {}],
    [
      'open of a known path, exclusively',
      (r) => r.open('/dir/a', { exclusive: true }),
      'ALREADY_EXISTS',
      { path: '/dir/a' },
    ],
    [
      'open to create a known path exclusively',
      (r) => r.open('/dir/a', { create: true, exclusive: true, truncate: true }),
      'ALREADY_EXISTS',
      { path: '/dir/a' },
    ],
    ['open of a property', (r) => r.open('/dir/IDENTITY'), 'PROPERTY_EXISTS', { path: '/dir/IDENTITY' }],
    ['create of a property', (r) => r.create('/dir/P'), 'PROPERTY_EXISTS', { path: '/dir/P' }],
    ['remove of a property', (r) => r.remove('/dir/P'), 'PROPERTY_EXISTS', { path: '/dir/P' }],
    ['remove of an unknown path', (r) => r.remove('/dir/x'), 'NOT_FOUND', { path: '/dir/x' }],
    ['link of an unknown path', (r) => r.link('/dir/x', '/dir/y'), 'NOT_FOUND', { path: '/dir/x' }],
    ['link to a known path', (r) => r.link('/dir/a', '/dir/b'), 'LINK_EXISTS', { path: '/b' }],
    ['link to itself', (r) => r.link('/dir/a', '/dir/a'), 'LINK_EXISTS', { path: '/a' }],
    ['link to a property', (r) => r.link('/dir/a', '/dir/P'), 'PROPERTY_EXISTS', { path: '/dir/P' }],
    ['link of a property', (r) => r.link('/dir/P', '/dir/x'), 'PROPERTY_EXISTS', { path: '/dir/P' }],
    ['rename of an unknown path', (r) => r.rename('/dir/x', '/dir/y'), 'NOT_FOUND', { path: '/dir/x' }],
    [
      'rename of an unknown path to itself',
      (r) => r.rename('/dir/x', '/dir/x'),
      'NOT_FOUND',
      { path: '/dir/x' },
    ],
    ['rename from a property', (r) => r.rename('/dir/P', '/dir/x'), 'NOT_FOUND', { path: '/dir/P' }],
    ['property of another path', (r) => r.property('/dir/a', ''), 'INVALID', { path: '/dir/a' }],
    ['property without UTF-8', (r) => r.property('/dir/P', '\ud800'), 'INVALID', {}],
    [
      'property larger than any frame',
      (r) => r.property('/dir/P', 'x'.repeat(1 << 24)),
      'APPEND_TOO_LARGE',
      {},
    ],
    ['write of an unknown fnode', (r) => r.write(9, 0, DATA), 'FNODE_NOT_TRACKED', { fnode: 9 }],
    ['replace of an unknown fnode', (r) => r.replace(9, 0, () => DATA), 'FNODE_NOT_TRACKED', { fnode: 9 }],
    [
      'replace by less than there is',
      (r) => r.replace(1, 9, () => DATA),
      'INVALID',
      { offset: 0, length: 9, got: 7 },
    ],
    ['a path outside', (r) => r.create('/elsewhere'), 'PATH_REFUSED', { path: '/elsewhere' }],
    [
      'a second path outside',
      (r) => r.rename('/dir/a', '/elsewhere'),
      'PATH_REFUSED',
      { path: '/elsewhere' },
    ],
  ]

const MISUSED: readonly [name: string, call: (recorder: Recorder) => unknown, error: new () => Error][] = [
  ['write before the beginning', (r) => r.write(1, -1, DATA), RangeError],
  ['write at a fraction', (r) => r.write(1, 0.5, DATA), RangeError],
  ['write at no number', (r) => r.write(1, Number.NaN, DATA), RangeError],
  ['write beyond 2^53', (r) => r.write(1, 2 ** 53 - 7, DATA), RangeError],
  ['write of a string', (r) => r.write(1, 0, 'text' as unknown as Uint8Array), TypeError],
  [
    'write of a buffer without a view',
    (r) => r.write(1, 0, new ArrayBuffer(4) as unknown as Uint8Array),
    TypeError,
  ],
  ['rename onto a property without content', (r) => r.rename('/dir/a', '/dir/P'), TypeError],
]

async function populated(): Promise<OpenRecorder<HeldJournal>> {
  const { recorder, journal, fsm } = await openRecorder(new HeldJournal(), { properties: ['/dir/P'] })
  recorder.create('/dir/a')
  recorder.create('/dir/b')
  recorder.create('/dir/c')
  recorder.link('/dir/c', '/dir/d')
  await recorder.barrier()
  journal.appends.length = 0
  return { recorder, journal, fsm }
}

describe('calls', () => {
  it.each(CALLS)('are one append each (%s)', async (_, call, answer, appended) => {
    const { recorder, journal } = await populated()
    expect(call(recorder)).toBe(answer)
    await recorder.barrier()
    expect(journal.appends.map(kindsOf)).toEqual(appended.length === 0 ? [] : [appended])
    const { fsm } = await replay(journal)
    expect([...fsm.links()].sort(byPath)).toEqual([...recorder.fsm.links()].sort(byPath))
    expect([fsm.nextSeqNo, fsm.nextChecksum, fsm.lastLog]).toEqual([
      recorder.fsm.nextSeqNo,
      recorder.fsm.nextChecksum,
      recorder.fsm.lastLog,
    ])
  })

  it.each(REFUSED)('change nothing when they are refused (%s)', async (_, call, code, data) => {
    const { recorder } = await populated()
    const { position } = recorder
    const { nextSeqNo } = recorder.fsm
    expect(() => call(recorder)).toThrow(
      expect.objectContaining({ code, data: expect.objectContaining(data) as object }),
    )
    expect([recorder.position, recorder.fsm.nextSeqNo]).toEqual([position, nextSeqNo])
    expect(recorder.failure).toBeUndefined()
  })

  it.each(MISUSED)('are errors of the caller (%s)', async (_, call, error) => {
    const { recorder } = await populated()
    const { position } = recorder
    expect(() => call(recorder)).toThrow(error)
    expect(recorder.position).toBe(position)
  })

  it('copy what is written before they return', async () => {
    const { recorder, journal } = await populated()
    const data = bytes('first')
    recorder.write(1, 0, data)
    data.set(bytes('after'))
    await recorder.barrier()
    expect(text((await replay(journal)).tree.get('/a'))).toBe('first')
  })

  it('stamp operations with author, number and checksum, and lower bounds of their offsets', async () => {
    const { recorder, journal } = await populated()
    const { end } = await recorder.barrier()
    recorder.create('/dir/new')
    recorder.write(5, 0, DATA)
    expect(recorder.fsm.segmentsOf(5)).toEqual([
      expect.objectContaining({
        author: AUTHOR,
        firstSeqNo: 5,
        lastSeqNo: 6,
        firstOffset: end,
        lastOffset: 0,
      }),
    ])
    await recorder.barrier()
    const { operations } = await replay(journal)
    expect(operations.map(({ seqNo, author }) => [seqNo, author])).toEqual(
      [1, 2, 3, 4, 5, 6].map((seqNo) => [seqNo, AUTHOR]),
    )
  })

  it('tell where they were recorded', async () => {
    const { recorder, journal } = await populated()
    expect([recorder.position, recorder.committed, recorder.queuedBytes]).toEqual([
      recorder.head,
      recorder.head,
      0,
    ])
    const { position, head } = recorder
    recorder.write(1, 0, DATA)
    expect(recorder.position).toBeGreaterThan(position + DATA.length)
    expect([recorder.committed, recorder.head]).toEqual([position, head])
    expect(recorder.queuedBytes).toBe(recorder.position - position)
    expect(await recorder.barrier()).toEqual({ log: journal.name, end: recorder.position })
    expect([recorder.committed, recorder.head, recorder.queuedBytes]).toEqual([
      recorder.position,
      recorder.position,
      0,
    ])
    expect((await contentOf(journal)).length).toBe(recorder.head)
  })

  it('know names, properties and their directory', async () => {
    const { recorder } = await populated()
    expect(recorder.dir).toBe('/dir')
    expect([recorder.fnodeOf('/dir/a'), recorder.fnodeOf('/dir/d'), recorder.fnodeOf('/dir/x')]).toEqual([
      1,
      3,
      undefined,
    ])
    expect(['/dir/IDENTITY', '/dir/P', '/dir/a'].map((path) => recorder.isProperty(path))).toEqual([
      true,
      true,
      false,
    ])
    recorder.rename('/dir/a', '/dir/P', 'text')
    expect(recorder.fsm.properties).toEqual(new Map([['/P', 'text']]))
  })

  it('make ordinary files only, but of what the log has as a property (properties: none)', async () => {
    const { recorder, fsm, journal } = await populated()
    recorder.rename('/dir/a', '/dir/P', 'text')
    await recorder.close()
    const next = await openRecorder(journal.share(), { fsm, properties: 'none' })
    expect(next.recorder.create('/dir/IDENTITY')).toBe(7)
    expect(() => next.recorder.create('/dir/P')).toThrow('PROPERTY_EXISTS')
  })

  it('record paths whole in the directory /', async () => {
    const { recorder, journal } = await openRecorder(new HeldJournal(), { dir: '/' })
    recorder.create('/a')
    recorder.rename('/a', '/b/c')
    await recorder.barrier()
    expect([...(await replay(journal)).tree.keys()]).toEqual(['/b/c'])
  })

  it('carry checksums of content when asked to (contentChecksums)', async () => {
    const { recorder, journal } = await openRecorder(new HeldJournal(), { contentChecksums: true })
    const fnode = recorder.create('/dir/a')
    recorder.write(fnode, 0, DATA)
    recorder.write(fnode, 0, DATA.subarray(0, 0))
    await recorder.barrier()
    const writes = (await replay(journal)).operations.filter(({ path }) => path === '')
    expect(writes.map(({ isIntact }) => isIntact)).toEqual([true, true])
    expect(text((await replay(journal)).tree.get('/a'))).toBe('content')
  })

  it('carry none unless asked to', async () => {
    const { recorder, journal } = await populated()
    recorder.write(1, 0, DATA)
    await recorder.barrier()
    expect((await replay(journal)).operations.at(-1)?.isIntact).toBeUndefined()
  })
})

function byPath(a: { path: string }, b: { path: string }): number {
  return a.path < b.path ? -1 : 1
}
