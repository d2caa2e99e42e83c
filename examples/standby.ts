import { DurableDirectory } from 'recoverylog/node'

const source = { journal: 'journal', hints: 'hints' }
const owner = await DurableDirectory.open({ dir: 'owner', ...source })
owner.fs.writeFileSync('/a.txt', 'written by the owner')
await owner.sync()

// #region follow
const standby = await DurableDirectory.follow({ dir: 'standby', ...source })
await standby.caughtUp
console.log(`${String(standby.lag)} bytes behind`)

const next = await standby.promote() // from here on the old owner is fenced
// #endregion

owner.fs.writeFileSync('/a.txt', 'too late')
try {
  await owner.sync()
} catch (error) {
  console.log((error as { code: string }).code) // FENCED
}
console.log(next.fs.readFileSync('/a.txt', 'utf8'))
await owner.close()
await next.close()
