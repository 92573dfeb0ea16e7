package service

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"condica/sync/wire"
)

var token = wire.Token{Hub: "https://hub.example.ro:8443", Office: "covasna", Secret: "s3cret", Expires: 1}

// Central IT's script leaves the token on a PC, twice; the service finds one
// whole token that nobody else may read.
func TestTokenIsLeftForTheService(t *testing.T) {
	dir := t.TempDir()
	for range 2 {
		if err := LeaveToken(dir, "  "+token.String()+"\r\n"); err != nil {
			t.Fatal(err)
		}
	}
	text, err := os.ReadFile(filepath.Join(dir, tokenFile))
	if err != nil || string(text) != token.String()+"\n" {
		t.Errorf("the file holds %q (%v)", text, err)
	}
	if names, _ := os.ReadDir(dir); len(names) != 1 {
		t.Errorf("the folder holds %v, want the token alone", names)
	}
}

func TestTokenIsRefused(t *testing.T) {
	dir := t.TempDir()
	if err := LeaveToken(dir, token.String()[:30]); err == nil {
		t.Error("half a token was left")
	}
	if err := os.WriteFile(filepath.Join(dir, hubFile), []byte("{}"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := LeaveToken(dir, token.String()); !errors.Is(err, ErrEnrolled) {
		t.Errorf("an enrolled PC says %v", err)
	}
	if _, err := os.Stat(filepath.Join(dir, tokenFile)); err == nil {
		t.Error("a refused token lies in the folder")
	}
}

// The folder belongs to a lesser account, which lays a link where the token
// will be written: what it points at stays as it was.
func TestTokenIsNotWrittenThroughALink(t *testing.T) {
	dir, victim := t.TempDir(), filepath.Join(t.TempDir(), "shadow")
	if err := os.WriteFile(victim, []byte("precious"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{tokenFile, tokenFile + ".new"} {
		if err := os.Symlink(victim, filepath.Join(dir, name)); err != nil {
			t.Skipf("not run: this system makes no links: %v", err)
		}
	}
	if err := LeaveToken(dir, token.String()); err != nil {
		t.Fatal(err)
	}
	if text, _ := os.ReadFile(victim); string(text) != "precious" {
		t.Errorf("the file behind the link now holds %q", text)
	}
	if text, _ := os.ReadFile(filepath.Join(dir, tokenFile)); !strings.HasPrefix(string(text), "condica-token") {
		t.Errorf("the token file holds %q", text)
	}
}
