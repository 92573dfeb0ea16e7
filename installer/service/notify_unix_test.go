//go:build !windows

package service

import (
	"context"
	"net"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// systemd, played by a socket, hears "ready" before the work begins, what the
// work says, signs of life, and the end.
func TestSystemdHears(t *testing.T) {
	socket := filepath.Join(t.TempDir(), "notify")
	c, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: socket, Net: "unixgram"})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	c.SetReadDeadline(time.Now().Add(2 * time.Minute)) // a net below the whole story
	t.Setenv("NOTIFY_SOCKET", socket)
	t.Setenv("WATCHDOG_USEC", "20000")
	t.Setenv("WATCHDOG_PID", "")

	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() {
		ended <- Run(ctx, Name, func(ctx context.Context, n Notifier) error {
			n.Say("opening the replica")
			<-ctx.Done()
			return nil
		})
	}()
	if first := hear(t, c); first != "READY=1" {
		t.Errorf("first systemd hears %q", first)
	}
	hears(t, c, "STATUS=opening the replica", "WATCHDOG=1", "WATCHDOG=1")
	stop()
	hears(t, c, "STOPPING=1")
	if err := <-ended; err != nil {
		t.Error(err)
	}
}

func hear(t *testing.T, c *net.UnixConn) string {
	t.Helper()
	b := make([]byte, 4096)
	n, err := c.Read(b)
	if err != nil {
		t.Fatalf("systemd hears nothing: %v", err)
	}
	return string(b[:n])
}

// hears waits for all of these, in any order among others.
func hears(t *testing.T, c *net.UnixConn, want ...string) {
	t.Helper()
	for len(want) > 0 {
		line := hear(t, c)
		for i, w := range want {
			if strings.TrimSpace(line) == w {
				want = append(want[:i], want[i+1:]...)
				break
			}
		}
	}
}
