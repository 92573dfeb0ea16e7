package doctor

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"net"
	"net/http"
	"net/url"
	"time"

	"condica/sync/link"
)

// hubAnswer is what one plain request found on the way to the hub.
type hubAnswer struct {
	asked     bool
	host      string
	addresses []string
	nameErr   error
	err       error                // no answer came
	state     *tls.ConnectionState // nil: no TLS was agreed
	at        time.Time            // the hub's clock, by its Date header; zero: not said
	within    time.Duration        // the whole exchange took so long
	seen      time.Time            // by this PC's clock, when the answer came
}

const hubTimeout = 20 * time.Second

// askHub asks without trusting: who answers is examined afterwards, so that
// a stranger on the line can be named.
func askHub(ctx context.Context, p place) (a hubAnswer) {
	u, err := url.Parse(p.hub)
	if err != nil || u.Host == "" {
		return a
	}
	ctx, cancel := context.WithTimeout(ctx, hubTimeout)
	defer cancel()
	a.asked, a.host = true, u.Hostname()
	if a.addresses, a.nameErr = net.DefaultResolver.LookupHost(ctx, a.host); a.nameErr != nil {
		return a
	}
	transport := &http.Transport{
		Proxy: http.ProxyFromEnvironment, DisableKeepAlives: true,
		TLSClientConfig: &tls.Config{InsecureSkipVerify: true, MinVersion: tls.VersionTLS12},
	}
	client := &http.Client{Transport: transport, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, p.hub, nil)
	if err != nil {
		a.err = err
		return a
	}
	begin := time.Now()
	resp, err := client.Do(r)
	if err != nil {
		a.err = errors.Unwrap(err)
		return a
	}
	resp.Body.Close()
	a.seen, a.within, a.state = time.Now(), time.Since(begin), resp.TLS
	a.at, _ = http.ParseTime(resp.Header.Get("Date")) // none leaves it zero
	return a
}

func (p *patient) checkHub(context.Context) Finding {
	const do = "look at the office's line and name server; work goes on without the hub"
	switch a := p.hub; {
	case !a.asked:
		return warning("enrol this PC", "no hub is known yet")
	case a.nameErr != nil:
		return warning(do, "the hub's name %s is not found: %v", a.host, a.nameErr)
	case a.err != nil:
		return warning(do, "the hub %s (%s) does not answer: %v", a.host, a.addresses[0], a.err)
	}
	return fine("the hub %s (%s) answers in %d ms", p.hub.host, p.hub.addresses[0], p.hub.within.Milliseconds())
}

func (p *patient) checkTLS(context.Context) Finding {
	a := p.hub
	switch {
	case !a.asked || a.nameErr != nil || a.err != nil:
		return warning("", "the hub's certificate was not seen: the hub did not answer")
	case a.state == nil:
		return warning("this is for trials only; give the hub an https address", "the hub is spoken to without TLS")
	}
	leaf := a.state.PeerCertificates[0]
	issuer := leaf.Issuer.CommonName
	if err := trusted(a.state.PeerCertificates, a.host, p.place.pin, p.Now()); err != nil {
		return fault("let the line's filter or proxy pass the hub's address through unopened; else ask central IT for a new token",
			"who answers for %s is not trusted; its certificate was issued by %q: %v", a.host, issuer, err)
	}
	return fine("the hub's certificate was issued by %q, as it should, and is good until %s", issuer, leaf.NotAfter.Format(time.DateOnly))
}

// trusted judges as the line does: the pinned authority, or the system's.
func trusted(chain []*x509.Certificate, host, pin string, now time.Time) error {
	o := x509.VerifyOptions{DNSName: host, CurrentTime: now, Intermediates: x509.NewCertPool()}
	for _, c := range chain {
		o.Intermediates.AddCert(c)
		if pin != "" && c.IsCA && link.PinOf(c) == pin {
			o.Roots = x509.NewCertPool()
			o.Roots.AddCert(c)
		}
	}
	if pin != "" && o.Roots == nil {
		return link.ErrPin
	}
	_, err := chain[0].Verify(o)
	return err
}

// clockTolerance is what the office may ignore; the agent corrects more too.
const clockTolerance = 2 * time.Minute

func (p *patient) checkClock(context.Context) Finding {
	const do = "set the PC's clock, or have its battery changed; times of work are corrected by the hub's clock until then"
	ahead, known := p.skew()
	switch {
	case !known:
		return warning("look again when the hub answers", "this PC's clock shows %s; there is nothing to compare it with", p.Now().Format("2006-01-02 15:04"))
	case ahead > clockTolerance:
		return warning(do, "this PC's clock is %s ahead of the hub's", ahead.Round(time.Second))
	case ahead < -clockTolerance:
		return warning(do, "this PC's clock is %s behind the hub's", (-ahead).Round(time.Second))
	}
	return fine("this PC's clock and the hub's agree within %s", max(ahead, -ahead, 2*time.Second).Round(time.Second))
}

// skew is by how much this PC is ahead: as the service measured it, or by the
// hub's Date header.
func (p *patient) skew() (ahead time.Duration, known bool) {
	if p.status != nil && p.status.Sure {
		return time.Duration(p.status.OffMs) * time.Millisecond, true
	}
	if p.hub.at.IsZero() {
		return 0, false
	}
	return p.Now().Sub(p.hub.at) - time.Since(p.hub.seen) - p.hub.within/2, true
}
