// Package bench measures Condica beside a bare SQLite commit or query, a bare
// program and PouchDB with express-pouchdb, all in one run on one machine, and
// writes docs/benchmarks.md and docs/benchmarks-desk.md (make bench). It quotes
// nobody's figures and sets no limit on time: as plain tests only the
// instruments are checked.
package bench
