package console_test

import (
	"encoding/json"
	"strings"
	"testing"

	"condica/hub/store"
	"condica/spclep"
	"condica/spclep/record"
	"condica/sync/hlc"
	"condica/sync/op"
	"condica/sync/wire"
)

// IT sees that a disk was copied, which PC was replaced by which, and that the
// hub had lost work that PCs brought back; when both machines have keys of their
// own the alarm is over.
func TestRecoveryIsShown(t *testing.T) {
	p := newIT(t, nil)
	lost, bearer := hlc.Device{0xaa}, hlc.Device{0xbb}
	o := op.Op{ID: op.ID{Device: lost, Seq: 1}, Action: 1, Cell: record.Cell("BKNG2345", spclep.FieldNote), Value: json.RawMessage(`"x"`), Time: hlc.At(1000), By: "Maria"}
	raw, err := wire.EncodeOp(o)
	if err != nil {
		t.Fatal(err)
	}
	o.Signed = raw
	old := store.Device{ID: hlc.Device{1}, Office: "covasna", Kind: store.PC, Desk: 1, Name: "Ghișeul <1>", AddedMs: 1, RetiredMs: 1000, Cloned: true}
	write := func(f func(store.Tx) error) {
		t.Helper()
		if err := p.hub.Store.Write(t.Context(), "covasna", f); err != nil {
			t.Fatal(err)
		}
	}
	write(func(tx store.Tx) error {
		for _, d := range []store.Device{old, {ID: lost, Office: "covasna", Kind: store.Gone, AddedMs: 2}} {
			if err := tx.SetDevice(d); err != nil {
				return err
			}
		}
		_, err := tx.Put(store.Entry{Entry: op.Entry{Op: o, Eff: o.Time}, Via: bearer})
		return err
	})
	wants(t, p.opens("/"), "o cheie pe două calculatoare", `<td class="n">1</td>`)
	const alarm = "Două calculatoare folosesc cheia PC-ului 1, „Ghișeul &lt;1&gt;”"
	wants(t, p.opens("/office/covasna"), alarm, `role="alert"`, "înlocuit în 01.01.1970", "readus: 1.", "încă nu s-au întors: 1.")
	wants(t, p.opens("/office/covasna/log"), lost.String()+", readusă de "+bearer.String())
	wants(t, p.opens("/booking/covasna/BKNG2345"), lost.String()+", readusă de "+bearer.String())

	write(func(tx store.Tx) error {
		old.Heir = hlc.Device{2}
		for _, d := range []store.Device{old, {ID: hlc.Device{2}, Office: "covasna", Kind: store.PC, Desk: 2, Old: old.ID}, {ID: hlc.Device{3}, Office: "covasna", Kind: store.PC, Desk: 3, Old: old.ID}} {
			if err := tx.SetDevice(d); err != nil {
				return err
			}
		}
		return nil
	})
	page := p.opens("/office/covasna")
	wants(t, page, `de <span class="code">0200000000000000</span>`)
	if strings.Contains(page, "Două calculatoare") || strings.Contains(p.opens("/"), "două calculatoare") {
		t.Error("both machines have keys of their own, and the alarm goes on")
	}
}
