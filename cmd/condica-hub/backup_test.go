package main

import (
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"

	"condica/hub/store/sqlite"
	"condica/sync/link"
	"condica/sync/wire"
)

// refused runs a command that must fail in one sentence.
func (a admin) refused(code int, say string, args ...string) {
	a.t.Helper()
	got, out, errOut := a.says(args...)
	if got != code || out != "" || !strings.Contains(errOut, say) || strings.Count(errOut, "\n") != 1 {
		a.t.Errorf("condica-hub %s: exit %d, wrote %q and %q; want exit %d and one line with %q", strings.Join(args, " "), got, out, errOut, code, say)
	}
}

// token prints one and reads it.
func (a admin) token() wire.Token {
	a.t.Helper()
	var said struct{ Token string }
	a.does(&said, "token", "new", "--office", "covasna", "--json")
	token, err := wire.ParseToken(said.Token)
	if err != nil {
		a.t.Fatal(err)
	}
	return token
}

func (a admin) books(minute string) {
	a.t.Helper()
	a.does(nil, "bookings", "add", "--office", "covasna", "--name", "Ana Exemplu "+minute, "--email", minute+"@example.ro", "--reason", "R05", "--day", "2026-12-03", "--time", "09:"+minute)
}

// lines counts the edits of an office.
func (a admin) lines() int {
	a.t.Helper()
	code, out, errOut := a.says("log", "--office", "covasna", "--data", a.data)
	if code != 0 {
		a.t.Fatal(errOut)
	}
	return strings.Count(out, "\n")
}

// private says whether only its owner can read a file.
func private(t *testing.T, file string) bool {
	t.Helper()
	st, err := os.Stat(file)
	if err != nil {
		t.Fatal(err)
	}
	return runtime.GOOS == "windows" || st.Mode().Perm() == 0o600
}

