// Package agent is one office PC at work: it opens the rooms in one visible
// order - folder, key, replica, rules, pages, line - runs, and closes them. It
// decides nothing about bookings and knows no hub but the one it was enrolled
// with.
package agent

import (
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	"condica/agent/api"
	"condica/agent/clerk"
	"condica/agent/control"
	"condica/agent/office"
	"condica/agent/page"
	"condica/localdb"
	"condica/spclep"
	"condica/sync/link"
)

// Options of Start.
type Options struct {
	Dir     string // absolute; made if it is not there
	Listen  string // a loopback address, such as 127.0.0.1:0
	Clock   Clock
	Zone    *time.Location
	Bundle  string    // folder of a reference bundle; empty: the built-in one
	Hub     string    // the hub's address, where it has moved since enrolment; empty: as enrolled
	Version string    // of this program, for health and pages
	Built   time.Time // when this program was built, one of the moments it may be now
	Log     *slog.Logger
	Demo    *page.Demo // the demo's line, on the pages; nil: this is no demo
	Tickets bool       // a browser is let in by a ticket only
	OpenDir string     // where those who may open the pages find out how; empty: only the data folder's owner may
}

// An Agent is a running office PC.
type Agent struct {
	o      Options
	key    ed25519.PrivateKey
	lock   *os.File
	db     *localdb.DB
	office *office.Office
	server *http.Server
	front  front
	url    string
	token  string         // of the local API
	Report localdb.Report // what the replica's start found and mended

	ctx  context.Context // ends with Close; everything in the background hangs on it
	stop context.CancelFunc
	work sync.WaitGroup

	asked   chan struct{} // closed when a script asks the service to end
	askOnce sync.Once

	mu      sync.Mutex // over enrolment, key and running
	running *running   // the line; nil: there is none
	files   sync.Mutex // over hub.json; what the line calls takes this one only

	failed   chan error // what this process cannot go on with
	failOnce sync.Once

	control *control.Control
	root    atomic.Pointer[[]byte] // IT's root key as it was pinned; empty: none yet
	line    atomic.Pointer[link.Link]
	tickets *page.Tickets // nil: every browser on this PC is in
	inside  string        // with which the service looks at its own desk
	clerks  *clerk.Roster
	pages   http.Handler // the desk as this PC's browsers see it
	network *network
	level   slog.LevelVar // of the log
}

// Start opens everything and returns when the desk can be used. The line is
// worked on from then on in the background. ctx ends it all.
func Start(ctx context.Context, o Options) (a *Agent, err error) {
	if err := checkOptions(o); err != nil {
		return nil, err
	}
	ctx, stop := context.WithCancel(ctx)
	a = &Agent{o: o, ctx: ctx, stop: stop, asked: make(chan struct{}), failed: make(chan error, 1)}
	a.o.Log = slog.New(leveled{o.Log.Handler(), &a.level})
	defer func() {
		if err != nil {
			a.Close()
			a = nil
		}
	}()
	if err := a.openFolder(); err != nil {
		return a, err
	}
	if err := a.listen(); err != nil {
		return a, err
	}
	if err := a.openReplica(ctx); err != nil {
		return a, err
	}
	if err := a.openDesk(); err != nil {
		return a, err
	}
	a.openNetwork()
	a.work.Go(func() { a.control.Run(a.ctx) })
	return a, a.openLine()
}

// URL is where the desk's pages are.
func (a *Agent) URL() string { return a.url }

// Office is the running office, for programs that hold the agent in hand.
func (a *Agent) Office() *office.Office { return a.office }

// Asked is closed when a script on this PC has asked the service to end.
func (a *Agent) Asked() <-chan struct{} { return a.asked }

func (a *Agent) ask() { a.askOnce.Do(func() { close(a.asked) }) }

// Close stops the line, the pages and the replica, in this order.
func (a *Agent) Close() error {
	a.stop()
	var errs []error
	if a.server != nil {
		ctx, cancel := context.WithTimeout(context.Background(), 3*time.Second)
		defer cancel()
		if err := a.server.Shutdown(ctx); err != nil {
			errs = append(errs, a.server.Close())
		}
		errs = append(errs, api.RemoveControl(a.o.Dir), a.untell())
	}
	a.work.Wait()
	if a.db != nil {
		errs = append(errs, a.db.Close())
	}
	if a.lock != nil {
		errs = append(errs, a.lock.Close())
	}
	return errors.Join(errs...)
}

