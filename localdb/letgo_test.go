package localdb_test

import (
	"bytes"
	"database/sql"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"condica/localdb"
	"condica/localdb/file"
	"condica/spclep"
	"condica/sync/wire"
)

// inFiles tells which of the replica's files hold a text.
func (c *parishPC) inFiles(text string) (names []string) {
	c.p.t.Helper()
	files, err := os.ReadDir(c.dir)
	c.p.must(err)
	for _, f := range files {
		b, err := os.ReadFile(filepath.Join(c.dir, f.Name()))
		c.p.must(err)
		if bytes.Contains(bytes.ToLower(b), []byte(text)) {
			names = append(names, f.Name())
		}
	}
	return names
}

// searchWords counts a word in search's index, whether a booking is found by it
// or not.
func (c *parishPC) searchWords(word string) (n int) {
	c.p.t.Helper()
	db, err := sql.Open("sqlite", file.URI(filepath.Join(c.dir, localdb.DBName), "rw", 100))
	c.p.must(err)
	defer db.Close()
	db.SetMaxOpenConns(1)
	_, err = db.Exec(`CREATE VIRTUAL TABLE temp.words USING fts5vocab (main, booking_fts, row)`)
	c.p.must(err)
	c.p.must(db.QueryRow(`SELECT count(*) FROM temp.words WHERE term = ?`, word).Scan(&n))
	return n
}

// An office of two PCs with a year behind it: one card handed over, one booking
// that nobody came for, one application taken and one card ready that nobody has
// collected, one card handed out twice, one booking of yesterday.
func yearOld(t *testing.T) (p *parish, c, other *parishPC) {
	p = newParish(t)
	c, other = p.pc("one"), p.pc("two")
	c.settle(5)
	other.settle(5)
	other.walkIn("2222AAAA", "Ștefania Înmânată", storyDay)
	c.walkIn("2222BBBB", "Zoltan Neprezentat", storyDay)
	c.walkIn("2222CCCC", "Ion Depus", storyDay)
	c.walkIn("2222DDDD", "Ion Gata", storyDay)
	c.walkIn("2222EEEE", "Ion Dublu", storyDay)
	c.settle(5)
	other.settle(5)
	for _, id := range []spclep.BookingID{"2222AAAA", "2222CCCC", "2222DDDD", "2222EEEE"} {
		c.does(id, spclep.Arrived, true, nil)
		c.does(id, spclep.Filed, true, spclep.FiledValue{Number: "1-" + string(id), Product: "cei", Day: storyDay, Due: storyDay + 10})
	}
	c.does("2222DDDD", spclep.Ready, true, nil)
	for _, id := range []spclep.BookingID{"2222AAAA", "2222EEEE"} {
		c.does(id, spclep.HandedOver, true, spclep.HandedOverValue{To: "holder"})
	}
	c.settle(5)
	other.does("2222EEEE", spclep.HandedOver, true, spclep.HandedOverValue{To: "holder"})
	other.settle(5)
	c.settle(5)
	p.later(365 * 24 * time.Hour)
	c.walkIn("2222FFFF", "Ion Ieri", storyDay+364)
	c.settle(5)
	other.settle(5)
	return p, c, other
}

// letGo is the daily cleaning, of bookings older than 90 days.
func (c *parishPC) letGo() (bookings, ops int) {
	c.p.t.Helper()
	bookings, ops, err := c.LetGo(c.p.t.Context(), 90, c.p.now, 100)
	c.p.must(err)
	return bookings, ops
}

func (c *parishPC) states(ids ...spclep.BookingID) (out string) {
	c.p.t.Helper()
	for _, id := range ids {
		b, err := c.Booking(c.p.t.Context(), id)
		c.p.must(err)
		out += " " + string(b.Visit.State)
	}
	return out
}

var yearOldIDs = []spclep.BookingID{"2222AAAA", "2222BBBB", "2222CCCC", "2222DDDD", "2222EEEE", "2222FFFF"}

