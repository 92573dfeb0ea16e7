package wire

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"

	"condica/sync/hlc"
)

// Version of the protocol. Both ends talk to Version-2 .. Version+2: a field
// they do not know is carried or ignored, never an error.
const Version = 1

// Limits of one message.
const (
	MaxBody     = 4 << 20  // bytes on the line
	MaxDecoded  = 32 << 20 // bytes after decompression
	MaxSegments = 16
	MaxOps      = 500       // in one segment
	MaxPull     = 5000      // entries in one answer
	MaxWaitMs   = 25_000    // long poll: proxies cut at 30 s
	MaxDays     = 20_000    // digests in one request
	MaxParts    = 1_800_000 // commas in one message: a list of nothing at all takes a hundred times its bytes in memory

	// MaxVerdicts is how many ops one answer may judge: those of all segments
	// and the relayed ones.
	MaxVerdicts = (MaxSegments + 1) * MaxOps
)

// A Request is all a PC has to say in one round trip.
type Request struct {
	V        int             `json:"v"`
	Office   string          `json:"o"`
	Epoch    string          `json:"e,omitempty"`  // of the hub, as last seen
	Cursor   int64           `json:"c"`            // the last position saved
	Tip      string          `json:"at,omitempty"` // id of the op it holds at Cursor: a hub that holds another there has been restored
	Own      uint64          `json:"q,omitempty"`  // the last op of its own log that it holds
	Segments []Segment       `json:"s,omitempty"`
	Clock    clockJSON       `json:"w"`
	WaitMs   int             `json:"wait,omitempty"` // may be held for news that long
	Limit    int             `json:"n,omitempty"`    // entries wanted at most
	Health   json.RawMessage `json:"h,omitempty"`    // what the console shows of this PC
	Keys     string          `json:"k,omitempty"`    // KeysSum of the booking keys it holds: the same are not sent again
	Settings *SettingsAt     `json:"g,omitempty"`    // which settings it has; none: it takes none
	First    uint64          `json:"b,omitempty"`    // the first op of its own log that it can still send; empty: 1. Those before are past retention
	Relay    []Relayed       `json:"rl,omitempty"`   // ops of others that this hub has lost
	Days     []DaySum        `json:"dd,omitempty"`   // of the log up to Cursor, after an answer's Digest did not fit
	Numbers  *NumbersAt      `json:"nr,omitempty"`   // where it stands with registration numbers; none: it takes none
	Desks    string          `json:"ds,omitempty"`   // DesksSum of the desks it knows: the same are not sent again; empty: it takes none
}

// SetClock puts the PC's reading into the request.
func (r *Request) SetClock(c hlc.Reading) { r.Clock = clockJSON(c) }

// A Segment is a run of one device's ops in the order of its log, signed by
// that device, so that it may also arrive by other hands.
type Segment struct {
	Device hlc.Device        `json:"d"`
	Ops    []json.RawMessage `json:"ops"`
	Effs   []hlc.Time        `json:"e,omitempty"` // not signed: the effective time that a hub gave each op before it lost it; 0: none
	Sig    []byte            `json:"sig"`
}

// A Relayed op is one that a hub had placed, and that another hub, or an
// earlier state of the same, does not have. It comes by a PC of the office that
// was sent it: its author may be gone. There is no signature of the author's
// on it, so the hub notes who brought it.
type Relayed struct {
	Device hlc.Device      `json:"d"`
	Eff    hlc.Time        `json:"e,omitzero"` // where it was not the author's own stamp
	Op     json.RawMessage `json:"o"`
}

// A DaySum is the digest of one day of the log: of the ops whose effective time
// lies in it, days since 1970 in UTC.
type DaySum struct {
	Day int64  `json:"d"`
	Sum string `json:"h"`
}

// A Mend is the office's log of some days up to a position, whole.
type Mend struct {
	At      int64   `json:"p"`
	Days    []int64 `json:"d"`
	Entries []Entry `json:"ops,omitempty"`
}

// An Answer is all the hub has to say.
type Answer struct {
	V        int       `json:"v"`
	Epoch    string    `json:"e"`
	HubMs    int64     `json:"t"`             // the hub's time when it answered
	Have     uint64    `json:"have"`          // up to here the hub holds this device's log without a gap
	Verdicts []Verdict `json:"a,omitempty"`   // one for each op sent, in runs
	From     int64     `json:"f,omitempty"`   // Entries lie after this position
	Entries  []Entry   `json:"ops,omitempty"` // the office's log after From, without gaps
	Cursor   int64     `json:"c,omitempty"`   // position of the last of Entries
	Head     int64     `json:"p"`             // last position of the office
	Keys     []QRKey   `json:"k,omitempty"`   // who signs booking codes, if the PC holds others
	Orders   []string  `json:"x,omitempty"`   // "revoked"
	Digest   string    `json:"d,omitempty"`   // of the whole log, where Cursor is Head
	Mend     *Mend     `json:"md,omitempty"`  // the days whose digests differ
	Settings *Settings `json:"g,omitempty"`   // a bundle that the PC does not have yet
	Root     []byte    `json:"r,omitempty"`   // whose word settings are, for a PC that knows none
	Numbers  *Numbers  `json:"nr,omitempty"`  // registration numbers that are the PC's from now on
	Desks    []Desk    `json:"ds,omitempty"`  // all of the office's, if the PC knows others
}

