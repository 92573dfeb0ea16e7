package agent

import (
	"bufio"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// The PC starts before its network: its own desk is open all the same, it says
// why it lends nothing, and lends as soon as the address is there.
func TestTheNetworkComesLater(t *testing.T) {
	c := newCity(t)
	d := c.pc()
	s, err := d.network.Lend(t.Context(), "127.0.0.1:0")
	c.must(err)
	if strings.HasSuffix(s.Listen, ":0") || len(s.At) != 1 || s.Say != "" {
		t.Fatalf("it lends: %+v", s)
	}
	c.must(d.Close())
	other, err := net.Listen("tcp", s.Listen)
	c.must(err)
	d.start()
	now, err := d.network.State(t.Context())
	c.must(err)
	if now.Listen != s.Listen || len(now.At) != 0 || !strings.Contains(now.Say, s.Listen) {
		t.Errorf("the address is not there: %+v", now)
	}
	if _, err := d.network.Invite(t.Context(), "Ghișeul 2", nil); err == nil {
		t.Error("it invites to nowhere")
	}
	c.must(other.Close())
	d.until("it lends again", func() bool {
		now, err := d.network.State(t.Context())
		c.must(err)
		return len(now.At) == 1 && now.Say == ""
	})
	_, err = d.network.Lend(t.Context(), "")
	c.must(err)
	if free, err := net.Listen("tcp", s.Listen); err != nil {
		t.Errorf("it lends no more, and %v", err)
	} else {
		free.Close()
	}
}

// A lender and its guest are started anew, in either order, and the guest works
// there as before. What does not go together is refused with its reason, and a
// torn file of a guest costs nothing but the way to the lender.
func TestLenderAndGuestComeBack(t *testing.T) {
	c := newCity(t)
	lender, guest := c.pc(), c.pc()
	s, err := lender.network.Lend(t.Context(), "127.0.0.1:0")
	c.must(err)
	invitation, err := lender.network.Invite(t.Context(), "Ghișeul 2", []string{s.Listen})
	c.must(err)
	if _, err := lender.network.Join(t.Context(), invitation); err == nil || !strings.Contains(err.Error(), "lends its own desk") {
		t.Errorf("a lender joins: %v", err)
	}
	elsewhere := c.pcOf("botosani")
	if _, err := elsewhere.network.Join(t.Context(), invitation); err == nil || !strings.Contains(err.Error(), "another office") {
		t.Errorf("a PC of Botoșani joins Covasna's: %v", err)
	}
	if _, err := guest.network.Join(t.Context(), invitation); err != nil {
		t.Fatal(err)
	}
	if _, err := guest.network.Lend(t.Context(), "127.0.0.1:0"); err == nil || !strings.Contains(err.Error(), "works at the desk of another") {
		t.Errorf("a guest lends: %v", err)
	}
	lender.restart()
	guest.restart()
	lender.restart()
	if s, err := guest.network.State(t.Context()); err != nil || s.Seat != "Ghișeul 2" || s.Say != "" {
		t.Errorf("the guest says %+v, %v", s, err)
	}
	if s, err := lender.network.State(t.Context()); err != nil || len(s.Guests) != 1 {
		t.Errorf("the lender says %+v, %v", s, err)
	}
	// The settings are proven on the PC's own desk, not on the lender's.
	c.must(lender.Close())
	if ill := guest.faults(t.Context()); len(ill) > 0 {
		t.Errorf("its own desk cannot: %v", ill)
	}
	c.must(guest.Close())
	c.must(os.WriteFile(filepath.Join(guest.dir, visitingFile), []byte(`{"host":`), 0o600))
	guest.start()
	if s, err := guest.network.State(t.Context()); err != nil || s.Lender != "" || !guest.log.has("guest.json") {
		t.Errorf("with a torn file: %+v, %v", s, err)
	}
}

// Files of the network that were cut or changed by somebody: the PC works at its
// own desk, says what is wrong, and listens nowhere.
func TestTornFilesOfTheNetwork(t *testing.T) {
	c := newCity(t)
	d := c.pc()
	s, err := d.network.Lend(t.Context(), "127.0.0.1:0")
	c.must(err)
	lends := `{"listen":"` + s.Listen + `"}`
	for _, torn := range []struct{ file, text, says string }{
		{lendingFile, `{"listen":"8.8.8.8:8471"}`, "office's own network"},
		{lendingFile, `{"listen":"example.ro:8471"}`, "office's own network"},
		{lendingFile, `{"listen":`, "lan.json"},
		{lendingFile, `{"listen":1}`, "lan.json"},
		{guestsFile, `[{"name":"Ghișeul 2"`, "lan-guests.json"},
		{guestsFile, `{}`, "lan-guests.json"},
		{visitingFile, `{}`, "not whole"},
		{visitingFile, `null`, "not whole"},
		{visitingFile, `{"host":"a","at":["8.8.8.8:1"],"pin":"p","name":"n"}`, "office's own network"},
	} {
		c.must(d.Close())
		files := map[string]string{lendingFile: lends, guestsFile: `[]`}
		if torn.file == visitingFile {
			files[lendingFile] = `{"listen":""}` // who visits lends nothing
		}
		files[torn.file] = torn.text
		for file, text := range files {
			c.must(os.WriteFile(filepath.Join(d.dir, file), []byte(text), 0o600))
		}
		d.start()
		now, err := d.network.State(t.Context())
		c.must(err)
		if len(now.At) != 0 || now.Lender != "" || !strings.Contains(now.Say, torn.says) {
			t.Errorf("%s is %s: %+v", torn.file, torn.text, now)
		}
		if other, err := net.Listen("tcp", s.Listen); err != nil {
			t.Errorf("%s is %s, and it listens: %v", torn.file, torn.text, err)
		} else {
			other.Close()
		}
		if ill := d.faults(t.Context()); len(ill) > 0 {
			t.Errorf("%s is %s, and its own desk cannot: %v", torn.file, torn.text, ill)
		}
		c.must(os.Remove(filepath.Join(d.dir, torn.file)))
	}
}

// Whatever a program on the guest's PC writes to its port, no other PC than the
// lender is reached, no tunnel is opened, and one request stays one.
func TestNoWayThroughAGuest(t *testing.T) {
	c := newCity(t)
	lender, guest := c.pc(), c.pc()
	s, err := lender.network.Lend(t.Context(), "127.0.0.1:0")
	c.must(err)
	invitation, err := lender.network.Invite(t.Context(), "Ghișeul 2", []string{s.Listen})
	c.must(err)
	_, err = guest.network.Join(t.Context(), invitation)
	c.must(err)
	other, err := net.Listen("tcp", "127.0.0.1:0") // that nobody may reach
	c.must(err)
	reached := make(chan bool, 1)
	go func() {
		for {
			conn, err := other.Accept()
			if err != nil {
				return
			}
			conn.Close()
			reached <- true
		}
	}()
	at, own := other.Addr().String(), strings.TrimPrefix(guest.URL(), "http://")
	const form = "Content-Type: application/x-www-form-urlencoded\r\n"
	for _, ask := range []struct {
		line, host, rest string
		status           int
	}{
		{"GET /", own, "\r\n", http.StatusOK},
		{"GET http://" + at + "/", own, "\r\n", http.StatusMisdirectedRequest},
		{"GET http://" + own + "/", at, "\r\n", http.StatusOK}, // RFC 9112, 3.2.2: the target counts
		{"GET /", "ghiseu.internal", "\r\n", http.StatusMisdirectedRequest},
		{"GET /", own, "Host: " + at + "\r\n\r\n", http.StatusBadRequest},
		{"CONNECT " + at, at, "\r\n", http.StatusNotFound},
		{"CONNECT " + own, own, "\r\n", http.StatusNotFound},
		{"CONNECT //" + at + "/x", own, "\r\n", http.StatusNotFound},
		{"TRACE /", own, "\r\n", http.StatusNotFound},
		{"GET //" + at + "/", own, "\r\n", http.StatusTemporaryRedirect},
		{"GET /lan/%2e%2e/api/v1/status", own, "\r\n", http.StatusNotFound},
		{"GET /x/../api/v1/status", own, "\r\n", http.StatusTemporaryRedirect},
		{"POST /lan/join", own, form + "Content-Length: 14\r\n\r\n{\"secret\":\"x\"}", http.StatusBadRequest},
		{"PUT /lan/join", own, "Content-Length: 14\r\n\r\n{\"secret\":\"x\"}", http.StatusBadRequest},
		{"GET /", own, "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: eA==\r\n\r\n", http.StatusOK},
		{"POST /limba", own, form + "Origin: http://" + at + "\r\nContent-Length: 0\r\n\r\n", http.StatusForbidden},
		{"POST /limba", own, form + "Origin: https://ghiseu.internal\r\nContent-Length: 0\r\n\r\n", http.StatusForbidden},
		{"POST /limba", own, form + "Origin: null\r\nSec-Fetch-Site: cross-site\r\nContent-Length: 0\r\n\r\n", http.StatusForbidden},
		{"POST /limba", own, form + "Content-Length: 4\r\nContent-Length: 0\r\n\r\nabcd", http.StatusBadRequest},
		{"POST /limba", own, form + "Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n", http.StatusNotImplemented},
		{"POST /limba", own, form + "Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n8\r\nlimba=en\r\n0\r\n\r\nGET /lan/ask HTTP/1.1\r\n\r\n", http.StatusSeeOther},
		{"POST /limba", own, form + "Connection: Cookie, Condica-Browser\r\nContent-Length: 8\r\n\r\nlimba=en", http.StatusSeeOther},
		{"GET /", own, "X: " + strings.Repeat("x", 100<<10) + "\r\n\r\n", http.StatusRequestHeaderFieldsTooLarge},
	} {
		conn, err := net.Dial("tcp", own)
		c.must(err)
		go io.WriteString(conn, ask.line+" HTTP/1.1\r\nHost: "+ask.host+"\r\n"+ask.rest)
		resp, err := http.ReadResponse(bufio.NewReader(conn), nil)
		c.must(err)
		if resp.StatusCode != ask.status {
			t.Errorf("%s, host %s, %.120q: status %d, want %d", ask.line, ask.host, ask.rest, resp.StatusCode, ask.status)
		}
		conn.Close()
	}
	c.must(other.Close())
	select {
	case <-reached:
		t.Error("another port was reached")
	default:
	}
	if s, err := guest.network.State(t.Context()); err != nil || s.Say != "" {
		t.Errorf("the guest says %+v, %v", s, err)
	}
}
