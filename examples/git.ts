import git from 'isomorphic-git'
import { DurableDirectory } from 'recoverylog/node'

// #region git
const state = await DurableDirectory.open({ dir: 'state', journal: 'journal', hints: 'hints' })
const repo = { fs: state.fs, dir: '/repo' }
await git.init({ ...repo, defaultBranch: 'main' })
await state.fs.promises.writeFile('/repo/a.txt', 'tea\n')
await git.add({ ...repo, filepath: 'a.txt' })
await git.commit({ ...repo, message: 'Order tea', author: { name: 'Ann', email: 'ann@example.com' } })
await state.sync()
// #endregion
await state.close()
