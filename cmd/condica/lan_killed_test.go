package main

import (
	"context"
	"encoding/json"
	"fmt"
	"html"
	"io"
	"math/rand/v2"
	"net/http"
	"net/url"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"condica/agent/api"
	"condica/spclep"
)

// lanKills is how often the PC that lends its desk is killed.
const lanKills = 15

// Four clerks work at two PCs, at the desk that a third one lends; that one is
// killed without warning again and again, now and then while it is still
// starting, and in the middle one of theirs is. Forms that did not arrive are
// sent again as the page offers them. In the end the lender's record and the hub
// hold what the clerks were told is done, once, under the right clerk and desk,
// and nothing else.
func TestALenderKilledAtWork(t *testing.T) {
	f := newFloor(t)
	before := len(f.log())
	r := rand.New(rand.NewPCG(*killSeed, 500))
	home := f.work()
	for n := range lanKills {
		if n%2 == 0 { // such a life sees work, however slow the machine
			told := f.told("pc2", "pc3")
			until(t, "the clerks are at work", func() bool { return f.told("pc2", "pc3") > told+7 })
		}
		f.killAfter("pc1", time.Duration(r.IntN(350_000))*time.Microsecond)
		if r.IntN(4) == 0 {
			f.killAtStart("pc1", time.Duration(r.IntN(250_000))*time.Microsecond)
		}
		if n == lanKills/2 {
			f.killAfter("pc2", 0)
		}
		f.startPC("pc1", monday)
		if n == lanKills/2 {
			told := f.told("pc2")
			f.opens("pc2")
			until(t, "the clerks of the PC that was killed go on", func() bool { return f.told("pc2") > told })
		}
	}
	told := f.told("pc2", "pc3")
	until(t, "the work goes on", func() bool { return f.told("pc2", "pc3") > told+20 })
	home()
	f.inStep("pc1")
	f.lenderHolds()
	f.hubHolds(f.log()[before:])
	if n := f.told("pc2", "pc3"); n < 4*lanKills {
		t.Errorf("only %d forms in %d lives of the lender: that is no work", n, lanKills)
	}
	again := 0
	for _, k := range f.clerks {
		again += k.again
	}
	t.Logf("%d kills: %d forms done, %d sent again", lanKills, f.told("pc2", "pc3"), again)
}

// A floor is an office of three PCs at one desk: pc1 lends it.
type floor struct {
	*country
	desks  sync.Map // where a PC's pages are now
	closed atomic.Bool
	clerks []*visiting
	booked []string
}

func newFloor(t *testing.T) *floor {
	t.Helper()
	f := &floor{country: newCountry(t)}
	f.startHub()
	f.book()
	f.startPC("pc1", monday)
	f.enroll("pc1")
	f.inStep("pc1")
	for _, b := range f.day("pc1", "2026-11-23") {
		f.booked = append(f.booked, b.ID)
	}
	lent := read[api.LANState](t, "condica", "lan", "lend", "--listen", "127.0.0.1:"+ownPort(t), "--data", f.pcDir("pc1"), "--json").Listen
	for i, pc := range []string{"pc2", "pc3"} {
		seat := fmt.Sprint("Ghișeul ", i+2)
		f.opens(pc)
		f.condica(pc, "lan", "join", read[api.Invited](t, "condica", "lan", "invite", seat, "--data", f.pcDir("pc1"), "--at", lent, "--json").Invitation)
		for j, name := range []string{"Ana", "Ion"} {
			f.clerks = append(f.clerks, &visiting{f: f, pc: pc, name: fmt.Sprint(name, " Exemplu ", i), seat: seat, r: rand.New(rand.NewPCG(*killSeed, uint64(10*i+j)))})
		}
	}
	return f
}

// opens starts a guest's PC. Its wall clock shows another year, and nobody asks it.
func (f *floor) opens(pc string) {
	f.t.Helper()
	year := map[string]int{"pc2": 2009, "pc3": 2060}[pc]
	f.startPC(pc, time.Date(year, 1, 1, 0, 0, 0, 0, time.UTC))
	f.desks.Store(pc, f.pcs[pc].url("desk"))
}

