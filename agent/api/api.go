// Package api is the JSON door for scripts on the same PC: what a clerk may do
// on the pages a script may do here, and the answer to an action comes only
// when it is durable. It admits nobody without the service's own token, and
// decides, keeps and sends nothing itself.
package api

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/json"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"time"

	"condica/agent/office"
)

// Prefix is where the door hangs.
const Prefix = "/api/v1/"

// Options of New.
type Options struct {
	Token   string // every request must bear it; with an empty one nobody is admitted
	Version string // of the program, for status
	// Enroll takes this PC into an office with a one-time token; nil: not here.
	Enroll func(ctx context.Context, token string) (EnrollResult, error)
	// Opener is a second token, which opens the desk's pages and nothing else;
	// empty: there is none.
	Opener string
	// Open gives an address that lets one browser in; nil: the pages ask for no
	// ticket, and their plain address will do.
	Open func() string
	URL  string // of the pages
	// Shutdown asks the service to end; nil: not here.
	Shutdown func()
	Network  Network      // the PC's place among the office's desks; nil: not here
	Log      *slog.Logger // is told of faults; nil: nobody is
	Fault    func(error)  // and this one of the error behind each; nil: not wanted
}

// A Route is one thing the door answers to. Body is an empty request, nil
// where none is read.
type Route struct {
	Method string
	Path   string // below Prefix, with {id} for a booking
	Body   any
}

// Routes lists all of them, for the test that holds docs/openapi.yaml to them.
func Routes() []Route {
	var out []Route
	for _, r := range routes() {
		out = append(out, r.Route)
	}
	return out
}

// serve answers one request: an answer to be written as JSON, or an error.
type serve func(d *door, r *http.Request) (any, error)

type route struct {
	Route
	serve serve
}

func routes() []route {
	out := []route{
		{Route{"GET", "status", nil}, status},
		{Route{"GET", "bookings", nil}, bookings},
		{Route{"GET", "visits/{id}", nil}, visit},
		{Route{"GET", "queue", nil}, queue},
		{Route{"GET", "conflicts", nil}, conflicts},
		{Route{"POST", "walk-ins", WalkInRequest{}}, walkIn},
		{Route{"POST", "scan", ScanRequest{}}, scan},
		{Route{"POST", "open", nil}, open},
		{Route{"POST", "enroll", EnrollRequest{}}, enroll},
		{Route{"POST", "carry/out", CarryRequest{}}, carryOut},
		{Route{"POST", carryInPath, nil}, carryIn},
		{Route{"GET", "lan", nil}, lanState},
		{Route{"POST", "lan/lend", LendRequest{}}, lend},
		{Route{"POST", "lan/invite", InviteRequest{}}, invite},
		{Route{"POST", "lan/remove", RemoveRequest{}}, remove},
		{Route{"POST", "lan/join", JoinRequest{}}, joinDesk},
		{Route{"POST", "lan/leave", nil}, leave},
		{Route{"POST", "lan/find", FindRequest{}}, find},
		{Route{"POST", "shutdown", nil}, shutdown},
	}
	for _, o := range orders() {
		out = append(out, route{Route{"POST", "visits/{id}/" + o.verb, o.body}, o.serve})
	}
	return out
}

type door struct {
	o   *office.Office
	opt Options
}

// New makes the handler of everything below Prefix. Who may reach the port at
// all, and under which host names, is its caller's care.
func New(o *office.Office, opt Options) http.Handler {
	if opt.Log == nil {
		opt.Log = slog.New(slog.DiscardHandler)
	}
	d := &door{o: o, opt: opt}
	byPath := map[string]map[string]serve{}
	for _, r := range routes() {
		if byPath[r.Path] == nil {
			byPath[r.Path] = map[string]serve{}
		}
		byPath[r.Path][r.Method] = r.serve
	}
	mux := http.NewServeMux()
	for path, methods := range byPath {
		mux.Handle(Prefix+path, d.methods(methods))
	}
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		d.fail(w, r, problem(http.StatusNotFound, "unknown-path", "there is nothing at "+r.URL.Path, "Adresa nu există."))
	})
	return d.admit(mux)
}

// admit compares hashes, so that the time it takes tells nothing, not even
// the token's length.
func (d *door) admit(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		given, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
		opener := r.Method == http.MethodPost && r.URL.Path == Prefix+"open" && same(given, d.opt.Opener)
		if !ok || !opener && !same(given, d.opt.Token) {
			w.Header().Set("WWW-Authenticate", "Bearer")
			d.fail(w, r, problem(http.StatusUnauthorized, "unauthorized", "the request does not bear the token of this service", "Cererea nu are codul de acces al serviciului."))
			return
		}
		if r.URL.Path != Prefix+carryInPath {
			r.Body = http.MaxBytesReader(w, r.Body, maxBody)
		}
		next.ServeHTTP(w, r)
	})
}

// same compares a given token with ours; none is no token.
func same(given, ours string) bool {
	a, b := sha256.Sum256([]byte(given)), sha256.Sum256([]byte(ours))
	return ours != "" && subtle.ConstantTimeCompare(a[:], b[:]) == 1
}

func (d *door) methods(by map[string]serve) http.Handler {
	var allowed []string
	for m := range by {
		allowed = append(allowed, m)
	}
	slices.Sort(allowed)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		serve, ok := by[r.Method]
		if !ok {
			w.Header().Set("Allow", strings.Join(allowed, ", "))
			d.fail(w, r, problem(http.StatusMethodNotAllowed, "method", r.URL.Path+" takes "+strings.Join(allowed, " and ")+" only", "Metoda nu este permisă la această adresă."))
			return
		}
		if r.Method == http.MethodPost {
			// What was begun is done, or not at all, though the script hangs up.
			r = r.WithContext(context.WithoutCancel(r.Context()))
		}
		answer, err := serve(d, r)
		if err != nil && r.Context().Err() != nil {
			return // nobody listens any more
		}
		if err != nil {
			p := problemOf(err)
			if p.Status == http.StatusInternalServerError && d.opt.Fault != nil {
				d.opt.Fault(err)
			}
			d.fail(w, r, p)
			return
		}
		d.write(w, http.StatusOK, answer)
	})
}

// fail writes a problem. A fault of ours is also logged: nobody may look at a
// script's output.
func (d *door) fail(w http.ResponseWriter, r *http.Request, p *Problem) {
	if p.Status == http.StatusInternalServerError {
		d.opt.Log.Error("the local API could not answer", "route", r.Pattern, "error", p.Say)
	}
	d.write(w, p.Status, map[string]*Problem{"error": p})
}

func (d *door) write(w http.ResponseWriter, status int, answer any) {
	body, err := json.Marshal(answer)
	if err != nil { // a value in the log that is no JSON
		d.opt.Log.Error("the local API could not write its answer", "error", err)
		status, body = http.StatusInternalServerError, []byte(`{"error":{"status":500,"code":"fault","say":"the answer could not be written","text":"Răspunsul nu a putut fi scris."}}`)
	}
	h := w.Header()
	h.Set("Content-Type", "application/json; charset=utf-8")
	h.Set("Cache-Control", "no-store")
	h.Set("X-Content-Type-Options", "nosniff")
	w.WriteHeader(status)
	if _, err := w.Write(append(body, '\n')); err != nil {
		d.opt.Log.Debug("the script hung up before the answer", "error", err)
	}
}

// at writes a moment in the office's time zone; empty for none.
func (d *door) at(ms int64) string {
	if ms == 0 {
		return ""
	}
	return time.UnixMilli(ms).In(d.o.Zone()).Format("2006-01-02T15:04:05.000Z07:00")
}
