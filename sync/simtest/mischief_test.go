package simtest

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"condica/hub/store/memory"
	"condica/hub/store/sqlite"
	"condica/localdb"
	"condica/spclep"
	"condica/spclep/record"
	"condica/sync/op"
	"condica/sync/peer"
	"condica/sync/replica"
)

// plan lays out what people and bad luck will do.
func (w *world) plan() {
	length := int64(w.o.Minutes) * minute
	sometime := func(n int, do func()) {
		for range n {
			at := w.r.Int64N(length)
			if w.o.Coarse {
				at = at / (5 * second) * 5 * second
			}
			w.in(at, do)
		}
	}
	somebody := func(n int, do func(p *pc)) {
		sometime(n, func() { do(w.pcs[w.r.IntN(len(w.pcs))]) })
	}
	during := func(n int, set func(on bool)) {
		for range n {
			at := w.r.Int64N(length)
			w.in(at, func() { set(true) })
			w.in(at+w.r.Int64N(length/2), func() { set(false) })
		}
	}
	somebody(w.o.Actions, (*pc).clerk)
	sometime(1+w.o.Actions/5, w.portal)
	somebody(w.o.Poison, (*pc).poison)
	during(w.o.OneWay, func(on bool) { w.oneWay = on })
	during(w.o.HubDown, func(on bool) { w.down = on })
	during(w.o.HubSlow, func(on bool) { w.slow = on })
	for range w.o.DiskFull {
		p := w.pcs[w.r.IntN(len(w.pcs))]
		during(1, func(on bool) { p.disk.full = on && !w.calm && !w.o.SQLite })
	}
	for _, p := range w.pcs {
		p.disk.crash = w.o.Crash
	}
	somebody(w.o.Restart, func(p *pc) { p.stop(false) })
	somebody(w.o.Reboot, func(p *pc) { p.stop(true) })
	somebody(w.o.LoseDB, (*pc).loseDB)
	somebody(w.o.LoseJournal, (*pc).loseJournal)
	somebody(w.o.Corrupt, (*pc).corrupt)
	somebody(w.o.Purge, (*pc).purge)
	if w.o.SetClock {
		somebody(2, func(p *pc) { p.wallOff = offsets[w.r.IntN(len(offsets))] })
	}
	if w.o.Sleep {
		somebody(2, (*pc).sleep)
	}
	for range w.o.RestoreHub {
		at := w.r.Int64N(length)
		w.in(at, w.backup)
		w.in(at+w.r.Int64N(length-at), func() { w.restore(false) })
	}
	sometime(w.o.LoseHub, func() { w.restore(true) })
	for range w.o.RestorePC {
		p := w.pcs[w.r.IntN(len(w.pcs))]
		at := w.r.Int64N(length)
		w.in(at, p.image)
		w.in(at+w.r.Int64N(length-at), p.restore)
	}
	somebody(w.o.ReplacePC, (*pc).replace)
	somebody(w.o.Clone, (*pc).clone)
	somebody(w.o.File, (*pc).files)
}

func (w *world) booking() spclep.BookingID {
	return spclep.BookingID(fmt.Sprintf("7F3KQR%02d", 22+w.r.IntN(w.o.Bookings)))
}

// does names an action before it is tried: whether it was done is known after.
func (w *world) does(p *pc, office string, id spclep.BookingID) *told {
	t := &told{by: fmt.Sprintf("action %d", len(w.told)+1), pc: p, office: office, id: id, at: w.now}
	w.told = append(w.told, t)
	return t
}

// clerk does one of the things a clerk does, on one of a few bookings, so that
// desks meet on the same ones.
func (p *pc) clerk() {
	if p.db == nil || p.gone {
		return // the page does not answer; the clerk was told nothing
	}
	p.writes(p.w.booking(), p.w.r.IntN(9))
}

