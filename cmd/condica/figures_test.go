package main

import (
	"context"
	"crypto/ed25519"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"condica/localdb"
	"condica/spclep"
	"condica/spclep/code"
	"condica/spclep/record"
	"condica/sync/hlc"
	"condica/sync/op"
	"condica/sync/wire"
)

// fill makes the data folder of an enrolled PC whose replica holds n bookings.
func fill(tb testing.TB, dir string, n int) {
	tb.Helper()
	ctx := context.Background()
	_, key, err := ed25519.GenerateKey(nil)
	if err != nil {
		tb.Fatal(err)
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		tb.Fatal(err)
	}
	db, _, err := localdb.Open(ctx, dir, localdb.Options{Device: wire.DeviceOf(key.Public().(ed25519.PublicKey)), Now: func() hlc.Reading { return hlc.Reading{Boot: "fill"} }})
	if err != nil {
		tb.Fatal(err)
	}
	defer db.Close()
	if err := db.SetOffice(ctx, wire.Enrolled{Office: "botosani", Desk: 1}); err != nil {
		tb.Fatal(err)
	}
	for from := 0; from < n; from += wire.MaxPull {
		a := answer(tb, from, min(n-from, wire.MaxPull))
		if _, err := db.Save(ctx, a, hlc.Reading{Boot: "fill"}, hlc.Reading{Boot: "fill"}, true); err != nil {
			tb.Fatal(err)
		}
	}
}

// answer is what a hub would send: bookings from on, 22 a day.
func answer(tb testing.TB, from, n int) wire.Answer {
	tb.Helper()
	r := rand.New(rand.NewPCG(uint64(from), 3))
	who := people(r, n)
	day, err := spclep.ParseDay("2026-11-23")
	if err != nil {
		tb.Fatal(err)
	}
	hub := hlc.Device{1}
	a := wire.Answer{V: wire.Version, Epoch: "e", HubMs: monday.UnixMilli(), From: int64(from), Head: int64(from + n), Cursor: int64(from + n)}
	for i := range n {
		at := from + i
		var random [5]byte
		for j := range random {
			random[j] = byte(r.Uint32())
		}
		v, err := json.Marshal(spclep.BookedValue{Name: who[i].name, Email: who[i].email, Reason: spclep.Reason(fmt.Sprintf("R%02d", 1+at%14)), Day: day.Add(at/22 - 200), At: spclep.Minute(9*60 + 20*(at%22)), Bundle: 1})
		if err != nil {
			tb.Fatal(err)
		}
		t := hlc.At(monday.UnixMilli() - int64(n-i)*60_000 - 86_400_000)
		raw, err := wire.EncodeOp(op.Op{ID: op.ID{Device: hub, Seq: uint64(at + 1)}, Action: uint64(at + 1), Cell: record.Cell(code.NewID(random), spclep.Booked), Fact: true, Value: v, Time: t, Clock: hlc.Reading{Wall: t.Ms(), Boot: "hub"}, By: "portal"})
		if err != nil {
			tb.Fatal(err)
		}
		a.Entries = append(a.Entries, wire.Entry{Pos: int64(at + 1), Device: hub, Op: raw})
	}
	return a
}

// BenchmarkColdStart starts the agent as a process on a replica of 10,000
// bookings until its desk can be opened, and reads its resident memory.
func BenchmarkColdStart(b *testing.B) {
	dir := b.TempDir()
	fill(b, dir, 10_000)
	program(b, "condica") // built outside the clock
	var rss int64
	for b.Loop() {
		p := startB(b, dir)
		rss = max(rss, resident(p.cmd.Process.Pid))
		b.StopTimer()
		p.kill()
		b.StartTimer()
	}
	b.ReportMetric(float64(rss)/(1<<20), "MB-resident")
}

func startB(b *testing.B, dir string) *process {
	b.Helper()
	return start(b, "condica", "run", "--data", dir, "--listen", "127.0.0.1:0", "--now", monday.Format(time.RFC3339), "--json")
}

// resident reads VmRSS in bytes; 0 where the system does not tell.
func resident(pid int) int64 {
	text, err := os.ReadFile(filepath.Join("/proc", strconv.Itoa(pid), "status"))
	if err != nil {
		return 0
	}
	for line := range strings.Lines(string(text)) {
		if kb, ok := strings.CutPrefix(line, "VmRSS:"); ok {
			n, _ := strconv.ParseInt(strings.TrimSuffix(strings.TrimSpace(kb), " kB"), 10, 64)
			return n << 10
		}
	}
	return 0
}