// What is closed and past its time goes, wholly: no file of the replica holds the
// name any more. What somebody may still come for, and what waits for a person,
// stays. PC and hub still hold the same by their digests.
func TestLetGo(t *testing.T) {
	p, c, _ := yearOld(t)
	for _, name := range []string{"ștefania", "zoltan"} {
		if len(c.inFiles(name)) == 0 {
			t.Fatalf("the story needs %s in the files", name)
		}
	}
	if words := c.searchWords("zoltan"); words == 0 {
		t.Fatal("the story needs the name in the words of search")
	}
	if b, o := c.letGo(); b != 2 || o != 5 {
		t.Errorf("%d bookings of %d edits went, want 2 of 5", b, o)
	}
	if words := c.searchWords("zoltan"); words > 0 {
		t.Error("the index of search still holds the name")
	}
	for _, name := range []string{"ștefania", "stefania", "înmânat", "zoltan", "2222aaaa/"} {
		if files := c.inFiles(name); len(files) > 0 {
			t.Errorf("%v still hold %q", files, name)
		}
	}
	if got := c.states(yearOldIDs...); got != "   filed ready handed-over booked" {
		t.Errorf("the bookings are%s", got)
	}
	if found, err := c.Search(t.Context(), "zoltan", storyDay, 10); err != nil || len(found) > 0 {
		t.Errorf("search finds %+v, %v", found, err)
	}
	if found, err := c.Search(t.Context(), "gata", storyDay, 10); err != nil || len(found) != 1 {
		t.Errorf("search finds %+v, %v", found, err)
	}
	c.settle(4)
	c.holdsTheSame()
	if _, err := c.Queue(t.Context(), 100); err != nil {
		t.Errorf("the queue: %v", err)
	}
	if b, o := c.letGo(); b != 0 || o != 0 {
		t.Errorf("then %d bookings of %d edits", b, o)
	}
	p.must(c.Close())
	c.open()
	c.settle(4)
	c.holdsTheSame()
	st, err := c.Standing(t.Context())
	if err != nil || st.Gone != 5 || st.Mended.Ops != 0 || c.states(yearOldIDs...) != "   filed ready handed-over booked" {
		t.Errorf("after a restart: %+v, %v", st, err)
	}
}

// A booking stays as long as its own last word is young, whatever its day; none
// goes without a time of retention.
func TestLetGoNotYet(t *testing.T) {
	p, c, _ := yearOld(t)
	c.does("2222AAAA", spclep.FieldNote, false, "reclamație")
	c.settle(4)
	for _, days := range []int{0, -1, 366, 36_500_000} {
		if b, _, err := c.LetGo(t.Context(), days, p.now, 100); err != nil || b != 0 {
			t.Errorf("%d days: %d went, %v", days, b, err)
		}
	}
	if b, _ := c.letGo(); b != 1 || c.states("2222AAAA", "2222BBBB") != " handed-over " {
		t.Errorf("%d went; %s", b, c.states("2222AAAA", "2222BBBB"))
	}
}

// The lists say of an application that its card was handed over. The log knows
// better.
func TestLetGoAsksTheLog(t *testing.T) {
	_, c, _ := yearOld(t)
	c.alter(`UPDATE booking SET state = 'handed-over' WHERE id IN ('2222CCCC', '2222DDDD')`)
	c.alter(`UPDATE booking SET person = 0 WHERE id = '2222EEEE'`)
	if b, _ := c.letGo(); b != 2 || c.states(yearOldIDs...) != "   filed ready handed-over booked" {
		t.Errorf("%d went; %s", b, c.states(yearOldIDs...))
	}
}

// The line is down and work waits: only what the hub has placed, whole, may go.
func TestLetGoInAnOutage(t *testing.T) {
	p, c, _ := yearOld(t)
	c.does("2222BBBB", spclep.FieldNote, false, "sună înapoi")
	c.does("2222GGGG", spclep.Booked, true, spclep.BookedValue{Name: "Ion Nou", Reason: "R08", Day: storyDay + 365, Origin: spclep.OriginWalkIn})
	p.later(100 * 24 * time.Hour)
	if b, o := c.letGo(); b != 2 || o != 5 { // 2222AAAA, and 2222FFFF by now
		t.Errorf("%d bookings of %d edits went", b, o)
	}
	if got := c.states("2222BBBB", "2222GGGG"); got != " booked booked" {
		t.Errorf("the unsent ones are%s", got)
	}
	c.settle(6)
	c.holdsTheSame()
	got, _, err := p.hub.Booking(t.Context(), "covasna", "2222BBBB")
	if err != nil || got.Note != "sună înapoi" {
		t.Errorf("the hub shows %q, %v", got.Note, err)
	}
}