// files takes an application of somebody who is on no list.
func (p *pc) files() {
	if p.db != nil && !p.gone {
		const symbols = "23456789ABCDEFGH"
		p.writes(spclep.BookingID([]byte{'9', 'F', '3', 'K', 'Q', 'R', symbols[p.w.r.IntN(16)], symbols[p.w.r.IntN(16)]}), 2)
	}
}

// poison writes what the hub will never take.
func (p *pc) poison() {
	if p.db != nil && !p.gone {
		p.writes(p.w.booking(), 100)
	}
}

func (p *pc) writes(id spclep.BookingID, kind int) {
	t := p.w.does(p, p.office, id)
	t.poison = kind == 100
	t.exact = !p.blind
	p.alive(func() {
		r, err := p.db.Edit(context.Background(), "", t.by, id, func(b record.Booking, at localdb.Place) (drafts []op.Draft, err error) {
			drafts = p.drafts(b, kind, at.Number)
			t.ops, t.fact = len(drafts), drafts[0].Cell.Field
			return drafts, nil
		})
		if err != nil {
			if !errors.Is(err, errFull) {
				p.w.fail("%s: %v", p.name, err)
			}
			p.w.say("%s is told that its disk is full", p.name)
			return
		}
		t.done = true
		p.w.say("%s writes %s: %d ops on %s as %s", p.name, t.by, t.ops, id, r.Action)
		unsent, _, err := p.db.Unsent(context.Background())
		p.w.must(err)
		p.step(peer.Edited{Unsent: unsent})
	})
}

func (p *pc) drafts(b record.Booking, kind int, number string) []op.Draft {
	fact := func(name string, v any) op.Draft {
		return op.Draft{Cell: record.Cell(b.ID, name), Fact: true, Value: p.json(v)}
	}
	register := func(field string) op.Draft {
		text := fmt.Sprintf("%s la %d %s", p.name, p.w.now, strings.Repeat("n", p.w.r.IntN(300)))
		return op.Draft{Cell: record.Cell(b.ID, field), Value: p.json(text), Base: b.Heads(field)}
	}
	switch kind {
	case 0, 1:
		return []op.Draft{fact(spclep.Arrived, struct{}{})}
	case 2:
		return []op.Draft{fact(spclep.Filed, spclep.FiledValue{Number: number, Due: 20800}), register(spclep.FieldNote)}
	case 3:
		if n := len(b.Facts); n > 0 {
			return []op.Draft{fact(spclep.Undone, spclep.UndoneValue{Action: b.Facts[p.w.r.IntN(n)].ActionID().String()})}
		}
	case 4:
		return []op.Draft{register(spclep.FieldEmail)}
	case 5:
		return []op.Draft{fact(spclep.HandedOver, map[string]string{"to": "holder"})}
	case 6:
		if p.w.o.SkewPC > 0 {
			return []op.Draft{fact("teleported", struct{}{}), register("hologram")}
		}
		return []op.Draft{register("hologram")}
	case 100:
		return []op.Draft{fact(spclep.Cancelled, struct{}{})}
	}
	return []op.Draft{register(spclep.FieldNote)}
}

func (p *pc) json(v any) []byte {
	b, err := json.Marshal(v)
	p.w.must(err)
	return b
}

// portal: the hub itself writes on a booking that it knows.
func (w *world) portal() {
	if w.down {
		return
	}
	office, id := w.offices[w.r.IntN(len(w.offices))], w.booking()
	t := w.does(nil, string(office), id)
	t.ops, t.exact, t.fact = 1, true, spclep.FieldEmail
	err := w.hub.SetField(context.Background(), office, id, spclep.FieldEmail, t.by, t.by)
	if t.done = err == nil; t.done {
		w.say("the hub writes %s on %s of %s", t.by, id, office)
	}
}

// stop ends the service, or the power.
func (p *pc) stop(power bool) {
	if p.db == nil || p.gone {
		return
	}
	p.w.say("%s stops, power %v", p.name, power)
	p.w.counts["ends of a service"]++
	p.end(power)
}