// work lets the clerks begin; home waits until they have ended what they are at.
func (f *floor) work() (home func()) {
	var work sync.WaitGroup
	for _, k := range f.clerks {
		work.Go(func() { k.work(f.t.Context()) })
	}
	f.t.Cleanup(work.Wait)
	return func() { f.closed.Store(true); work.Wait() }
}

// told is how many forms the clerks of these PCs were told are done.
func (f *floor) told(pcs ...string) (n int) {
	for _, k := range f.clerks {
		if slices.Contains(pcs, k.pc) {
			n += int(k.done.Load())
		}
	}
	return n
}

// lenderHolds: what was called done is on the PC that lends, as those who did it
// were told.
func (f *floor) lenderHolds() {
	f.t.Helper()
	records := map[string]api.Visit{}
	for _, k := range f.clerks {
		for _, w := range k.wrote {
			if _, ok := records[w.id]; !ok {
				records[w.id] = f.record("pc1", spclep.BookingID(w.id))
			}
			n := 0
			for _, e := range slices.Concat(records[w.id].Facts, records[w.id].History) {
				if e.Name == w.name && e.By == k.author() && said(f.t, w.name != spclep.FieldNote, e.Value) == w.value {
					n++
				}
			}
			if n != 1 {
				f.t.Errorf("%s: %+v was done, and is in the lender's record %d times", k.author(), w, n)
			}
		}
	}
}

// hubHolds: the log is what the clerks were told, and not a line more.
func (f *floor) hubHolds(log []logLine) {
	f.t.Helper()
	held, names := map[string]int{}, map[string]int{}
	for _, l := range log {
		if strings.HasSuffix(l.Cell, "/"+spclep.Booked) {
			var b spclep.BookedValue
			if err := json.Unmarshal(l.Value, &b); err != nil {
				f.t.Fatal(err)
			}
			names[b.Name]++
		}
		held[fmt.Sprint(l.Cell, " ", said(f.t, l.Fact, l.Value), " by ", l.By)]++
	}
	for _, k := range f.clerks {
		for _, w := range k.wrote {
			line := fmt.Sprint("booking/", w.id, "/", w.name, " ", w.value, " by ", k.author())
			if held[line] != 1 {
				f.t.Errorf("%s was done, and is on the hub %d times", line, held[line])
			}
			delete(held, line)
		}
	}
	for line, n := range held {
		f.t.Errorf("the hub holds %s (%d times), which nobody was told", line, n)
	}
	for name, n := range names {
		if n > 1 {
			f.t.Errorf("%s was taken in %d times", name, n)
		}
	}
}

// A visiting clerk works at the pages of a PC whose desk is another one's.
type visiting struct {
	f              *floor
	pc, name, seat string
	r              *rand.Rand
	n, again       int
	done           atomic.Int64
	wrote          []written
}

// A written edit is one of a form that was done.
type written struct{ id, name, value string }

func (k *visiting) author() string { return k.name + " · la " + k.seat }

// work: people with and without a booking, one after the other.
func (k *visiting) work(ctx context.Context) {
	booked := slices.Clone(k.f.booked)
	k.r.Shuffle(len(booked), func(i, j int) { booked[i], booked[j] = booked[j], booked[i] })
	for !k.f.closed.Load() && ctx.Err() == nil {
		if len(booked) > 0 && k.r.IntN(3) == 0 {
			// All four call these people, and one of them is the first.
			id := booked[0]
			booked = booked[1:]
			if _, done := k.sends(ctx, "/vizita/"+id+"/prezent", url.Values{}); done {
				k.writes(id, spclep.Arrived, "")
			}
			continue
		}
		k.n++
		to, done := k.sends(ctx, "/fara-programare", url.Values{"nume": {fmt.Sprint(k.name, " Probă ", k.n)}, "motiv": {"R08"}, "urgenta": {"da"}, "aprobat": {"Șef Exemplu"}, "de-ce": {"urgență"}})
		if !done {
			continue
		}
		id := strings.TrimPrefix(strings.Split(to, "?")[0], "/vizita/")
		k.writes(id, spclep.Booked, "")
		k.writes(id, spclep.Arrived, "")
		k.notes(ctx, id)
	}
}