// Another PC of the office, long without a line, has written on a booking that
// went meanwhile. What it wrote comes, is not shown, and goes with the next
// cleaning; the PC that wrote it lets its own go by itself.
func TestLetGoAndALateWord(t *testing.T) {
	p, c, other := yearOld(t)
	other.does("2222AAAA", spclep.FieldNote, false, "domnul Zaharia întreabă")
	c.letGo()
	other.settle(5)
	c.settle(5)
	if got := c.states("2222AAAA"); len(c.inFiles("zaharia")) == 0 || got == " handed-over" {
		t.Fatalf("the story needs the late word in the file; %s", got)
	}
	rows, err := c.Day(t.Context(), storyDay)
	p.must(err)
	for _, r := range rows {
		if r.ID == "2222AAAA" {
			t.Errorf("the list shows %+v", r)
		}
	}
	if b, o := c.letGo(); b != 1 || o != 1 || len(c.inFiles("zaharia")) > 0 {
		t.Errorf("%d bookings of %d edits went; %v", b, o, c.inFiles("zaharia"))
	}
	if b, _ := other.letGo(); b != 1 {
		t.Errorf("%d of the other PC went", b)
	}
	p.later(91 * 24 * time.Hour)
	other.letGo()
	for _, pc := range []*parishPC{c, other} {
		pc.settle(5)
		pc.holdsTheSame()
	}
	if st, err := c.Standing(t.Context()); err != nil || st.Mended.Ops > 0 {
		t.Errorf("%+v, %v", st.Mended, err)
	}
}

// There is a lot to clean: each call takes its part, and those that may not go
// stand in nobody's way.
func TestLetGoInParts(t *testing.T) {
	p := newParish(t)
	c := p.pc("one")
	c.settle(5)
	var refused []spclep.BookingID
	for i := range 70 {
		id := spclep.BookingID(fmt.Sprintf("2222%c%c%c%c", 'A'+i%20, 'A'+i/20, 'A', 'A'))
		c.walkIn(id, fmt.Sprintf("Ion Zoltan %d", i), storyDay)
		if i%20 < 2 {
			refused = append(refused, id)
			c.does(id, "teleported", true, nil) // of which the hub says no
		}
	}
	c.settle(5)
	p.later(365 * 24 * time.Hour)
	c.settle(5)
	var went []int
	for {
		b, _, err := c.LetGo(t.Context(), 90, p.now, 30)
		p.must(err)
		went = append(went, b)
		if b < 30 {
			break
		}
	}
	if st, err := c.Standing(t.Context()); err != nil || fmt.Sprint(went) != "[30 30 2]" || st.Bookings != len(refused) || len(refused) != 8 {
		t.Errorf("%v went, %d bookings stay of which %d were refused, %v", went, st.Bookings, len(refused), err)
	}
	c.settle(4)
	c.holdsTheSame()
}

// The hub loses everything, the PC has let go the beginning of its own log: the
// rest of it is sent, and nothing waits for ever.
func TestLetGoAndALostHub(t *testing.T) {
	p, c, other := yearOld(t)
	c.letGo()
	other.letGo()
	p.open()
	token := map[*parishPC]wire.Enrolled{c: c.enrol(), other: other.enrol()}
	for pc, e := range token {
		p.must(pc.SetOffice(t.Context(), e))
	}
	for range 2 {
		c.settle(12)
		other.settle(12)
	}
	for _, pc := range []*parishPC{c, other} {
		if got := pc.states(yearOldIDs...); got != "   filed ready handed-over booked" {
			t.Errorf("the bookings are%s", got)
		}
		if st, err := pc.Standing(t.Context()); err != nil || st.Unsent != 0 || st.Refused != 0 {
			t.Errorf("%+v, %v", st, err)
		}
		if _, err := pc.Queue(t.Context(), 100); err != nil {
			t.Errorf("the queue: %v", err)
		}
		pc.holdsTheSame()
	}
	if h, _, err := p.hub.Booking(t.Context(), "covasna", "2222EEEE"); err != nil || !h.Visit.TwoHandOvers {
		t.Errorf("the hub shows %s, %v", h.Visit.State, err)
	}
}