// loseDB: the database file does not survive.
func (p *pc) loseDB() {
	if p.db == nil || p.gone {
		return
	}
	p.w.say("%s loses its database", p.name)
	p.w.counts["databases lost"]++
	p.end(false)
	if p.w.o.SQLite {
		for _, ext := range []string{"", "-wal", "-shm"} {
			os.Remove(filepath.Join(p.dir, localdb.DBName+ext))
		}
	} else {
		p.tables = newTables()
	}
	p.again()
}

// again begins the service on what is left. What the hub had, and was set back
// behind, may be gone with the database: that is two copies lost. What never
// reached it is in the journal.
func (p *pc) again() {
	p.setBack = true
	p.calmly(p.begin)
	p.setBack = false
	p.w.excuse(func(t *told) bool { return t.sent })
	p.w.keeps(p)
}

// loseJournal: the journal does not.
func (p *pc) loseJournal() {
	if p.db == nil || p.gone {
		return
	}
	p.w.say("%s loses its journal", p.name)
	p.w.counts["journals lost"]++
	p.end(false)
	if p.w.o.SQLite {
		p.w.must(os.Remove(filepath.Join(p.dir, localdb.JournalName)))
	} else {
		delete(p.disk.files, journalName)
	}
	p.again()
}

// calmly runs f without a further end of the service in it: two things at once
// that no copy survives are no story.
func (p *pc) calmly(f func()) {
	crash, full := p.disk.crash, p.disk.full
	p.disk.crash, p.disk.full = 0, false
	f()
	p.disk.crash, p.disk.full = crash, full
}

// sleep: the PC sleeps a while; its running time goes on, it does nothing.
func (p *pc) sleep() {
	if p.db == nil || p.gone {
		return
	}
	p.w.say("%s sleeps", p.name)
	p.life++
	p.m, p.flying, p.asking = nil, [2]bool{}, false
	life := p.life
	p.w.in(p.w.r.Int64N(20*minute), func() {
		if p.life == life {
			p.start()
		}
	})
}

// corrupt: one row changes behind everybody's back.
func (p *pc) corrupt() {
	if p.db == nil || p.gone || p.office == "" {
		return
	}
	what := p.w.r.IntN(4)
	p.damaged = true
	p.w.counts["rows damaged"]++
	defer p.w.excuse(func(t *told) bool { return t.sent })
	if p.w.o.SQLite {
		p.corruptSQL(what)
		return
	}
	t := p.tables
	if t.last == 0 {
		return
	}
	id, ok := t.at[1+p.w.r.Int64N(t.last)]
	if !ok || t.ops[id].Gone {
		return
	}
	k := t.ops[id]
	p.w.say("%s: op %s is damaged, kind %d", p.name, id, what)
	switch what {
	case 0:
		k.Raw = slices.Clone(k.Raw)
		k.Raw[p.w.r.IntN(len(k.Raw))] ^= 1 << p.w.r.IntN(7)
		t.ops[id], t.bad[id] = k, true
	case 1:
		k.Eff += 1 << 20
		t.ops[id] = k
	case 2:
		delete(t.ops, id)
		delete(t.at, k.Pos)
	case 3:
		delete(t.at, k.Pos)
		k.Pos = t.last + 1000
		t.at[k.Pos], t.last = id, k.Pos
		t.ops[id] = k
	}
}

