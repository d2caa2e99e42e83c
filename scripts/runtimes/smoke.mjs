// Runs in an empty project in which the packed package is installed: records on a file system in memory, plays what was
// recorded onto another, and compares. Prints one line; any difference is an error and a status other than 0.
import { Volume } from 'memfs'
import { decodeHints, FSM, hintsToProto, Player, Recorder } from 'recoverylog'
import { MemoryJournal } from 'recoverylog/journal/memory'
import * as node from 'recoverylog/node'

const FILES = 20
const AUTHOR = 0x1a2b3c4d

const journal = new MemoryJournal({ name: 'runtimes/log' })
const disk = new Volume()
disk.mkdirSync('/data', { recursive: true })
const { fsm } = await play('/data', disk, { log: journal.name, liveNodes: [], properties: [] })
const recorder = await Recorder.open({ journal, fsm, author: AUTHOR, dir: '/data' })
for (let i = 0; i < FILES; i++) {
  const path = `/data/${i}.txt`
  const content = new TextEncoder().encode(`file ${i} `.repeat(i * 100))
  disk.writeFileSync(path, content)
  recorder.write(recorder.create(path), 0, content)
}
disk.unlinkSync('/data/3.txt')
recorder.remove('/data/3.txt')
disk.renameSync('/data/4.txt', '/data/5.txt')
recorder.rename('/data/4.txt', '/data/5.txt')
const hints = decodeHints(hintsToProto(await recorder.hints()))
await recorder.close()

const copy = new Volume()
await play('/copy', copy, hints)
const names = disk.readdirSync('/data').sort()
const same =
  names.length === FILES - 2 &&
  String(copy.readdirSync('/copy').sort()) === String(names) &&
  names.every(
    (name) => Buffer.compare(disk.readFileSync(`/data/${name}`), copy.readFileSync(`/copy/${name}`)) === 0,
  )
if (!same) throw new Error(`the copy differs: ${copy.readdirSync('/copy')} for ${names}`)
if (!(node.FSM === FSM && new FSM(hints) instanceof node.FSM)) {
  throw new Error('recoverylog/node has an FSM of its own')
}
console.log(`ok: ${names.length} files recorded, played and compared`)

/** Takes the log over, unless hints are there to be played to its head. */
async function play(dir, fs, hints) {
  const player = new Player({ hints, journals: { [journal.name]: journal }, dir, fs })
  if (fs === disk) player.injectHandoff(AUTHOR)
  else player.finishAtWriteHead()
  return player.play()
}
