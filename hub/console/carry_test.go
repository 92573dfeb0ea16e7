package console_test

import (
	"bytes"
	"crypto/ed25519"
	"fmt"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"condica/hub"
	"condica/hub/console"
	"condica/hub/store"
	"condica/spclep"
	"condica/spclep/record"
	"condica/sync/hlc"
	"condica/sync/op"
	"condica/sync/wire"
)

// deskKey is that of the PC without a line.
func deskKey() ed25519.PrivateKey {
	return ed25519.NewKeyFromSeed(bytes.Repeat([]byte{9}, ed25519.SeedSize))
}

// desk is the PC as the hub knows it.
func desk() store.Device {
	pub := deskKey().Public().(ed25519.PublicKey)
	return store.Device{ID: wire.DeviceOf(pub), Office: "covasna", Kind: store.PC, Desk: 1, Name: "Ghișeul <1>", Pub: pub, AddedMs: 1}
}

// request is what the PC has written onto the stick: an arrival, and one edit
// without a value, which the hub refuses.
func (p *it) request(number uint64) []byte {
	p.t.Helper()
	var ops [][]byte
	for seq, fact := range []bool{true, false} {
		o := op.Op{ID: op.ID{Device: desk().ID, Seq: uint64(seq) + 1}, Action: uint64(seq) + 1, Cell: record.Cell("BKNG2345", spclep.Arrived), Fact: fact, Time: hlc.At(p.hub.Now()), By: "Ana"}
		raw, err := wire.EncodeOp(o)
		if err != nil {
			p.t.Fatal(err)
		}
		ops = append(ops, raw)
	}
	return p.signed(number, wire.Request{V: wire.Version, Segments: []wire.Segment{wire.SignSegment(deskKey(), ops)}})
}

func (p *it) signed(number uint64, r wire.Request) []byte {
	p.t.Helper()
	body, err := wire.Encode(r)
	if err != nil {
		p.t.Fatal(err)
	}
	return wire.CarryRequest(deskKey(), number, body)
}

// upload is the form as a browser sends it.
func upload(field string, file []byte) *http.Request {
	var body bytes.Buffer
	form := multipart.NewWriter(&body)
	part, err := form.CreateFormFile(field, "cerere.condica")
	if err != nil {
		panic(err) // into memory
	}
	part.Write(file)
	form.Close()
	r := httptest.NewRequest(http.MethodPost, "/carry", &body)
	r.Header.Set("Content-Type", form.FormDataContentType())
	r.Header.Set("Sec-Fetch-Site", "same-origin")
	return r
}

// takes uploads a file that must be taken, and gives the address of what is said
// of it.
func (p *it) takes(file []byte) string {
	p.t.Helper()
	status, body, header := p.does(upload("request", file))
	to := header.Get("Location")
	if status != http.StatusSeeOther || !strings.HasPrefix(to, "/carry/") {
		p.t.Fatalf("the file was answered %d to %q\n%s", status, to, body)
	}
	return to
}

// A PC's file comes on a stick: the page says what of it was taken, and gives the
// answer, which that PC can read; the same file once more counts nothing twice.
func TestStick(t *testing.T) {
	p := newIT(t, nil)
	p.write(func(tx store.Tx) error { return tx.SetDevice(desk()) })
	wants(t, p.opens("/"), `<a href="/carry">Fișiere pe stick</a>`)
	wants(t, p.opens("/carry"), `enctype="multipart/form-data"`, "nu sunt criptate")
	first := p.takes(p.request(42))
	page := p.opens(first)
	wants(t, page, "Ghișeul &lt;1&gt;", desk().ID.String(), "SPCLEP Covasna", "<dt>Primite</dt><dd>1 înregistrare</dd>", `<dt>Refuzate</dt><dd><strong class="bad">1</strong>`, first+"/answer")
	lacks(t, page, "mai fusese primit", "mai lung decât un fișier")
	wants(t, p.opens("/office/covasna/log"), "prezentare", "refuzat")

	status, file, header := p.does(httptest.NewRequest(http.MethodGet, first+"/answer", nil))
	if want := fmt.Sprintf(`attachment; filename="condica-raspuns-42-%s.condica"`, desk().ID); status != http.StatusOK || header.Get("Content-Disposition") != want || header.Get("Cache-Control") != "no-store" {
		t.Errorf("the answer: %d, %v", status, header)
	}
	answers, err := wire.ParseCarriedAnswers([]byte(file), desk().ID, p.hub.QRKeys())
	if err != nil || len(answers) != 1 || answers[0].Number != 42 {
		t.Errorf("the PC reads %d answers: %v", len(answers), err)
	}

	again := p.takes(p.request(42))
	wants(t, p.opens(again), "Același fișier mai fusese primit", "<dt>Primite</dt><dd>1 înregistrare</dd>")
	if heads, err := p.hub.Store.Heads(t.Context()); err != nil || heads["covasna"] != 1 {
		t.Errorf("the log ends at %d, %v", heads["covasna"], err)
	}
	nothing := p.takes(p.signed(43, wire.Request{V: wire.Version}))
	lacks(t, p.opens(nothing), "Refuzate")
	wants(t, p.opens(nothing), "<dd>0 înregistrări</dd>")
	if again == first {
		t.Error("two answers under one address")
	}
	p.opens(first) // still there
}

