import { createFsFromVolume, Volume } from 'memfs'
import { fenceOf, MemoryJournal, Player, Recorder } from 'recoverylog'

// #region parts
const journal = new MemoryJournal({ name: 'orders/log' })
const fs = createFsFromVolume(new Volume())

// An owner begins with a hand-off: its author becomes the fence of the log.
const author = 0x1a2b3c4d
const hints = { log: journal.name, liveNodes: [], properties: [] }
const player = new Player({ hints, journals: { [journal.name]: journal }, dir: '/state', fs })
player.injectHandoff(author)
const { fsm } = await player.play()

// What it records is framed, applied and queued when the call returns; the barrier tells that it has committed.
const recorder = await Recorder.open({ journal, fsm, author })
const fnode = recorder.create('/a.txt')
recorder.write(fnode, 0, new TextEncoder().encode('tea'))
const { end } = await recorder.barrier()

// The manifest: Gazette's JSON, and what a copy is played from.
const copy = new Player({
  hints: await recorder.hints(),
  journals: { [journal.name]: journal },
  dir: '/copy',
  fs,
})
copy.finishAtWriteHead()
await copy.play()
// #endregion
console.log(end, fenceOf(author).value, fs.readFileSync('/copy/a.txt', 'utf8'))
await recorder.close()
