/** A real client: a git repository kept on a recorded file system, and found again in what is recovered. */
import git from 'isomorphic-git'
import { expect, test } from 'vitest'
import * as nodeFs from 'node:fs'
import { memoryDisk, promisesOnly, recorded, recover } from './recorded.ts'

const author = { name: 'A', email: 'a@example.org', timestamp: 1_700_000_000, timezoneOffset: 0 }
const FILES = 30

const DISKS = {
  'node:fs': () => recorded(),
  memfs: () => recorded({ disk: memoryDisk() }),
  'promises only': () => recorded({ seen: promisesOnly(nodeFs) }),
}

for (const [name, begin] of Object.entries(DISKS)) {
  test(`isomorphic-git: init, commits, branches and checkout, recovered (${name})`, async () => {
    const { fs, check, journal } = await begin()
    const repository = { fs, dir: '/repository' }
    await git.init({ ...repository, defaultBranch: 'main' })
    for (let i = 0; i < FILES; i++) {
      await fs.promises.mkdir(`/repository/folder${String(i % 3)}`, { recursive: true })
      await fs.promises.writeFile(
        `/repository/folder${String(i % 3)}/file${String(i)}`,
        `content ${String(i)}`,
      )
    }
    await git.add({ ...repository, filepath: '.' })
    const first = await git.commit({ ...repository, message: 'first', author })
    await git.branch({ ...repository, ref: 'side', checkout: true })
    await fs.promises.writeFile('/repository/side', 'side')
    await git.add({ ...repository, filepath: 'side' })
    const second = await git.commit({ ...repository, message: 'second', author })
    await git.checkout({ ...repository, ref: 'main' })
    await expect(fs.promises.stat('/repository/side')).rejects.toMatchObject({ code: 'ENOENT' })
    await git.deleteBranch({ ...repository, ref: 'side' })
    await git.branch({ ...repository, ref: 'back', object: second })
    await check()

    const recovered = memoryDisk()
    await recover(journal, recovered, '/disk/recovered')
    const copy = { fs: recovered, dir: '/disk/recovered/repository' }
    expect((await git.log({ ...copy, ref: 'back' })).map(({ oid }) => oid)).toEqual([second, first])
    const status = await git.statusMatrix(copy)
    expect(status).toHaveLength(FILES)
    expect(status.every(([, head, workdir, stage]) => head === 1 && workdir === 1 && stage === 1)).toBe(true)
  })
}
