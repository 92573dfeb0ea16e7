package main

import (
	"crypto/ed25519"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"condica/hub"
	"condica/spclep"
	"condica/spclep/record"
	"condica/sync/hlc"
	"condica/sync/link"
	"condica/sync/op"
	"condica/sync/wire"
)

// A desk PC of a story: what it does goes to the hub as files.
type desk struct {
	admin
	name   string
	seq    uint64
	number uint64
}

func (a admin) desk(name string) *desk {
	a.t.Helper()
	var tok struct{ Token string }
	a.does(&tok, "token", "new", "--office", "covasna", "--json")
	token, err := wire.ParseToken(tok.Token)
	if err != nil {
		a.t.Fatal(err)
	}
	if _, err := link.Enroll(a.t.Context(), token, keyOf(name), name, clocks); err != nil {
		a.t.Fatal(err)
	}
	return &desk{admin: a, name: name}
}

// carries brings one fact, or none, and what the PC says of itself.
func (d *desk) carries(booking, fact string, value any, health string) op.ID {
	d.t.Helper()
	key := keyOf(d.name)
	d.number++
	r := wire.Request{V: wire.Version, Health: []byte(health)}
	id := op.ID{}
	if fact != "" {
		d.seq++
		id = op.ID{Device: wire.DeviceOf(key.Public().(ed25519.PublicKey)), Seq: d.seq}
		v, err := wire.Encode(value)
		if err != nil {
			d.t.Fatal(err)
		}
		now, err := time.Parse(time.RFC3339, morning)
		if err != nil {
			d.t.Fatal(err)
		}
		raw, err := wire.EncodeOp(op.Op{ID: id, Action: d.seq, Cell: record.Cell(spclep.BookingID(booking), fact), Fact: true, Value: v, Time: hlc.At(now.UnixMilli()), By: "Ana"})
		if err != nil {
			d.t.Fatal(err)
		}
		r.Segments = []wire.Segment{wire.SignSegment(key, [][]byte{raw})}
	}
	body, err := wire.Encode(r)
	if err != nil {
		d.t.Fatal(err)
	}
	request := filepath.Join(d.t.TempDir(), "request")
	if err := os.WriteFile(request, wire.CarryRequest(key, d.number, body), 0o600); err != nil {
		d.t.Fatal(err)
	}
	d.does(nil, "carry", request, request+"-answer")
	return id
}

// plain runs a command that is read by people.
func (a admin) plain(args ...string) string {
	a.t.Helper()
	code, out, errOut := a.says(append(args, "--data", a.data, "--now", morning)...)
	if code != 0 {
		a.t.Fatalf("condica-hub %s: exit %d: %s", strings.Join(args, " "), code, errOut)
	}
	return out
}

// Two desks have filed under one number: the line of the office names it with
// both bookings, and the log says at each filing which other has it; no more once
// one was taken back and filed anew.
func TestTwoAlikeAreListed(t *testing.T) {
	a := admin{t, t.TempDir()}
	_, stop := a.serves("--listen", "127.0.0.1:0")
	defer stop()
	one, two := a.desk("one"), a.desk("two")
	filed := func(number string) spclep.FiledValue { return spclep.FiledValue{Number: number, Product: "CIS"} }
	one.carries("BKNG2345", spclep.Filed, filed("12"), "")
	wrong := two.carries("BKNG2346", spclep.Filed, filed("12"), "")
	const line, remark = "the same registration number 12: BKNG2345, BKNG2346", "the same registration number as "
	if out := a.plain("offices"); strings.Count(out, line) != 1 {
		t.Errorf("offices:\n%s", out)
	}
	var offices []hub.Office
	a.does(&offices, "offices", "--json")
	if got := fmt.Sprint(offices[0].Alike); got != "[{12 [BKNG2345 BKNG2346]}]" {
		t.Errorf("offices as JSON: %s", got)
	}
	if out := a.plain("log", "--office", "covasna"); !strings.Contains(out, remark+"BKNG2346\n") || !strings.Contains(out, remark+"BKNG2345\n") {
		t.Errorf("log:\n%s", out)
	}
	if out := a.plain("log", "--office", "covasna", "--json"); strings.Count(out, `"alike":["BKNG234`) != 2 {
		t.Errorf("log as JSON:\n%s", out)
	}
	two.carries("BKNG2346", spclep.Undone, spclep.UndoneValue{Action: wrong.String()}, "")
	two.carries("BKNG2346", spclep.Filed, filed("13"), "")
	if out := a.plain("offices") + a.plain("log", "--office", "covasna") + a.plain("log", "--office", "covasna", "--json"); strings.Contains(out, "same registration number") || strings.Contains(out, "alike") {
		t.Errorf("after one was corrected:\n%s", out)
	}
}

// A PC whose disk damaged records is named as such for thirty days; how many they
// were stays in the JSON.
func TestIllDisksAreListed(t *testing.T) {
	a := admin{t, t.TempDir()}
	_, stop := a.serves("--listen", "127.0.0.1:0")
	defer stop()
	a.desk("sound").carries("", "", nil, `{"v":"1"}`)
	now, err := time.Parse(time.RFC3339, morning)
	if err != nil {
		t.Fatal(err)
	}
	mended := func(ago time.Duration) string {
		return fmt.Sprintf(`{"v":"1","m":3,"mm":%d}`, now.Add(-ago).UnixMilli())
	}
	ill := a.desk("ill")
	ill.carries("", "", nil, mended(time.Hour))
	if out := a.plain("devices", "--office", "covasna"); strings.Count(out, "disk: records found damaged and put right: 3, the last 2026-11-24T05:00:00.000Z\n") != 1 {
		t.Errorf("devices:\n%s", out)
	}
	if out := a.plain("offices"); strings.Count(out, "PCs whose disk damages records: 1\n") != 1 {
		t.Errorf("offices:\n%s", out)
	}
	var devices []deviceJSON
	a.does(&devices, "devices", "--office", "covasna", "--json")
	if len(devices) != 2 || devices[0].IllDisk || devices[0].Mended != 0 || !devices[1].IllDisk || devices[1].Mended != 3 || devices[1].LastMended != "2026-11-24T05:00:00.000Z" {
		t.Errorf("devices as JSON: %+v", devices)
	}
	ill.carries("", "", nil, mended(31*24*time.Hour))
	if out := a.plain("devices", "--office", "covasna") + a.plain("offices"); strings.Contains(out, "disk") {
		t.Errorf("a month later:\n%s", out)
	}
	var later []deviceJSON
	a.does(&later, "devices", "--office", "covasna", "--json")
	if later[1].IllDisk || later[1].Mended != 3 {
		t.Errorf("a month later: %+v", later[1])
	}
}