// corruptSQL writes through a connection of its own, as no program does.
func (p *pc) corruptSQL(what int) {
	db, err := sql.Open("sqlite", "file:"+filepath.ToSlash(filepath.Join(p.dir, localdb.DBName))+"?_pragma=busy_timeout(5000)")
	p.w.must(err)
	defer db.Close()
	var last int64
	p.w.must(db.QueryRow(`SELECT coalesce(max(pos), 0) FROM op WHERE gone = 0`).Scan(&last))
	if last == 0 {
		return
	}
	pos := 1 + p.w.r.Int64N(last)
	p.w.say("%s: op at %d is damaged, kind %d", p.name, pos, what)
	_, err = db.Exec([]string{
		`UPDATE op SET raw = CAST(replace(CAST(raw AS TEXT), '"c"', '"C"') AS BLOB) WHERE pos = ? AND gone = 0`,
		`UPDATE op SET eff = eff + 1048576 WHERE pos = ?`,
		`DELETE FROM op WHERE pos = ?`,
		`UPDATE op SET field = 'other' WHERE pos = ?`,
	}[what], pos)
	p.w.must(err)
}

// purge lets one booking go whose time of retention is over.
func (p *pc) purge() {
	l, ok := p.db.(*memlog)
	if !ok || p.gone {
		return
	}
	id := p.w.booking()
	defer p.w.excuse(func(t *told) bool { return t.sent })
	p.alive(func() {
		n, err := l.LetGo(id)
		if err != nil && !errors.Is(err, errFull) {
			p.w.fail("%s: %v", p.name, err)
		}
		if n > 0 {
			p.w.say("%s lets %s go: %d ops", p.name, id, n)
			p.w.counts["bookings let go"]++
		}
	})
}

// backup copies the hub as it is.
func (w *world) backup() {
	w.say("the hub is backed up")
	if s, ok := w.store.(*memory.Store); ok {
		w.backups = append(w.backups, backup{mem: s.Copy()})
		return
	}
	dir := w.folder()
	_, err := w.store.(*sqlite.Store).W.Exec(`VACUUM INTO ?`, filepath.Join(dir, sqlite.DBName))
	w.must(err)
	w.backups = append(w.backups, backup{dir: dir})
}

// restore sets the hub back to its last backup, or to nothing but its keys.
func (w *world) restore(bare bool) {
	if len(w.backups) == 0 && !bare {
		return
	}
	w.say("the hub is set back, to nothing %v", bare)
	w.counts["hubs set back"]++
	for _, o := range w.offices {
		for _, e := range w.log(string(o)) {
			for _, t := range w.told {
				t.sent = t.sent || t.by == e.By
			}
		}
	}
	w.hub.Close()
	switch s := w.store.(type) {
	case *memory.Store:
		if bare {
			w.store = s.Bare()
		} else {
			w.store = w.backups[len(w.backups)-1].mem.Copy()
		}
	case *sqlite.Store:
		secrets, err := s.AllSecrets(context.Background())
		w.must(err)
		w.must(s.Close())
		dir := w.folder()
		if !bare {
			copyFolder(w, w.backups[len(w.backups)-1].dir, dir)
		}
		fresh, err := sqlite.Open(context.Background(), dir)
		w.must(err)
		if bare {
			w.must(fresh.AddSecrets(context.Background(), secrets))
		}
		w.store = fresh
	}
	w.openHub()
	w.excuse(anything)
}

// image copies a PC's disk.
func (p *pc) image() {
	if p.db == nil || p.gone {
		return
	}
	p.w.say("%s is imaged", p.name)
	p.backups = append(p.backups, p.copyDisk())
}

func (p *pc) copyDisk() image {
	i := image{free: p.free(), at: p.w.now, key: p.key, next: p.next, cert: p.cert, newCert: p.newCert, disk: p.disk.copy(), tables: p.tables.copy()}
	if p.w.o.SQLite {
		i.dir = p.w.folder()
		copyFolder(p.w, p.dir, i.dir)
	}
	return i
}

// restore sets the PC back to an image of its disk.
func (p *pc) restore() {
	if len(p.backups) == 0 || p.db == nil || p.gone {
		return
	}
	p.w.say("%s is set back to its image", p.name)
	p.w.counts["PCs set back"]++
	i := p.backups[len(p.backups)-1]
	p.end(true)
	p.put(i)
	p.w.copied(p.office, i.free)
	p.setBack = true
	p.calmly(p.begin)
	p.setBack = false
	p.w.excuse(anything)
}