// Settings is a signed bundle on its way. The box is a text and not JSON of its
// own: one that is torn must not tear the answer around it.
type Settings struct {
	Number int64  `json:"n"` // as the hub lists it; what counts stands in the box
	Box    string `json:"b"`
}

// SettingsAt says where a PC stands with its settings.
type SettingsAt struct {
	Root    bool   `json:"r,omitempty"` // it knows a root key
	Held    int64  `json:"c,omitempty"` // number of a bundle that it has received and not judged yet
	Applied int64  `json:"a,omitempty"` // in force; 0: those built into the program
	Proven  int64  `json:"p,omitempty"` // the last that was proven
	Refused int64  `json:"x,omitempty"` // the last that was refused, as the hub numbered it
	Code    string `json:"k,omitempty"` // why
	Say     string `json:"m,omitempty"`
}

// Lacks says whether a PC that stands there is to be sent a bundle.
func (s SettingsAt) Lacks(number int64) bool {
	return number > max(s.Applied, s.Proven, s.Held) && number != s.Refused
}

// MaxRefusal bounds SettingsAt.Say in bytes.
const MaxRefusal = 2000

// A Verdict says what became of N ops from Seq on. Accepted ops have Pos: the
// first one's position, the others follow. A refused op has Code and Say, and
// stays with its author until a person has closed it.
type Verdict struct {
	Dev  hlc.Device `json:"d,omitzero"` // of a relayed op; else the PC's own
	Seq  uint64     `json:"q"`
	N    uint64     `json:"n,omitempty"` // empty: 1
	Pos  int64      `json:"p,omitempty"`
	Eff  hlc.Time   `json:"e,omitzero"` // where it is not the author's own stamp
	Code string     `json:"x,omitempty"`
	Say  string     `json:"m,omitempty"`
}

// Codes of verdicts.
const (
	Refused = "refused" // the hub will never take this op; Say has the reason
	Clash   = "clash"   // the hub holds another op under this id: a clone or a restored PC
)

// An Entry is an op of the office with its place. An op of the PC that asks,
// which it said it holds, comes as its Seq alone.
type Entry struct {
	Pos    int64           `json:"p"`
	Device hlc.Device      `json:"d,omitzero"`
	Eff    hlc.Time        `json:"e,omitzero"` // where it is not the author's own stamp
	Seq    uint64          `json:"q,omitempty"`
	Op     json.RawMessage `json:"o,omitempty"`
}

// A QRKey is a public key that signs booking codes.
type QRKey struct {
	ID  uint8  `json:"id"`
	Pub []byte `json:"pub"`
}

// KeysSum tells two sets of keys apart in eight symbols.
func KeysSum(keys []QRKey) string {
	h := sha256.New()
	for _, k := range keys {
		h.Write([]byte{k.ID, byte(len(k.Pub))})
		h.Write(k.Pub)
	}
	return hex.EncodeToString(h.Sum(nil)[:4])
}

// A Problem is the body of every answer that is not 200 (RFC 9457, title and
// detail only). Code is for the machine, Say for the person.
type Problem struct {
	Code string `json:"code"`
	Say  string `json:"say"`
}

func (p *Problem) Error() string { return p.Say }

// Enroll asks for a place among the office's PCs: with a token's Secret; with
// the Cert of an earlier enrolment, to a hub that has lost it; or signed by the
// key of Old, which this PC gives up because another machine uses it too.
type Enroll struct {
	V      int    `json:"v"`
	Secret string `json:"secret,omitempty"`
	Cert   string `json:"cert,omitempty"`
	Pub    []byte `json:"pub"` // Ed25519, made on the PC
	Name   string `json:"name"`

	Old    hlc.Device `json:"old,omitzero"`     // the device this PC was: no more is taken from it
	Unsent []Unsent   `json:"unsent,omitempty"` // what this PC holds of Old's log without knowing it placed
}

// Unsent names an op by its number and its op.Op.Mark: it may have been sent
// with a stamp that this PC has lost.
type Unsent struct {
	Seq uint64 `json:"q"`
	Sum []byte `json:"h"`
}

// MaxUnsent bounds Enroll.Unsent.
const MaxUnsent = 50_000

// Enrolled is the hub's word that the PC belongs to Office.
type Enrolled struct {
	Device hlc.Device `json:"device"`
	Office string     `json:"office"`
	Desk   int        `json:"desk"` // its number in the office, from 1
	Epoch  string     `json:"epoch"`
	HubMs  int64      `json:"t"`
	Keys   []QRKey    `json:"keys"`
	Root   []byte     `json:"root,omitempty"` // Ed25519: whose word settings are
	Cert   string     `json:"cert,omitempty"` // with which the PC comes back to a hub that has lost it
	Held   []uint64   `json:"held,omitempty"` // of Enroll.Unsent: what the hub holds, and nobody will ever hold more of
}

