'use strict'
// The peer's office PC: PouchDB over LevelDB. Prints {} when it is up, then
// reads one JSON command a line and answers each with one: {"ms":...} or {"error":...}. Times are those of
// this process, without its start.
const crypto = require('crypto')
const readline = require('readline')
const PouchDB = require('pouchdb')
const [, , dir] = process.argv

let db, remote, live
const seen = new Map() // id -> when a pulled change of it was here, epoch ms
const waiting = new Map()

const epoch = () => performance.timeOrigin + performance.now()
const events = (e, name) => new Promise((resolve, reject) => { e.once(name, resolve); e.once('error', reject) })

// digest is what both sides must agree on: every document without its revision.
async function digest (of) {
  const all = await of.allDocs({ include_docs: true })
  const h = crypto.createHash('sha256')
  for (const { doc } of all.rows) {
    const { _rev, ...rest } = doc
    h.update(JSON.stringify(Object.entries(rest).sort()))
  }
  return { n: all.rows.length, digest: h.digest('hex') }
}

const commands = {
  async open ({ name, url }) {
    db = new PouchDB(dir + '/' + name)
    remote = new PouchDB(url)
    await db.info()
  },
  async fill ({ batch }) { await PouchDB.replicate(remote, db, { batch_size: batch }) },
  async sync () { await PouchDB.sync(db, remote) },
  // edit changes documents one after the other, as a clerk would.
  async edit ({ ids, set }) {
    for (const id of ids) {
      const doc = await db.get(id)
      await db.put({ ...doc, ...set })
    }
  },
  async live () {
    live = PouchDB.sync(db, remote, { live: true, retry: true })
    live.on('change', ({ direction, change }) => {
      if (direction !== 'pull') return
      for (const doc of change.docs) {
        seen.set(doc._id, epoch())
        if (waiting.has(doc._id)) waiting.get(doc._id)()
      }
    })
    await Promise.all([events(live.push, 'paused'), events(live.pull, 'paused')])
  },
  // push edits one document while live and waits until the server has it.
  async push ({ ids, set }) {
    const at = epoch()
    await commands.edit({ ids, set })
    await events(live.push, 'paused')
    return { at }
  },
  // heard waits until a change of the document has come in.
  async heard ({ ids: [id] }) {
    if (!seen.has(id)) await new Promise(resolve => waiting.set(id, resolve))
    return { at: seen.get(id) }
  },
  async digests () { return { here: await digest(db), there: await digest(remote) } },
  async close () {
    if (live) live.cancel()
    await db.close()
  }
}

async function main () {
  console.log('{}')
  for await (const line of readline.createInterface({ input: process.stdin })) {
    const { do: name, ...args } = JSON.parse(line)
    const start = performance.now()
    try {
      const more = await commands[name](args)
      console.log(JSON.stringify({ ms: performance.now() - start, ...more }))
    } catch (e) {
      console.log(JSON.stringify({ error: `${name}: ${e && e.message}` }))
    }
  }
  process.exit(0)
}

main()
