package control_test

import (
	"context"
	"crypto/ed25519"
	"crypto/sha256"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"condica/agent/control"
	"condica/localdb"
	"condica/spclep"
	"condica/spclep/settings"
	"condica/sync/bundle"
	"condica/sync/hlc"
	"condica/sync/wire"
)

const (
	day  = int64(24 * 60 * 60 * 1000)
	noon = int64(1_795_500_000_000) // Tuesday, 24 November 2026
)

func keyOf(name string) ed25519.PrivateKey {
	seed := sha256.Sum256([]byte(name))
	return ed25519.NewKeyFromSeed(seed[:])
}

func pubOf(k ed25519.PrivateKey) ed25519.PublicKey { return k.Public().(ed25519.PublicKey) }

// A pc is the settings of one office PC of Covasna on a real replica. Its desk
// is what faults says.
type pc struct {
	t      *testing.T
	dir    string
	db     *localdb.DB
	root   ed25519.PublicKey
	faults func(ctx context.Context, in settings.Rules) map[string]string
	c      *control.Control
	judged int
	faulty int
	wake   chan time.Time
	clock  hlc.Reading
}

func newPC(t *testing.T) *pc {
	p := &pc{t: t, dir: t.TempDir(), root: pubOf(keyOf("root")), faults: well, wake: make(chan time.Time), clock: hlc.Reading{Wall: noon, Boot: "b", Up: 1000}}
	p.start()
	t.Cleanup(func() { p.db.Close() })
	if err := p.db.SetOffice(t.Context(), wire.Enrolled{Office: "covasna", Desk: 1, Epoch: "e1"}); err != nil {
		t.Fatal(err)
	}
	return p
}

func well(context.Context, settings.Rules) map[string]string { return nil }

