'use strict'
// The peer's hub: express-pouchdb over LevelDB, filled from a file of bookings
// (one JSON document a line). Prints {"port":N} when it answers.
const fs = require('fs')
const path = require('path')
const express = require('express')
const [, , dir, file] = process.argv

const PouchDB = require('pouchdb').defaults({ prefix: dir + path.sep })

// The routes a PouchDB needs for replication and no others: the leanest mode.
const options = { mode: 'minimumForPouchDB', inMemoryConfig: true, logPath: path.join(dir, 'log.txt') }

async function main () {
  const db = new PouchDB('office')
  const docs = fs.readFileSync(file, 'utf8').split('\n').filter(Boolean).map(JSON.parse)
  for (let i = 0; i < docs.length; i += 1000) await db.bulkDocs(docs.slice(i, i + 1000))
  const app = express()
  app.use('/', require('express-pouchdb')(PouchDB, options))
  const server = app.listen(0, '127.0.0.1', () => console.log(JSON.stringify({ port: server.address().port })))
}

main()