// put lays an image on the disk.
func (p *pc) put(i image) {
	crash := p.disk.crash
	p.disk, p.tables, p.key, p.next = i.disk.copy(), i.tables.copy(), i.key, i.next
	p.cert, p.newCert, p.torn = i.cert, i.newCert, false
	p.disk.crash = crash
	if p.w.o.SQLite {
		p.dir = p.w.folder()
		copyFolder(p.w, i.dir, p.dir)
	}
	p.off()
}

// replace: the PC burns, and another takes its place in the office.
func (p *pc) replace() {
	if p.db == nil || p.gone || p.w.down {
		return
	}
	p.w.say("%s is replaced", p.name)
	p.w.counts["PCs replaced"]++
	p.gone = true
	p.life++
	p.db.Close()
	p.db, p.m = nil, nil
	p.w.excuse(anything)
	fresh := p.w.newPC(p.office)
	fresh.disk.crash = p.w.o.Crash
	fresh.off()
}

// clone: the PC's disk is copied onto a second PC, and both go on.
func (p *pc) clone() {
	if p.db == nil || p.gone || len(p.w.pcs) > 6 {
		return
	}
	p.w.counts["PCs copied"]++
	i := p.copyDisk()
	p.w.copied(p.office, i.free)
	q := p.w.machine(fmt.Sprintf("pc%d", len(p.w.pcs)+1), p.office)
	p.w.say("%s is copied onto %s", p.name, q.name)
	q.disk, q.tables = i.disk, i.tables
	q.dir = p.w.folder()
	q.put(i)
	q.disk.crash = p.w.o.Crash
	p.off()
	for range 3 {
		p.w.in(p.w.r.Int64N(30*minute), q.clerk)
		p.w.in(p.w.r.Int64N(30*minute), p.clerk)
	}
	q.calmly(q.begin)
}

// excuse notes what nobody holds any more after a disk was taken away.
func (w *world) excuse(which func(*told) bool) {
	held, seen := map[string]int{}, map[[8]byte]bool{}
	hold := func(o op.Op) {
		if mark := o.Mark(); !seen[mark] {
			seen[mark] = true
			held[o.By]++
		}
	}
	for _, o := range w.offices {
		for _, e := range w.log(string(o)) {
			hold(e.Op)
		}
	}
	for _, p := range w.pcs {
		if p.gone {
			continue
		}
		if p.db == nil {
			p.setBack = true
			p.calmly(p.begin)
			p.setBack = false
		}
		w.must(p.db.Look(context.Background(), func(tx replica.Tx) error {
			return p.each(tx, func(k replica.Kept) { hold(k.Op) })
		}))
	}
	for _, t := range w.told {
		// Of one that nobody was told of, the first half may have been sent alone.
		if n := held[t.by]; (t.done || n > 0) && !t.excused && n < t.ops && which(t) {
			w.say("%s is gone with the disk that held it", t.by)
			t.excused = true
		}
	}
}

// holds lists the actions of which the PC has ops, and how many.
func (p *pc) holds() map[string]int {
	out := map[string]int{}
	p.w.must(p.db.Look(context.Background(), func(tx replica.Tx) error {
		return p.each(tx, func(k replica.Kept) { out[k.By]++ })
	}))
	return out
}

// each gives all ops of a replica, placed or not.
func (p *pc) each(tx replica.Tx, f func(replica.Kept)) error {
	rows, err := tx.Placed(0, 1<<30)
	if err != nil {
		return err
	}
	for _, r := range rows {
		if r.Bad == nil {
			f(r.Kept)
		}
	}
	ks, err := tx.Unplaced(1 << 30)
	for _, k := range ks {
		f(k)
	}
	return err
}

func anything(*told) bool { return true }
