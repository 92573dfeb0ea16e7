package localdb

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"condica/localdb/file"
	"condica/spclep"
	"condica/spclep/record"
	"condica/sync/hlc"
	"condica/sync/op"
	"condica/sync/wire"
)

// People at the counter are found as clerks type them.
func TestSearch(t *testing.T) {
	c, tn := newCounter(t), newTown(t)
	for i, name := range []string{"Șerban Dănuț-Ioan", "Şerban Maria", "Pârvu Ana", "Pîrvu Ion", "Szűcs Ödön", "O'Brien Łukasz", "Popescu Ana-Maria", "Groß Äneas"} {
		tn.booked(uint64(i+1), fmt.Sprintf("7F3KQR%02d", i+22), name)
	}
	c.syncAll(tn)
	c.write("", "7F3KQR22", factDraft("7F3KQR22", spclep.Filed, spclep.FiledValue{Number: "2-00017"}))
	for query, want := range map[string]string{
		"Șerban": "Dănuț Maria", "Şerban": "Dănuț Maria", "serban": "Dănuț Maria", "SERBAN": "Dănuț Maria", "șe": "Dănuț Maria",
		"serban danut": "Dănuț", "danut serban": "Dănuț", "ioan danut": "Dănuț", "s\u0326erban": "Dănuț Maria",
		"Pârvu": "Pârvu Pîrvu", "Pîrvu": "Pârvu Pîrvu", "pirvu": "Pârvu Pîrvu", "parvu": "Pârvu Pîrvu", "ana parvu": "Pârvu",
		"Szűcs": "Szűcs", "szucs odon": "Szűcs", "ÖDÖN": "Szűcs", "lukasz": "Łukasz", "Łukasz": "Łukasz", "o'brien": "Łukasz", "gross": "Groß", "Groß": "Groß", "aneas": "Groß",
		"7f3kqr24": "Pârvu", "7F3K": "Dănuț Maria Pârvu Pîrvu Szűcs Łukasz Popescu Groß", "p7F3KQR24": "Pârvu", "xampl": "Dănuț Maria Pârvu Pîrvu Szűcs Łukasz Popescu Groß", "xa mpl": "", "example": "Dănuț Maria Pârvu Pîrvu Szűcs Łukasz Popescu Groß",
		"2-00017": "Dănuț", "00017": "Dănuț", "ana maria": "Popescu", "maria-ana": "Popescu",
		// What a person types by accident is never an operator.
		`"serban"`: "Dănuț Maria", `serb*`: "Dănuț Maria", "(pop": "Popescu", "pop OR": "", "NOT pop": "", "pop AND": "", "words:pop": "", "pop^2": "", `a"b`: "", "serban -danut": "Dănuț",
		"": "", "s": "", " * ": "", "--": "", "\x00\xff": "", "'; DROP TABLE booking": "", strings.Repeat("x ", 500): "", "\u0302\u0302": "",
	} {
		rows, err := c.Search(t.Context(), query, 20780, 50)
		if err != nil {
			t.Errorf("%q: %v", query, err)
			continue
		}
		var names []string
		for _, r := range rows {
			names = append(names, r.Name)
		}
		got := strings.Join(names, ", ")
		for _, part := range strings.Fields(want) {
			if !strings.Contains(got, part) {
				t.Errorf("%q found %q, not %s", query, got, part)
			}
		}
		if n := len(strings.Fields(want)); len(rows) != n {
			t.Errorf("%q found %d: %q, want %d", query, len(rows), got, n)
		}
	}
}

// A name that was corrected is found by the new one only.
func TestSearchFollowsCorrections(t *testing.T) {
	c, tn := newCounter(t), newTown(t)
	tn.booked(1, "7F3KQR22", "Ionesku Dan")
	c.syncAll(tn)
	c.register("7F3KQR22", spclep.FieldName, "Ionescu Dan")
	for query, want := range map[string]int{"ionesku": 0, "ionescu": 1, "dan": 1} {
		if rows, err := c.Search(t.Context(), query, 0, 5); err != nil || len(rows) != want {
			t.Errorf("%q found %d, %v", query, len(rows), err)
		}
	}
}

