package localdb

import (
	"context"
	"database/sql"
	"encoding/json"
	"hash/crc32"
	"slices"

	"condica/localdb/file"
	"condica/sync/hlc"
	"condica/sync/replica"
	"condica/sync/wire"
)

// salvaged is what can still be read of a database that was set aside, and may
// be nowhere else.
type salvaged struct {
	state replica.State // its Device is zero where it cannot be read
	ops   []salvage     // own, without a place, by number
	hubs  []uint64      // numbers of own ops that the hub has, ascending
}

type salvage struct {
	raw    json.RawMessage
	sealed bool
}

// salvageMost is how many of the own log's numbers are looked for: more than a
// PC gives in many years.
const salvageMost = 2_000_000

// readAside reads the own log out of a damaged database, each op by its number:
// one page that cannot be read takes no other's ops with it. devices are this PC
// by the journal or by its key; a database that speaks of another is taken for
// damaged there. next is the number up to which there may be ops.
func readAside(ctx context.Context, path string, devices []hlc.Device, next uint64) (out salvaged) {
	db, err := sql.Open("sqlite", file.URI(path, "ro", 1000))
	if err != nil {
		return out
	}
	defer db.Close()
	conn, err := db.Conn(ctx)
	if err != nil {
		return out
	}
	defer conn.Close()
	// What is wrong with the definition of one table is no reason not to read
	// another; where even this fails, what can be read is read.
	conn.ExecContext(ctx, `PRAGMA writable_schema = 1`)
	if s, err := readState(ctx, conn); err == nil && slices.Contains(devices, s.Device) && s.Next < replica.Stray {
		out.state = s
		devices = []hlc.Device{s.Device}
	}
	var last uint64
	if conn.QueryRowContext(ctx, `SELECT max(seq) FROM op WHERE device = ? AND seq < ?`, devices[0].String(), replica.Stray).Scan(&last) == nil {
		next = max(next, last+1)
	}
	next = min(max(next, out.state.Next), salvageMost)
	rows, err := conn.PrepareContext(ctx, `SELECT raw, crc, sealed, pos IS NOT NULL OR gone FROM op WHERE device = ? AND seq = ?`)
	if err != nil {
		return out
	}
	defer rows.Close()
	for seq := uint64(1); seq < next && ctx.Err() == nil; seq++ {
		out.read(rows.QueryRowContext(ctx, devices[0].String(), seq), devices[0], seq)
	}
	return out
}

// read takes one row, if it is what was written.
func (s *salvaged) read(row *sql.Row, device hlc.Device, seq uint64) {
	var raw []byte
	var crc sql.NullInt64
	var sealed, hubs bool
	if row.Scan(&raw, &crc, &sealed, &hubs) != nil {
		return
	}
	if hubs {
		s.hubs = append(s.hubs, seq)
		return
	}
	if crc.Valid && crc.Int64 != int64(crc32.Checksum(raw, castagnoli)) {
		return
	}
	if o, err := wire.DecodeOp(device, raw); err == nil && o.ID.Seq == seq {
		s.ops = append(s.ops, salvage{raw, sealed})
	}
}

// records gives what was saved in the journal's form: what was sealed, or the
// rest with the mark.
func (s *salvaged) records(device hlc.Device, sealed bool) (out []replica.Record) {
	rec := replica.Record{Device: device, Sealed: sealed}
	if !sealed && s.state.Device == device {
		rec = s.state.Mark()
	}
	for _, o := range s.ops {
		if o.sealed == sealed {
			rec.Ops = append(rec.Ops, o.raw)
		}
	}
	return append(out, rec)
}