// Each file that is not taken has its sentence; nothing of it is taken.
func TestStickTurnedAway(t *testing.T) {
	p := newIT(t, nil)
	turned := func(r *http.Request, status int, say string) {
		t.Helper()
		got, body, _ := p.does(r)
		if got != status {
			t.Errorf("%q: answered %d, want %d", say, got, status)
		}
		wants(t, body, `role="alert"`, say, `type="file"`)
	}
	file := p.request(42)
	turned(upload("request", file), 422, "Hub-ul nu cunoaște PC-ul")
	known := func(change func(*store.Device)) {
		t.Helper()
		d := desk()
		change(&d)
		p.write(func(tx store.Tx) error { return tx.SetDevice(d) })
	}
	known(func(*store.Device) {})
	turned(upload("request", file[:len(file)-1]), 422, "îi lipsește sfârșitul")
	turned(upload("request", append(bytes.Clone(file), 'x')), 422, "nu este așa cum l-a scris PC-ul")
	turned(upload("request", append(bytes.Clone(file[:len(file)-1]), 'x')), 422, "Semnătura nu se potrivește")
	turned(upload("request", wire.CarriedAnswers()), 422, "nu este fișierul cu cererea unui PC")
	turned(upload("request", []byte("poze de la mare")), 422, "nu este fișierul cu cererea unui PC")
	turned(upload("request", wire.CarryRequest(deskKey(), 42, []byte("\x28\xb5\x2f\xfd"))), 422, "nu poate fi despachetat")
	turned(upload("request", wire.CarryRequest(deskKey(), 42, []byte("<html>"))), 422, "nu înțelege cererea")
	strange := ed25519.NewKeyFromSeed(bytes.Repeat([]byte{1}, ed25519.SeedSize))
	turned(upload("request", p.signed(42, wire.Request{V: wire.Version, Segments: []wire.Segment{wire.SignSegment(strange, [][]byte{[]byte(`{"q":1}`)})}})), 422, "ale unui PC de la care hub-ul nu primește")
	turned(upload("request", nil), 422, "Alegeți fișierul")
	turned(upload("another", file), 422, "Alegeți fișierul")
	turned(upload("request", make([]byte, wire.MaxCarriedFile)), 413, "prea mare")
	known(func(d *store.Device) { d.Window = store.Window{High: 900, Seen: 1} })
	turned(upload("request", file), 422, "este prea vechi")
	known(func(d *store.Device) { d.RetiredMs = 5 })
	turned(upload("request", file), 422, "pe alt calculator sau a fost înlocuită")
	known(func(d *store.Device) { d.RevokedMs = 5 })
	turned(upload("request", file), 422, "a fost retras")
	if heads, err := p.hub.Store.Heads(t.Context()); err != nil || len(heads) != 0 {
		t.Errorf("something was taken: %v, %v", heads, err)
	}
}

// A reason has a sentence, no two the same, and each says that nothing was taken.
func TestStickReasons(t *testing.T) {
	said := map[string]string{}
	for _, code := range hub.CarryReasons() {
		say := console.WhyNot(code)
		if other, twice := said[say]; twice || strings.HasPrefix(say, code) || !strings.HasSuffix(say, "nu s-a primit nimic.") {
			t.Errorf("%s is said as %q, as is %q", code, say, other)
		}
		said[say] = code
	}
}

// Answers are held up to a bound, the oldest go first, and the newest stays in any
// case.
func TestAnswersAreLetGo(t *testing.T) {
	const most = wire.MaxCarriedFile
	for _, c := range []struct{ sizes, left []int }{
		{[]int{1, 2, 3}, []int{1, 2, 3}},
		{[]int{5, most - 2, 2}, []int{most - 2, 2}},
		{[]int{5, most}, []int{most}},
		{[]int{5, most + 1}, []int{most + 1}},
		{[]int{most + 1, 5, 6}, []int{5, 6}},
	} {
		if left := console.Keeps(c.sizes...); !slices.Equal(left, c.left) {
			t.Errorf("of %v are held %v, want %v", c.sizes, left, c.left)
		}
	}
}

// A form on a foreign site brings nothing, and neither does one that is no
// upload; an address that was never given has no answer.
func TestStickFromElsewhere(t *testing.T) {
	p := newIT(t, nil)
	p.write(func(tx store.Tx) error { return tx.SetDevice(desk()) })
	r := upload("request", p.request(42))
	r.Header.Set("Sec-Fetch-Site", "cross-site")
	if status, _, _ := p.does(r); status != http.StatusForbidden {
		t.Errorf("a form on a foreign site: %d", status)
	}
	if status, body, _ := p.sends("/carry", map[string][]string{"request": {string(p.request(42))}}); status != http.StatusUnprocessableEntity {
		t.Errorf("a form without a file: %d\n%s", status, body)
	}
	if heads, err := p.hub.Store.Heads(t.Context()); err != nil || len(heads) != 0 {
		t.Errorf("something was taken: %v, %v", heads, err)
	}
	for _, path := range []string{"/carry/00000000000000000000000000000000", "/carry/00000000000000000000000000000000/answer"} {
		status, body, _ := p.does(httptest.NewRequest(http.MethodGet, path, nil))
		if status != http.StatusNotFound {
			t.Errorf("%s: %d", path, status)
		}
		wants(t, body, "Aduceți din nou același fișier")
	}
}