// start opens the folder and puts in force what was proven.
func (p *pc) start() {
	p.t.Helper()
	var err error
	now := func() hlc.Reading { return p.clock }
	if p.db, _, err = localdb.Open(p.t.Context(), p.dir, localdb.Options{Device: hlc.Device{1}, Now: now}); err != nil {
		p.t.Fatal(err)
	}
	base, err := spclep.Builtin()
	if err != nil {
		p.t.Fatal(err)
	}
	today, err := spclep.ParseDay("2026-11-24")
	if err != nil {
		p.t.Fatal(err)
	}
	p.c, err = control.New(p.t.Context(), control.Config{
		Store: p.db, Base: base, Root: func() ed25519.PublicKey { return p.root },
		Office: func(context.Context) (spclep.OfficeID, spclep.Day, error) { return "covasna", today, nil },
		Faults: func(ctx context.Context) map[string]string { return p.faults(ctx, p.c.Rules()) },
		Judged: func() { p.judged++ }, Wake: p.wake, Fault: func(error) { p.faulty++ },
		Log: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		p.t.Fatal(err)
	}
}

func (p *pc) restart() {
	p.t.Helper()
	if err := p.db.Close(); err != nil {
		p.t.Fatal(err)
	}
	p.start()
}

// receive saves an answer of the hub that brings a bundle.
func (p *pc) receive(number int64, box string) {
	p.t.Helper()
	at := hlc.Reading{Wall: noon, Boot: "b", Up: 1000}
	if _, err := p.db.Save(p.t.Context(), wire.Answer{V: 1, Epoch: "e1", HubMs: noon, Settings: &wire.Settings{Number: number, Box: box}}, at, at, true); err != nil {
		p.t.Fatal(err)
	}
}

// work lets the PC judge what waits; it ends as soon as nothing does.
func (p *pc) work() {
	p.t.Helper()
	ctx, cancel := context.WithCancel(p.t.Context())
	defer cancel()
	p.workUntil(ctx, func() bool {
		s, err := p.db.Settings(p.t.Context())
		if err != nil {
			p.t.Fatal(err)
		}
		return s.Candidate == 0
	}, cancel)
}

func (p *pc) workUntil(ctx context.Context, done func() bool, cancel func()) {
	ended := make(chan struct{})
	go func() { p.c.Run(ctx); close(ended) }()
	for !done() {
		select {
		case <-ended:
			return
		default:
		}
	}
	cancel()
	<-ended
}

func (p *pc) at() wire.SettingsAt {
	p.t.Helper()
	at, err := p.c.At(p.t.Context())
	if err != nil {
		p.t.Fatal(err)
	}
	return at
}

// stands wants a bundle in force and proven, and the desk's notice with it.
func (p *pc) stands(number int64, why string) {
	p.t.Helper()
	at, r := p.at(), p.c.Rules()
	notice := ""
	if number > 0 {
		notice = fmt.Sprintf("regulile %d", number)
	}
	if at.Applied != number || at.Proven != number || r.Number != number || r.Settings.Texts.Notice != notice {
		p.t.Errorf("%s: applied %d, proven %d, notice %q; want %d", why, at.Applied, at.Proven, r.Settings.Texts.Notice, number)
	}
}

// A maker is central IT.
type maker struct {
	t       *testing.T
	cert    bundle.Certificate
	signing ed25519.PrivateKey
}

func newMaker(t *testing.T, root string) maker {
	m := maker{t: t, signing: keyOf("signing")}
	var err error
	if m.cert, err = bundle.Certify(keyOf(root), "2026-1", pubOf(m.signing), noon-day, noon+100*day); err != nil {
		t.Fatal(err)
	}
	return m
}

// box is bundle number for a target, after changes of its files: file, old, new.
func (m maker) box(number int64, target string, changes ...[3]string) string {
	m.t.Helper()
	texts := spclep.BuiltinTexts()
	texts["bundle.yaml"] = strings.Replace(texts["bundle.yaml"], "bundle: 1\n", fmt.Sprintf("bundle: %d\n", number), 1)
	texts[settings.FileName] = fmt.Sprintf("format: 1\ntexts: {notice: \"regulile %d\"}\n", number)
	for _, c := range changes {
		if !strings.Contains(texts[c[0]], c[1]) {
			m.t.Fatalf("%s does not hold %q", c[0], c[1])
		}
		texts[c[0]] = strings.ReplaceAll(texts[c[0]], c[1], c[2])
	}
	b := bundle.Bundle{Number: number, Target: target, Issued: noon}
	for name, text := range texts {
		b.Files = append(b.Files, bundle.File{Name: name, Text: text})
	}
	box, err := bundle.Seal(m.signing, m.cert, b)
	if err != nil {
		m.t.Fatal(err)
	}
	return box
}

// A bundle comes, is proven, and is in force after a restart too. Forty days
// later the newest is taken at once, whatever lies between.
func TestTaken(t *testing.T) {
	p, it := newPC(t), newMaker(t, "root")
	p.stands(0, "before anything came")
	p.receive(7, it.box(7, bundle.National))
	if at := p.at(); at.Lacks(7) || at.Held != 7 {
		t.Errorf("received but not judged, the PC says %+v: the hub would send it again", at)
	}
	p.work()
	p.stands(7, "after bundle 7")
	p.restart()
	p.stands(7, "after a restart")
	p.receive(48, it.box(48, "covasna"))
	p.work()
	p.stands(48, "forty days later")
	if p.judged != 2 {
		t.Errorf("the hub was told %d times, want 2", p.judged)
	}
}

// What is wrong with a bundle is said by name, and the one before stays.
func TestRefusedByName(t *testing.T) {
	it, stranger := newMaker(t, "root"), newMaker(t, "somebody else's root")
	good := it.box(9, bundle.National)
	lost := [3]string{"bundle.yaml", "offices: [covasna, botosani]", "offices: [botosani]"}
	for name, f := range map[string]struct {
		listed int64
		box    string
		code   string
		say    string
	}{
		"torn":                   {9, good[:len(good)/2], bundle.Torn, "do not add up"},
		"forged":                 {9, strings.Replace(good, it.signature(good), it.signature(it.box(8, bundle.National)), 1), bundle.Forged, "2026-1"},
		"a stranger's":           {9, stranger.box(9, bundle.National), bundle.StrangeKey, "2026-1"},
		"of another office":      {9, it.box(9, "botosani"), bundle.OtherOffice, "botosani"},
		"number used before":     {9, it.box(7, bundle.National, [3]string{"settings.yaml", "regulile", "alte reguli"}), bundle.Replayed, "number 7"},
		"the one in force":       {9, it.box(7, bundle.National), bundle.Replayed, "in force"},
		"an older one":           {9, it.box(6, bundle.National), bundle.Downgraded, "number 6"},
		"listed under another":   {9, it.box(10, bundle.National), bundle.Senseless, "signed as number 10"},
		"typo in the settings":   {9, it.box(9, bundle.National, [3]string{"settings.yaml", "notice", "notce"}), bundle.Contents, `settings.yaml:2: texts.notce: unknown key, did you mean "notice"?`},
		"typo in the hours":      {9, it.box(9, bundle.National, [3]string{"covasna.yaml", "kind: walkin", "kind: walkn"}), bundle.Contents, `covasna.yaml:12: hours[1].kind: "walkn" is not known`},
		"not this office at all": {9, it.box(9, bundle.National, lost, [3]string{"covasna.yaml", "layer: office\nid: covasna", "layer: office\nid: sibiu"}, [3]string{"covasna.yaml", "layer: covasna", "layer: sibiu"}, [3]string{"bundle.yaml", "[botosani]", "[sibiu, botosani]"}, [3]string{"botosani.yaml", "layer: covasna", "layer: sibiu"}), bundle.Untried, `"covasna" is not in bundle 9`},
	} {
		t.Run(name, func(t *testing.T) {
			p := newPC(t)
			p.receive(7, it.box(7, bundle.National))
			p.work()
			p.receive(f.listed, f.box)
			p.work()
			p.stands(7, "after a bad bundle")
			at := p.at()
			if at.Code != f.code || !strings.Contains(at.Say, f.say) || at.Refused != f.listed {
				t.Errorf("refused %d as %s: %s; want %d as %s: %s", at.Refused, at.Code, at.Say, f.listed, f.code, f.say)
			}
			if at.Lacks(f.listed) || !at.Lacks(f.listed+1) {
				t.Error("the refused one would be sent again, or the next one not")
			}
			p.receive(f.listed, f.box) // by the other lane
			if s, err := p.db.Settings(t.Context()); err != nil || s.Candidate != 0 {
				t.Errorf("a refused bundle that comes again waits to be judged: %+v, %v", s, err)
			}
			p.restart()
			p.stands(7, "after a restart")
			p.receive(11, it.box(11, bundle.National))
			p.work()
			p.stands(11, "after the next good one")
			if at := p.at(); at.Refused != 0 {
				t.Errorf("the refusal is still said: %+v", at)
			}
		})
	}
}

func (m maker) signature(box string) string {
	m.t.Helper()
	_, rest, _ := strings.Cut(box, "\nsignature ")
	line, _, _ := strings.Cut(rest, "\n")
	return line
}

// Sound by every word and yet the desk stumbles: in force, a page fails that did
// not before. The PC goes back by itself. What failed before anyway stands
// against no bundle.
func TestGoesBackWhenTheDeskStumbles(t *testing.T) {
	p, it := newPC(t), newMaker(t, "root")
	p.receive(7, it.box(7, bundle.National))
	p.work()
	var seen []int64
	p.faults = func(_ context.Context, in settings.Rules) map[string]string {
		seen = append(seen, in.Number)
		bad := map[string]string{"page /coada": "as ever"}
		if in.Number == 8 {
			bad["booking A2B3C4D5"] = "the office does not offer R08"
		}
		return bad
	}
	p.receive(8, it.box(8, bundle.National))
	p.work()
	p.stands(7, "after going back")
	if at := p.at(); at.Code != bundle.NotProven || at.Say != "booking A2B3C4D5: the office does not offer R08" || at.Refused != 8 {
		t.Errorf("the PC says %+v", at)
	}
	p.receive(9, it.box(9, bundle.National))
	p.work()
	p.stands(9, "after a bundle that mends it")
	if fmt.Sprint(seen) != "[7 8 7 9]" {
		t.Errorf("the desk was asked under bundles %v, want before and after each", seen)
	}
}

// The PC goes down while a bundle is being proven. It starts with the last
// proven one, tries once more, and then refuses.
func TestDownWhileProving(t *testing.T) {
	p, it := newPC(t), newMaker(t, "root")
	p.receive(7, it.box(7, bundle.National))
	p.work()
	p.receive(8, it.box(8, bundle.National))
	tried := 0
	for range 2 {
		ctx, powerCut := context.WithCancel(t.Context())
		p.faults = func(_ context.Context, in settings.Rules) map[string]string {
			if in.Number == 8 {
				tried++
				powerCut()
			}
			return nil
		}
		p.c.Run(ctx)
		p.restart()
		p.stands(7, "after the PC came back")
		if at := p.at(); at.Held != 8 {
			t.Fatalf("the PC forgot what it was proving: %+v", at)
		}
	}
	p.faults = well
	p.work()
	p.stands(7, "after two tries")
	if at := p.at(); at.Code != bundle.Interrupted || at.Refused != 8 || tried != 2 {
		t.Errorf("after %d tries the PC says %+v", tried, at)
	}
}

// Once is no fault of the bundle: the PC was switched off, and takes it the next
// time.
func TestSwitchedOffWhileProving(t *testing.T) {
	p, it := newPC(t), newMaker(t, "root")
	p.receive(7, it.box(7, bundle.National))
	ctx, off := context.WithCancel(t.Context())
	p.faults = func(_ context.Context, in settings.Rules) map[string]string {
		if in.Number == 7 {
			off()
		}
		return nil
	}
	p.c.Run(ctx)
	p.restart()
	p.faults = well
	p.stands(0, "after the PC came back")
	p.work()
	p.stands(7, "after the second try")
}

// While one bundle is being proven a newer one comes: the newer one counts.
func TestNewerOneComesMeanwhile(t *testing.T) {
	p, it := newPC(t), newMaker(t, "root")
	p.faults = func(_ context.Context, in settings.Rules) map[string]string {
		if in.Number == 7 {
			p.receive(8, it.box(8, bundle.National))
		}
		return nil
	}
	p.receive(7, it.box(7, bundle.National))
	p.work()
	p.stands(8, "after both")
}

// A PC that knows no root key takes nothing; one whose proven bundle no longer
// verifies works by the program's own rules and asks the hub again.
func TestWithoutItsRootKey(t *testing.T) {
	p, it := newPC(t), newMaker(t, "root")
	p.root = nil
	p.receive(7, it.box(7, bundle.National))
	p.work()
	p.stands(0, "without a root key")
	if at := p.at(); at.Code != bundle.NoRoot || at.Root {
		t.Errorf("the PC says %+v", at)
	}
	p.root = pubOf(keyOf("root"))
	p.receive(8, it.box(8, bundle.National))
	p.work()
	p.stands(8, "with it")
	p.root = pubOf(keyOf("another root"))
	p.restart()
	p.stands(0, "after somebody changed the root key")
	if at := p.at(); !at.Lacks(8) {
		t.Errorf("the hub would not send it again: %+v", at)
	}
}