// Every night the running hub is backed up. Put back, it is the hub of that
// moment: what came later is not in it, and PCs know it by the same pin.
func TestBackupAndRestore(t *testing.T) {
	a := admin{t, t.TempDir()}
	hub, stop := a.serves("--listen", "127.0.0.1:0")
	token := a.token()
	if _, err := link.Enroll(t.Context(), token, keyOf("pc"), "PC 1", clocks); err != nil {
		t.Fatal(err)
	}
	a.books("00")
	file := filepath.Join(t.TempDir(), "night.db")
	code, out, errOut := a.says("backup", "--data", a.data, "--to", file)
	if code != 0 || !strings.Contains(out, "1 edits of 1 offices") {
		t.Fatalf("exit %d: %s%s", code, out, errOut)
	}
	if !private(t, file) {
		t.Error("others can read the backup, and the keys in it")
	}
	a.refused(1, "there already", "backup", "--data", a.data, "--to", file)
	a.books("20")
	stop()

	again := admin{t, t.TempDir()}
	text, err := os.ReadFile(file)
	if err == nil {
		err = os.WriteFile(filepath.Join(again.data, sqlite.DBName), text, 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
	_, stop = again.serves("--listen", strings.TrimPrefix(hub.Hub, "https://"))
	defer stop()
	if a.lines() != 2 || again.lines() != 1 {
		t.Errorf("the hub had %d edits, the restored one has %d", a.lines(), again.lines())
	}
	if e, err := link.Enroll(t.Context(), token, keyOf("pc"), "PC 1", clocks); err != nil || e.Desk != 1 {
		t.Errorf("the PC at the restored hub: %+v, %v", e, err)
	}
}

// The hub's machine burns down, its keys were on a stick. A new hub with them
// is the old one to its PCs; a folder where another hub has run is left alone.
func TestKeys(t *testing.T) {
	a := admin{t, t.TempDir()}
	hub, stop := a.serves("--listen", "127.0.0.1:0")
	token := a.token()
	first, err := link.Enroll(t.Context(), token, keyOf("pc"), "PC 1", clocks)
	if err != nil {
		t.Fatal(err)
	}
	a.books("00")
	file := filepath.Join(t.TempDir(), "keys")
	if code, out, errOut := a.says("keys", "--data", a.data, "--to", file); code != 0 || !strings.Contains(out, "offline") {
		t.Fatalf("exit %d: %s%s", code, out, errOut)
	}
	if !private(t, file) {
		t.Error("others can read the keys")
	}
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"tls/ca", "qr/1", "enroll/1", "pen/covasna"} {
		if !strings.Contains(string(text), `"`+name+`"`) {
			t.Errorf("%s is not among the keys", name)
		}
	}
	if strings.Contains(string(text), "tls/leaf") {
		t.Error("the certificate is among the keys: it changes, and then they would no longer be these")
	}
	a.refused(1, "there already", "keys", "--data", a.data, "--to", file)
	stop()

	fresh := admin{t, filepath.Join(t.TempDir(), "new")}
	for range 2 { // once more changes nothing
		if code, _, errOut := fresh.says("keys", "--data", fresh.data, "--from", file); code != 0 {
			t.Fatal(errOut)
		}
	}
	_, stop = fresh.serves("--listen", strings.TrimPrefix(hub.Hub, "https://"))
	defer stop()
	if got := fresh.token(); got.Pin != token.Pin {
		t.Errorf("the new hub's pin is %s, the PCs know %s", got.Pin, token.Pin)
	}
	again := fresh.token()
	again.Pin = token.Pin
	second, err := link.Enroll(t.Context(), again, keyOf("pc 2"), "PC 2", clocks)
	if err != nil || string(second.Keys[0].Pub) != string(first.Keys[0].Pub) {
		t.Errorf("the new hub signs codes with %x, the old one with %x, %v", second.Keys, first.Keys, err)
	}

	other := admin{t, t.TempDir()}
	_, stopOther := other.serves("--listen", "127.0.0.1:0")
	pin := other.token().Pin
	stopOther()
	other.refused(1, "keys of its own already", "keys", "--data", other.data, "--from", file)
	_, stopOther = other.serves("--listen", "127.0.0.1:0")
	defer stopOther()
	if got := other.token().Pin; got != pin {
		t.Errorf("the other hub's pin was %s and is %s", pin, got)
	}
}

// What is typed wrongly gets one sentence.
func TestBackupWrongInputs(t *testing.T) {
	a := admin{t, t.TempDir()}
	_, stop := a.serves("--listen", "127.0.0.1:0")
	stop()
	none, file := filepath.Join(t.TempDir(), "none"), filepath.Join(t.TempDir(), "file")
	torn := filepath.Join(t.TempDir(), "torn")
	if code, _, errOut := a.says("keys", "--data", a.data, "--to", file); code != 0 {
		t.Fatal(errOut)
	}
	text, err := os.ReadFile(file)
	if err == nil {
		err = os.WriteFile(torn, text[:len(text)/2], 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
	a.refused(2, "--to", "backup", "--data", a.data)
	a.refused(1, "there is no hub in", "backup", "--data", none, "--to", file+"2")
	a.refused(1, "nothing is backed up", "backup", "--data", a.data, "--to", filepath.Join(none, "backup"))
	a.refused(2, "either --to", "keys", "--data", a.data)
	a.refused(2, "either --to", "keys", "--data", a.data, "--to", file, "--from", file)
	a.refused(1, "there is no hub in", "keys", "--data", none, "--to", file+"2")
	a.refused(1, "no such file", "keys", "--data", none, "--from", file+"2")
	a.refused(1, "not a whole one", "keys", "--data", none, "--from", torn)
	if _, err := os.Stat(none); err == nil {
		t.Error("a folder was made for keys that were not taken over")
	}
	a.refused(1, "with --office", "revoke", "--data", a.data, "--device", "0123456789abcdef")
	a.refused(1, "nowhere", "revoke", "--data", a.data, "--device", "0123456789abcdef", "--office", "nowhere")
}

// After a rebuild a stolen PC is shut out before its certificate brings it
// back.
func TestRevokeUnknown(t *testing.T) {
	a := admin{t, t.TempDir()}
	_, stop := a.serves("--listen", "127.0.0.1:0")
	defer stop()
	key := keyOf("stolen")
	if _, err := link.Enroll(t.Context(), a.token(), key, "PC 1", clocks); err != nil {
		t.Fatal(err)
	}
	const stolen = "0123456789abcdef"
	a.does(nil, "revoke", "--device", stolen, "--office", "covasna")
	var devices []deviceJSON
	a.does(&devices, "devices", "--office", "covasna", "--json")
	i := slices.IndexFunc(devices, func(d deviceJSON) bool { return d.Device.String() == stolen })
	if len(devices) != 2 || i < 0 || devices[i].Kind != "gone" || devices[i].Revoked == "" || devices[1-i].Revoked != "" {
		t.Errorf("devices: %+v", devices)
	}
	if _, out, _ := a.says("devices", "--office", "covasna", "--data", a.data); strings.Count(out, "revoked") != 1 {
		t.Errorf("in words: %s", out)
	}
}
