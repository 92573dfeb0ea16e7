package peer

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

// Each file in testdata is one conversation: what happens stands at the margin,
// what the machine then does stands indented below it. go test ./sync/peer
// -rewrite writes the answers anew, to be read before they are believed.
//
//	at MS                               it is now that time
//	start unsent=N anchored             the replica is open
//	edited N                            a clerk's action is durable; N ops wait
//	rhythm every=MS wait                the centre's settings were looked at
//	wake                                the time the machine asked for has come
//	got LANE                            an answer has come
//	saved LANE unsent=N anchored more   and is durable; also differs, stuck, rekey
//	failed LANE retry=MS                no answer
var rewrite = flag.Bool("rewrite", false, "write the transcripts anew")

func TestTranscripts(t *testing.T) {
	files, err := filepath.Glob("testdata/*.txt")
	if err != nil || len(files) == 0 {
		t.Fatalf("no transcripts: %v", err)
	}
	for _, f := range files {
		t.Run(filepath.Base(f), func(t *testing.T) {
			want, err := os.ReadFile(f)
			if err != nil {
				t.Fatal(err)
			}
			got := play(t, string(want))
			if *rewrite {
				if err := os.WriteFile(f, got, 0o644); err != nil {
					t.Fatal(err)
				}
				return
			}
			if !bytes.Equal(got, want) {
				t.Errorf("the conversation went otherwise:\n%s", difference(string(want), string(got)))
			}
		})
	}
}

// play tells the story again with the machine's answers.
func play(t *testing.T, story string) []byte {
	var (
		out  bytes.Buffer
		now  int64
		wake int64
		m    = New(1)
	)
	for line := range strings.Lines(story) {
		line = strings.TrimRight(line, "\n")
		if strings.HasPrefix(line, "  ") {
			continue
		}
		fmt.Fprintln(&out, line)
		words := strings.Fields(line)
		if len(words) == 0 || words[0] == "#" {
			continue
		}
		if words[0] == "at" {
			now = number(t, words[1])
			continue
		}
		if words[0] == "wake" {
			now = max(now, wake)
		}
		for _, a := range m.Step(now, event(t, words)) {
			if w, ok := a.(WakeAt); ok {
				wake = w.Ms
			}
			fmt.Fprintf(&out, "  %s\n", describe(a, now))
		}
	}
	return out.Bytes()
}

func event(t *testing.T, words []string) Event {
	set := map[string]int64{}
	for _, w := range words[1:] {
		k, v, ok := strings.Cut(w, "=")
		if set[k] = 1; ok {
			set[k] = number(t, v)
		}
	}
	lane := Main
	if set["poll"] == 1 {
		lane = Poll
	}
	switch words[0] {
	case "start":
		return Start{Unsent: int(set["unsent"]), Anchored: set["anchored"] == 1}
	case "edited":
		return Edited{Unsent: int(number(t, words[1]))}
	case "rhythm":
		return Rhythm{PollEvery: set["every"], Wait: set["wait"] == 1}
	case "wake":
		return Wake{}
	case "got":
		return Got{Lane: lane}
	case "saved":
		return Saved{Lane: lane, Outcome: Outcome{Unsent: int(set["unsent"]), Anchored: set["anchored"] == 1, More: set["more"] == 1,
			Differs: set["differs"] == 1, Stuck: set["stuck"] == 1, Rekey: set["rekey"] == 1}}
	case "failed":
		return Failed{Lane: lane, RetryAfter: set["retry"]}
	}
	t.Fatalf("no such event: %s", strings.Join(words, " "))
	return nil
}

func describe(a Action, now int64) string {
	switch a := a.(type) {
	case Save:
		return "save " + a.Lane.String()
	case Send:
		s := "send " + a.Lane.String()
		if a.Ops {
			s += " with ops"
		}
		if a.WaitMs > 0 {
			s += fmt.Sprintf(" waiting %d ms", a.WaitMs)
		}
		return s
	case WakeAt:
		return fmt.Sprintf("wake at %d (in %d ms)", a.Ms, a.Ms-now)
	}
	return fmt.Sprintf("%#v", a)
}

func number(t *testing.T, s string) int64 {
	n, err := strconv.ParseInt(s, 10, 64)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// difference shows the first lines that differ.
func difference(want, got string) string {
	w, g := strings.Split(want, "\n"), strings.Split(got, "\n")
	for i := range max(len(w), len(g)) {
		a, b := "", ""
		if i < len(w) {
			a = w[i]
		}
		if i < len(g) {
			b = g[i]
		}
		if a != b {
			return fmt.Sprintf("line %d: want %q\n        got %q", i+1, a, b)
		}
	}
	return ""
}
