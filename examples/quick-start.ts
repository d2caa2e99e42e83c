import { DurableDirectory } from 'recoverylog/node'

// The first machine. The journal and the hints are two folders here; past one machine they are services.
const state = await DurableDirectory.open({ dir: 'state', journal: 'journal', hints: 'hints' })
state.fs.mkdirSync('/orders')
state.fs.writeFileSync('/orders/1.json', '{"what":"tea"}')
await state.sync() // committed to the journal, or a typed error
await state.close()

// Another machine: the same directory, from the journal.
const again = await DurableDirectory.open({ dir: 'elsewhere', journal: 'journal', hints: 'hints' })
console.log(again.fs.readFileSync('/orders/1.json', 'utf8'))
await again.close()
