import { LogArchive, renderEntries } from 'recoverylog/node'

// A folder holds all of it here, and any number of processes may share it.
const archive = await LogArchive.open({ dir: 'logs' })
const stream = await archive.openStream({ path: 'build/17/+/stdout', tags: { os: 'linux' } })
await stream.write('the first line\nand ano')
await stream.write('ther\n')
await stream.flush() // stored: whoever dies now loses nothing of it
await stream.close() // terminated: 5 minutes later it is archived, by itself

for await (const entries of archive.read('build/17/+/stdout', { tail: 10 })) {
  for (const text of renderEntries(entries)) process.stdout.write(text)
}
await archive.close()
