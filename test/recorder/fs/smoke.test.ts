import { expect, test } from 'vitest'
import { memoryDisk, promisesOnly, recorded } from './recorded.ts'

for (const make of [() => undefined, memoryDisk]) {
  test('recorded file system: a bit of everything', async () => {
    const disk = make()
    const r = await recorded(disk === undefined ? {} : { disk })
    const { fs } = r
    expect(await r.check()).toEqual({})
    fs.mkdirSync('/a/b/c', { recursive: true })
    expect(await r.check()).toEqual({ '/a': 'dir', '/a/b': 'dir', '/a/b/c': 'dir' })
    fs.writeFileSync('/a/b/c/x', 'hello')
    fs.appendFileSync('/a/b/c/x', ' world')
    fs.writeFileSync('/a/b/c/x', 'short')
    fs.linkSync('/a/b/c/x', '/y')
    fs.truncateSync('/y', 3)
    expect(await r.check()).toEqual({
      '/a': 'dir',
      '/a/b': 'dir',
      '/a/b/c': 'dir',
      '/a/b/c/x': '"sho"',
      '/y': '= /a/b/c/x',
    })
    fs.renameSync('/a/b', '/d')
    fs.cpSync('/d', '/e', { recursive: true })
    await r.check()
    fs.rmSync('/d', { recursive: true })
    const fd = fs.openSync('/f', 'w+')
    fs.writeSync(fd, Buffer.from('abcdef'), 1, 3, 5)
    fs.ftruncateSync(fd, 20)
    fs.unlinkSync('/f')
    fs.writeSync(fd, Buffer.from('abcdef'), 0, 3, 5)
    fs.closeSync(fd)
    console.log(await r.check())
    const h = await fs.promises.open('/h', 'a+')
    await h.write('abc')
    await h.appendFile('def')
    console.log(await h.readFile('utf8'))
    await h.close()
    await new Promise((resolve) => fs.createWriteStream('/s').end('stream', resolve as () => void))
    let text = ''
    for await (const c of fs.createReadStream('/s', 'utf8')) text += String(c)
    expect(text).toBe('stream')
    const dir = fs.mkdtempSync('/tmp-')
    console.log(dir)
    fs.copyFileSync('/s', `${dir}/copy`)
    console.log(await r.check())
    await r.files.close()
    expect(() => fs.writeFileSync('/z', '')).toThrow('CLOSED')
  })
  test('promises only', async () => {
    const disk = make() ?? (await import('node:fs'))
    const r = await recorded({ ...(disk.existsSync('/disk') ? { disk } : {}), seen: promisesOnly(disk) })
    const { promises } = r.fs
    await promises.mkdir('/a/b', { recursive: true })
    const b = Buffer.from('hello')
    const p = promises.writeFile('/a/x', b)
    b.fill(0)
    const q = promises.rename('/a/x', '/a/b/y')
    await Promise.all([p, q])
    const h = await promises.open('/a/b/y', 'r+')
    await h.truncate(2)
    await h.write('abc', 2)
    await h.close()
    console.log(await r.check())
  })
}