func checkOptions(o Options) error {
	if !filepath.IsAbs(o.Dir) {
		return fmt.Errorf("data folder %q: want an absolute path", o.Dir)
	}
	host, _, err := net.SplitHostPort(o.Listen)
	if err != nil {
		return fmt.Errorf("listen address %q: want host:port, such as 127.0.0.1:0", o.Listen)
	}
	if ip := net.ParseIP(host); host != "localhost" && (ip == nil || !ip.IsLoopback()) {
		return fmt.Errorf("listen address %q: the desk listens on this PC only, such as 127.0.0.1:0", o.Listen)
	}
	return nil
}

// openFolder takes the data folder for this process alone.
func (a *Agent) openFolder() (err error) {
	a.key, a.lock, err = takeFolder(a.o.Dir)
	return err
}

func takeFolder(dir string) (ed25519.PrivateKey, *os.File, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, nil, fmt.Errorf("data folder: %w", err)
	}
	f, err := os.OpenFile(filepath.Join(dir, "lock"), os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, nil, fmt.Errorf("data folder: %w", err)
	}
	if lockFile(f) != nil {
		f.Close()
		return nil, nil, fmt.Errorf("data folder %s is in use by another Condica", dir)
	}
	key, err := deviceKey(dir)
	if err != nil {
		f.Close()
		return nil, nil, err
	}
	return key, f, nil
}

func (a *Agent) openReplica(ctx context.Context) (err error) {
	if err := a.openDB(); err != nil {
		return err
	}
	if err := a.settleKey(); err != nil {
		return err
	}
	if err := a.knowOffice(ctx); err != nil {
		return err
	}
	if err := a.openControl(ctx); err != nil {
		return err
	}
	a.office = office.New(office.Config{
		DB: a.db, Ref: a.control.Rules().Reference, Zone: a.o.Zone,
		Random: func(b []byte) { rand.Read(b) },
		Up:     func() int64 { return a.o.Clock.Reading().Up },
		Centre: a.control,
	})
	a.control.OnChange(a.office.Use)
	a.control.OnChange(a.setLevel)
	return nil
}

func reference(folder string) (*spclep.Reference, error) {
	if folder == "" {
		return spclep.Builtin()
	}
	return spclep.Load(os.DirFS(folder))
}

// listen takes the desk's address. Until the replica is open the pages say what
// is being done to it.
func (a *Agent) listen() error {
	ln, err := net.Listen("tcp", a.o.Listen)
	if err != nil {
		return fmt.Errorf("the desk's address: %w", err)
	}
	a.url = "http://" + ln.Addr().String()
	a.front.begin(hostsOf(ln.Addr().(*net.TCPAddr).Port), a.o.Clock)
	a.server = &http.Server{
		Handler: &a.front, ReadHeaderTimeout: 10 * time.Second, IdleTimeout: 2 * time.Minute, MaxHeaderBytes: 64 << 10,
		ErrorLog: slog.NewLogLogger(a.o.Log.Handler(), slog.LevelDebug),
	}
	a.work.Go(func() { a.server.Serve(ln) })
	return nil
}

// openDesk serves pages and API on loopback.
func (a *Agent) openDesk() error {
	hosts := a.front.hosts
	if err := a.openTickets(); err != nil {
		return err
	}
	opener := rand.Text()
	a.token, a.inside, a.clerks = rand.Text(), rand.Text(), a.roster()
	a.network = &network{a: a}
	a.network.desk = a.guestPages()
	a.pages = page.New(a.office, page.Options{
		Log: a.o.Log, Fault: a.fault, Version: a.o.Version, Hosts: hosts, Random: rand.Text, Demo: a.o.Demo,
		Tickets: a.tickets, Roster: a.clerks, Inside: a.inside, Lender: a.network.lender,
	})
	mux := http.NewServeMux()
	mux.Handle("/api/v1/", onlyHosts(hosts, api.New(a.office, api.Options{
		Token: a.token, Version: a.o.Version, Enroll: a.Enroll, Shutdown: a.ask, Log: a.o.Log, Fault: a.fault,
		Opener: opener, Open: a.openAddress(), URL: a.url,
		Network: a.network,
	})))
	mux.Handle("/", a.network)
	a.front.open(mux)
	return a.tell(opener)
}

// hostsOf lists the names under which a browser on this PC may speak to the
// desk; any other is a foreign page that had its name point here.
func hostsOf(port int) []string {
	var out []string
	for _, h := range []string{"127.0.0.1", "localhost", "::1"} {
		out = append(out, net.JoinHostPort(h, fmt.Sprint(port)))
	}
	return out
}
