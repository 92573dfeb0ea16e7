package agent

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"condica/localdb"
)

// The disk has lost both files of the replica, and nothing else. The PC says that
// edits may be lost, knows at once whose it is - before it hears the hub - and
// has everything that the hub has.
func TestBothFilesLost(t *testing.T) {
	c := newCity(t)
	d := c.pc()
	d.writes("2222AAAA", "trimis")
	d.inStep()
	was, err := d.db.Standing(t.Context())
	c.must(err)
	c.must(d.Close())
	for _, name := range []string{localdb.DBName, localdb.JournalName} {
		c.must(os.Remove(filepath.Join(d.dir, name)))
	}
	d.start()
	st, err := d.db.Standing(t.Context())
	c.must(err)
	if st.Office != "covasna" || st.Desk != was.Desk || st.Desk == 0 {
		t.Errorf("it is desk %d of office %q, and was desk %d", st.Desk, st.Office, was.Desk)
	}
	if !slices.ContainsFunc(d.Report, func(s string) bool { return strings.Contains(s, "in neither the replica nor the journal") }) {
		t.Errorf("it says %q", d.Report)
	}
	d.writes("2222AAAA", "după")
	d.inStep()
	if note, edits := c.hubShows("2222AAAA"); note != "după" || edits != 2 {
		t.Errorf("the hub shows %q of %d edits", note, edits)
	}
}