// notes writes a few, each over the last.
func (k *visiting) notes(ctx context.Context, id string) {
	last := ""
	for range k.r.IntN(6) {
		k.n++
		note := fmt.Sprintf("%s: „%d” & <b>", k.name, k.n)
		if _, done := k.sends(ctx, "/vizita/"+id+"/date", url.Values{"note": {note}, "vechi.note": {last}}); !done {
			return
		}
		last = note
		k.writes(id, spclep.FieldNote, note)
	}
}

func (k *visiting) writes(id, name, value string) {
	k.wrote = append(k.wrote, written{id, name, value})
}

// said is the text of a field's value; of a fact only that it is there counts.
func said(t *testing.T, fact bool, value json.RawMessage) (text string) {
	t.Helper()
	if fact {
		return ""
	}
	if err := json.Unmarshal(value, &text); err != nil {
		t.Fatalf("%s: %v", value, err)
	}
	return text
}

// sends sends a form until it is answered: what did not arrive is sent again as
// the page keeps it, or, where no page came, as it was.
func (k *visiting) sends(ctx context.Context, path string, form url.Values) (to string, done bool) {
	k.n++
	form.Set("cheie", fmt.Sprintf("formularul-%05d-%s-%s", k.n, k.pc, k.name))
	for ; ctx.Err() == nil; k.again++ {
		status, to, page, err := k.asks(ctx, path, form)
		switch {
		case ctx.Err() != nil:
			return "", false
		case err != nil: // the PC is gone, or the answer broke off
			k.waits(ctx)
		case status == http.StatusServiceUnavailable:
			at, kept := keptForm(page)
			if at != path || !reflect.DeepEqual(kept, form) {
				k.f.t.Errorf("%s sent %v to %s, and the page keeps %v for %s: %s", k.name, form, path, kept, at, text(page))
				return "", false
			}
			path, form = at, kept
			k.waits(ctx)
		case status == http.StatusSeeOther:
			k.done.Add(1)
			return to, true
		case status == http.StatusUnprocessableEntity && strings.HasSuffix(path, "/prezent"):
			return "", false // somebody else was quicker
		default:
			k.f.t.Errorf("%s: %s has status %d: %s", k.name, path, status, text(page))
			return "", false
		}
	}
	return "", false
}

// waits until the lender answers at the clerk's PC, as the page does by itself.
func (k *visiting) waits(ctx context.Context) {
	again := time.NewTicker(50 * time.Millisecond)
	defer again.Stop()
	for {
		if status, _, _, err := k.asks(ctx, "/stil", nil); err == nil && status != http.StatusServiceUnavailable {
			return
		}
		select {
		case <-ctx.Done():
			return
		case <-again.C:
		}
	}
}

// asks is one request of the clerk's browser; a form if one is given.
func (k *visiting) asks(ctx context.Context, path string, form url.Values) (status int, to, page string, err error) {
	desk, _ := k.f.desks.Load(k.pc)
	method := http.MethodGet
	if form != nil {
		method = http.MethodPost
	}
	r, err := http.NewRequestWithContext(ctx, method, desk.(string)+path, strings.NewReader(form.Encode()))
	if err != nil {
		return 0, "", "", err
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.Header.Set("Origin", desk.(string))
	r.AddCookie(&http.Cookie{Name: "lucrator", Value: url.QueryEscape(k.name)})
	resp, err := http.DefaultTransport.RoundTrip(r)
	if err != nil {
		return 0, "", "", err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	return resp.StatusCode, resp.Header.Get("Location"), string(body), err
}

var keptAction = regexp.MustCompile(`<form action="([^"]+)" method="post">\s*<input type="hidden"`)

// keptForm is what a page offers to send again.
func keptForm(page string) (path string, form url.Values) {
	if m := keptAction.FindStringSubmatch(page); m != nil {
		path = html.UnescapeString(m[1])
	}
	form = url.Values{}
	for _, f := range keptField.FindAllStringSubmatch(page, -1) {
		form.Add(html.UnescapeString(f[1]), html.UnescapeString(f[2]))
	}
	return path, form
}