// Encode writes any message.
func Encode(v any) ([]byte, error) { return marshal(v) }

// DecodeRequest reads and bounds a request.
func DecodeRequest(b []byte) (Request, error) {
	var r Request
	if err := unmarshal(b, &r); err != nil {
		return r, fmt.Errorf("request: %w", err)
	}
	switch {
	case r.V < Version-2 || r.V > Version+2:
		return r, fmt.Errorf("request: version %d, this end speaks %d", r.V, Version)
	case r.Cursor < 0:
		return r, fmt.Errorf("request: cursor %d is negative", r.Cursor)
	case len(r.Segments) > MaxSegments:
		return r, fmt.Errorf("request: %d segments, at most %d are allowed", len(r.Segments), MaxSegments)
	}
	for i, s := range r.Segments {
		if len(s.Ops) == 0 || len(s.Ops) > MaxOps {
			return r, fmt.Errorf("request: segment %d: %d ops, want 1 to %d", i+1, len(s.Ops), MaxOps)
		}
		if len(s.Effs) > len(s.Ops) {
			return r, fmt.Errorf("request: segment %d: %d effective times of %d ops", i+1, len(s.Effs), len(s.Ops))
		}
	}
	switch {
	case len(r.Relay) > MaxOps:
		return r, fmt.Errorf("request: %d relayed ops, at most %d are allowed", len(r.Relay), MaxOps)
	case len(r.Days) > MaxDays:
		return r, fmt.Errorf("request: digests of %d days, at most %d are allowed", len(r.Days), MaxDays)
	case r.First > MaxSeq:
		return r, fmt.Errorf("request: b %d is no number of an op", r.First)
	}
	if g := r.Settings; g != nil && (len(g.Say) > MaxRefusal || len(g.Code) > 100) {
		return r, fmt.Errorf("request: a refusal of settings is longer than %d bytes", MaxRefusal)
	}
	r.WaitMs = min(max(r.WaitMs, 0), MaxWaitMs)
	if r.Limit <= 0 || r.Limit > MaxPull {
		r.Limit = MaxPull
	}
	return r, nil
}

// DecodeEnroll reads an enrolment.
func DecodeEnroll(b []byte) (e Enroll, err error) {
	if err := unmarshal(b, &e); err != nil {
		return e, fmt.Errorf("enrolment: %w", err)
	}
	return e, nil
}

// unmarshal reads a message that is small enough to be one.
func unmarshal(b []byte, into any) error {
	if n := bytes.Count(b, []byte{','}); n > MaxParts {
		return fmt.Errorf("%d parts, at most %d are allowed", n, MaxParts)
	}
	return json.Unmarshal(b, into)
}

// DecodeAnswer reads and bounds an answer. Entries must follow each other
// without a gap from From: anything else is not this protocol.
func DecodeAnswer(b []byte) (Answer, error) {
	var a Answer
	if err := unmarshal(b, &a); err != nil {
		return a, fmt.Errorf("answer: %w", err)
	}
	switch {
	case a.V < Version-2 || a.V > Version+2:
		return a, fmt.Errorf("answer: version %d, this end speaks %d", a.V, Version)
	case a.Epoch == "":
		return a, fmt.Errorf("answer: no epoch")
	case a.HubMs <= 0:
		return a, fmt.Errorf("answer: hub time %d", a.HubMs)
	case a.From < 0:
		return a, fmt.Errorf("answer: entries after position %d", a.From)
	case a.Have > MaxSeq/2: // the PC goes on after it
		return a, fmt.Errorf("answer: the hub holds the log up to op %d", a.Have)
	}
	if err := checkVerdicts(a.Verdicts); err != nil {
		return a, fmt.Errorf("answer: %w", err)
	}
	for i, e := range a.Entries {
		if e.Pos != a.From+int64(i)+1 {
			return a, fmt.Errorf("answer: entry %d has position %d, want %d", i+1, e.Pos, a.From+int64(i)+1)
		}
		if e.Seq > MaxSeq/2 {
			return a, fmt.Errorf("answer: entry %d is op %d", i+1, e.Seq)
		}
	}
	return a, nil
}

// checkVerdicts bounds the runs: a replica walks through each of their ops.
func checkVerdicts(vs []Verdict) error {
	left := uint64(MaxVerdicts)
	for _, v := range vs {
		n := max(v.N, 1)
		switch {
		case v.Seq == 0 || v.Seq > 2*MaxSeq:
			return fmt.Errorf("verdict on op %d", v.Seq)
		case n > left:
			return fmt.Errorf("verdicts on more than %d ops", MaxVerdicts)
		case v.Code == "" && v.Pos <= 0:
			return fmt.Errorf("verdict on op %d has neither position nor code", v.Seq)
		}
		left -= n
	}
	return nil
}
