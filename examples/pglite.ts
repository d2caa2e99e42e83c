import { PGlite } from '@electric-sql/pglite'
import { DurableDirectory } from 'recoverylog/node'
import { DurablePGliteFileSystem } from 'recoverylog/pglite'

// #region pglite
const state = await DurableDirectory.open({ dir: 'state', journal: 'journal', hints: 'hints' })
const db = await PGlite.create({
  fs: new DurablePGliteFileSystem({ fs: state.fs, sync: () => state.sync() }),
})
await db.exec("CREATE TABLE orders (what text); INSERT INTO orders VALUES ('tea')") // answered: in the journal
// #endregion
await db.close()
await state.close()
