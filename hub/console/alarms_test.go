package console_test

import (
	"fmt"
	"strings"
	"testing"

	"condica/hub/store"
	"condica/spclep"
	"condica/spclep/record"
	"condica/sync/hlc"
	"condica/sync/op"
	"condica/sync/wire"
)

// write runs f in one transaction of Covasna.
func (p *it) write(f func(store.Tx) error) {
	p.t.Helper()
	if err := p.hub.Store.Write(p.t.Context(), "covasna", f); err != nil {
		p.t.Fatal(err)
	}
}

// lacks fails on a page that says what it must not.
func lacks(t *testing.T, body string, parts ...string) {
	t.Helper()
	for _, part := range parts {
		if strings.Contains(body, part) {
			t.Errorf("the page says %q:\n%s", part, body)
		}
	}
}

// fact puts one into the log, as the hub does, and shows it in the lists.
func (p *it) fact(seq uint64, id spclep.BookingID, name string, value any) {
	p.t.Helper()
	v, err := wire.Encode(value)
	if err != nil {
		p.t.Fatal(err)
	}
	o := op.Op{ID: op.ID{Device: hlc.Device{7}, Seq: seq}, Action: seq, Cell: record.Cell(id, name), Fact: true, Value: v, Time: hlc.At(1000) + hlc.Time(seq), By: "Ana"}
	if o.Signed, err = wire.EncodeOp(o); err != nil {
		p.t.Fatal(err)
	}
	p.write(func(tx store.Tx) error {
		if err := tx.SetDevice(store.Device{ID: o.ID.Device, Office: "covasna", Kind: store.PC, Desk: 1, Name: "Ghișeul 1", AddedMs: 1}); err != nil {
			return err
		}
		if _, err := tx.Put(store.Entry{Entry: op.Entry{Op: o, Eff: o.Time}}); err != nil {
			return err
		}
		entries, err := tx.Entity(record.Kind, string(id))
		if err != nil {
			return err
		}
		return tx.Project(record.RowOf(record.Of(id, entries)))
	})
}

// Two applications carry one number: IT sees it in the list of offices, at the
// office with number and both codes, at either booking and in the log; no more
// once one was taken back and filed anew.
func TestTwoAlikeAreShown(t *testing.T) {
	p := newIT(t, nil)
	filed := func(number string) spclep.FiledValue {
		return spclep.FiledValue{Number: number, Product: "CIS", Day: p.hub.Today()}
	}
	p.fact(1, "BKNG2345", spclep.Filed, filed("12<"))
	p.fact(2, "BKNG2346", spclep.Filed, filed("13"))
	pages := func() [4]string {
		return [4]string{p.opens("/"), p.opens("/office/covasna"), p.opens("/booking/covasna/BKNG2346"), p.opens("/office/covasna/log")}
	}
	const one, two = `<a class="code" href="/booking/covasna/BKNG2345">BKNG2345</a>`, `<a class="code" href="/booking/covasna/BKNG2346">BKNG2346</a>`
	said := [4][]string{
		{`<strong class="bad">același număr de înregistrare la mai multe cereri</strong>`},
		{`<p class="refused" role="alert">Mai multe cereri poartă același număr de înregistrare, 12&lt;: ` + one + ", " + two},
		{`<dd class="bad"><strong>Același număr de înregistrare are și ` + one},
		{`<strong class="bad">același număr ca ` + two, `<strong class="bad">același număr ca ` + one},
	}
	for i, page := range pages() {
		lacks(t, page, said[i]...)
	}
	p.fact(3, "BKNG2346", spclep.Undone, spclep.UndoneValue{Action: op.ID{Device: hlc.Device{7}, Seq: 2}.String()})
	p.fact(4, "BKNG2346", spclep.Filed, filed("12<"))
	for i, page := range pages() {
		wants(t, page, said[i]...)
	}
	p.fact(5, "BKNG2346", spclep.Undone, spclep.UndoneValue{Action: op.ID{Device: hlc.Device{7}, Seq: 4}.String()})
	p.fact(6, "BKNG2346", spclep.Filed, filed("14"))
	for i, page := range pages() {
		lacks(t, page, said[i]...)
		lacks(t, page, "același număr", "Același număr")
	}
}

// A PC found records damaged on its disk and put them right. For thirty days its
// line says how many and when, as a warning and not in red.
func TestIllDiskIsShown(t *testing.T) {
	p := newIT(t, nil)
	const day = 24 * 3_600_000
	pc := store.Device{ID: hlc.Device{7}, Office: "covasna", Kind: store.PC, Desk: 1, Name: "Ghișeul 1", AddedMs: 1}
	says := func(mended int, ago int64) (offices, office string) {
		t.Helper()
		pc.Health = []byte(fmt.Sprintf(`{"v":"1","m":%d,"mm":%d}`, mended, p.hub.Now()-ago))
		p.write(func(tx store.Tx) error { return tx.SetDevice(pc) })
		return p.opens("/"), p.opens("/office/covasna")
	}
	for mended, counted := range map[int]string{1: "1 înregistrare reparată", 3: "3 înregistrări reparate", 20: "20 de înregistrări reparate"} {
		offices, office := says(mended, day)
		wants(t, offices, `<strong class="warn">disc de verificat</strong>`)
		wants(t, office, `<strong class="warn">disc: `+counted+`, ultima la 23.11.2026 10:00:00</strong>`, "discul și memoria PC-ului trebuie verificate")
	}
	offices, office := says(3, 31*day)
	lacks(t, offices, "disc")
	lacks(t, office, "disc")
	pc.RevokedMs = 5
	_, office = says(3, day)
	lacks(t, office, "disc")
}