// What a folder's path looks like in the name SQLite is given.
func TestDSN(t *testing.T) {
	for path, want := range map[string]string{
		"/var/lib/condica/replica.db":        "file:///var/lib/condica/replica.db?",
		"C:/ProgramData/Condica/replica.db":  "file:///C:/ProgramData/Condica/replica.db?",
		"/srv/Ghișeul 2/a?b#c%20/replica.db": "file:///srv/Ghi%C8%99eul%202/a%3Fb%23c%2520/replica.db?",
	} {
		for _, mode := range []string{"rwc", "ro"} {
			got := file.URI(path, mode, 4096)
			if !strings.HasPrefix(got, want) || !strings.Contains(got, "mode="+mode) || !strings.Contains(got, "_pragma=busy_timeout") {
				t.Errorf("%s %s: %s", path, mode, got)
			}
		}
	}
}

// The pragmas hold on every connection, and the readers cannot write.
func TestPragmas(t *testing.T) {
	c := newCounter(t)
	for pragma, want := range map[string]string{"journal_mode": "wal", "synchronous": "2", "secure_delete": "1", "busy_timeout": "10000", "application_id": fmt.Sprint(applicationID)} {
		var w, r string
		c.must(c.tx.QueryRowContext(t.Context(), "PRAGMA "+pragma).Scan(&w))
		c.must(c.r.QueryRow("PRAGMA " + pragma).Scan(&r))
		if w != want || r != want {
			t.Errorf("%s: writer %s, readers %s, want %s", pragma, w, r, want)
		}
	}
	if _, err := c.r.Exec(`DELETE FROM op`); err == nil {
		t.Error("a reader wrote")
	}
}

// Folders that clerks and IT really have, and files that are not ours.
func TestOpenWhere(t *testing.T) {
	for _, name := range []string{"Ghișeul 2", "a?b#c%20", "e&mode=ro", "Új mappa (1)"} {
		c := &counter{TB: t, dir: t.TempDir() + "/" + name + "/adânc", clock: hlc.Reading{Wall: storyNoon, Boot: "b", Up: 1}}
		c.open()
		c.arrive("22222222")
		c.reopen()
		if _, err := os.Stat(c.path(DBName)); err != nil || c.state("22222222") != spclep.StateArrived {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, _, err := Open(t.Context(), `\\server\share\condica`, Options{}); err == nil || !strings.Contains(err.Error(), "network") {
		t.Errorf("a network folder: %v", err)
	}
	c := newCounter(t)
	_, err := c.tx.ExecContext(t.Context(), `PRAGMA application_id = 7`)
	c.must(err)
	c.must(c.Close())
	if _, _, err := Open(t.Context(), c.dir, Options{Device: thisPC}); err == nil || !strings.Contains(err.Error(), "another program") {
		t.Errorf("another program's database: %v", err)
	}
	if _, err := os.Stat(c.path(DBName)); err != nil {
		t.Errorf("it was not left where it was: %v", err)
	}
}

// The key of a PC was lost and made anew: its log is still the one of before,
// until the hub says under which name it goes on. Then what is unsent goes along.
func TestNewKeyInAnOldFolder(t *testing.T) {
	c := newCounter(t)
	c.arrive("22222222")
	c.must(c.Close())
	db, _, err := Open(t.Context(), c.dir, Options{Device: newPC, Now: func() hlc.Reading { return c.clock }})
	c.must(err)
	defer db.Close()
	if db.Device() != thisPC {
		t.Errorf("the log is %s's, want that of before", db.Device())
	}
	c.must(db.Rekey(t.Context(), wire.Enrolled{Device: newPC, Office: "covasna", Desk: 4}))
	unsent, _, err := db.Unsent(t.Context())
	c.must(err)
	q, err := db.Queue(t.Context(), 5)
	c.must(err)
	b, err := db.Booking(t.Context(), "22222222")
	c.must(err)
	if unsent != 1 || q[0].ID != (op.ID{Device: newPC, Seq: 1}) || b.Visit.State != spclep.StateArrived || record.RowOf(b).State != spclep.StateArrived {
		t.Errorf("%d unsent, %+v, %s", unsent, q, b.Visit.State)
	}
}
