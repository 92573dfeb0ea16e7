package main

import (
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"testing"

	"condica/agent/api"
)

var formTicket = regexp.MustCompile(`name="bilet" value="([^"]+)"`)

// clerkBrowser follows an address as a browser without JavaScript does.
func clerkBrowser(t *testing.T) *http.Client {
	t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	return &http.Client{Jar: jar}
}

func statusOf(t *testing.T, b *http.Client, address string) int {
	t.Helper()
	resp, err := b.Get(address)
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	return resp.StatusCode
}

func enters(t *testing.T, b *http.Client, address string) int {
	t.Helper()
	m := formTicket.FindStringSubmatch(get(t, address))
	if m == nil {
		t.Fatalf("%s shows no form with a ticket", address)
	}
	u, err := url.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := b.PostForm(u.Scheme+"://"+u.Host+u.Path, url.Values{"bilet": {m[1]}})
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	return resp.StatusCode
}

// The service as it is installed: the port answers every user of the PC, the
// desk only the browser that condica open let in, also after a SIGKILL. Who may
// open the desk and no more finds a token that does only that.
func TestOpen(t *testing.T) {
	c := newCountry(t)
	runs := func() {
		t.Helper()
		t.Setenv("RUNTIME_DIRECTORY", filepath.Join(c.dir, "run"))
		c.pcs["pc1"] = start(t, "condica", "run", "--data", c.pcDir("pc1"), "--listen", "127.0.0.1:0", "--json")
	}
	runs()
	c.startHub()
	c.enroll("pc1")
	desk := c.pcs["pc1"].url("desk")
	clerk, stranger := clerkBrowser(t), clerkBrowser(t)
	if status := statusOf(t, stranger, desk+"/"); status != http.StatusForbidden {
		t.Errorf("without a ticket the desk answers with status %d", status)
	}
	address := strings.TrimSpace(c.condica("pc1", "open", "--print"))
	if status := enters(t, clerk, address); status != http.StatusOK {
		t.Fatalf("the clerk's ticket: status %d", status)
	}
	if status := statusOf(t, clerk, desk+"/"); status != http.StatusOK {
		t.Errorf("the clerk's desk: status %d", status)
	}
	if status := enters(t, stranger, address); status != http.StatusForbidden {
		t.Errorf("the same address in another browser: status %d", status)
	}

	var folder string
	if runtime.GOOS == "windows" {
		folder = filepath.Join(c.pcDir("pc1"), "open")
	} else {
		folder = filepath.Join(c.dir, "run")
		if info, err := os.Stat(filepath.Join(folder, api.OpenName)); err != nil || info.Mode().Perm() != 0o640 {
			t.Errorf("the file for those who may open the desk: %v, %v", info, err)
		}
	}
	opener, err := api.ReadOpener(folder)
	if err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]int{"POST open": http.StatusOK, "GET open": http.StatusUnauthorized, "GET status": http.StatusUnauthorized, "POST shutdown": http.StatusUnauthorized} {
		method, path, _ := strings.Cut(path, " ")
		r, err := http.NewRequest(method, opener.URL+api.Prefix+path, nil)
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Authorization", "Bearer "+opener.Token)
		resp, err := http.DefaultTransport.RoundTrip(r)
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		if resp.StatusCode != want {
			t.Errorf("%s %s with the opener's token: status %d, want %d", method, path, resp.StatusCode, want)
		}
	}

	c.pcs["pc1"].kill()
	runs()
	now, err := url.Parse(c.pcs["pc1"].url("desk"))
	if err != nil {
		t.Fatal(err)
	}
	if status := statusOf(t, clerk, now.String()+"/"); status != http.StatusOK {
		t.Errorf("after the service was killed the clerk's browser: status %d", status)
	}
	c.pcs["pc1"].stop()
	if _, err := api.ReadOpener(folder); err == nil {
		t.Error("the service has ended and still says how it is opened")
	}
	_, errs, code := say(t, "condica", "open", "--print", "--data", c.pcDir("pc1"))
	if code != 1 {
		t.Errorf("open without a service: exit %d", code)
	}
	oneSentence(t, "open without a service", errs, "no Condica service")
}
