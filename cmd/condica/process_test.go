package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"
)

// programs are the two binaries, built once for all stories on real processes.
var programs struct {
	once sync.Once
	dir  string
	err  error
}

// patience is how long a program may take for what it is to do. It is a net below
// the stories, far beyond what they need on a busy machine.
const patience = 2 * time.Minute

func TestMain(m *testing.M) {
	code := m.Run()
	if programs.dir != "" {
		os.RemoveAll(programs.dir)
	}
	os.Exit(code)
}

func program(t testing.TB, name string) string {
	t.Helper()
	programs.once.Do(func() {
		if programs.dir, programs.err = os.MkdirTemp("", "condica-story-"); programs.err != nil {
			return
		}
		out, err := exec.Command("go", "build", "-o", programs.dir+string(filepath.Separator), "condica/cmd/condica", "condica/cmd/condica-hub").CombinedOutput()
		if err != nil {
			programs.err = errors.New(err.Error() + "\n" + string(out))
		}
	})
	if programs.err != nil {
		t.Fatalf("build the programs: %v", programs.err)
	}
	if runtime.GOOS == "windows" {
		name += ".exe"
	}
	return filepath.Join(programs.dir, name)
}

// A process is a started program that printed its ready line.
type process struct {
	t     testing.TB
	cmd   *exec.Cmd
	ready map[string]any
	errs  *lockedBuffer
	done  chan struct{}
}

// start runs a program until its ready line; it is ended with the test.
func start(t testing.TB, name string, args ...string) *process {
	t.Helper()
	p := &process{t: t, cmd: exec.Command(program(t, name), args...), errs: &lockedBuffer{}, done: make(chan struct{})}
	p.cmd.Stderr = p.errs
	out, err := p.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.kill)
	line := make(chan string, 1)
	go func() {
		r := bufio.NewReader(out)
		s, _ := r.ReadString('\n')
		line <- s
		io.Copy(io.Discard, r)
		p.cmd.Wait()
		close(p.done)
	}()
	select {
	case s := <-line:
		if err := json.Unmarshal([]byte(s), &p.ready); err != nil {
			t.Fatalf("%s %v: ready line %q: %v\n%s", name, args, s, err, p.errs)
		}
	case <-time.After(patience):
		t.Fatalf("%s %v: no ready line\n%s", name, args, p.errs)
	}
	return p
}

func (p *process) url(key string) string {
	s, ok := p.ready[key].(string)
	if !ok {
		p.t.Fatalf("ready line %v has no %q", p.ready, key)
	}
	return s
}

// kill is SIGKILL: the process gets no word in.
func (p *process) kill() {
	p.cmd.Process.Kill()
	<-p.done
}

// stop asks politely and waits.
func (p *process) stop() {
	p.t.Helper()
	if err := p.cmd.Process.Signal(os.Interrupt); err != nil {
		p.t.Fatal(err)
	}
	select {
	case <-p.done:
	case <-time.After(patience):
		p.t.Fatalf("%v did not end when asked\n%s", p.cmd.Args, p.errs)
	}
}

type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lockedBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lockedBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

// say runs a command to its end and gives its output, its error text and its
// exit code.
func say(t *testing.T, name string, args ...string) (out, errs string, code int) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	cmd := exec.CommandContext(ctx, program(t, name), args...)
	var o, e bytes.Buffer
	cmd.Stdout, cmd.Stderr = &o, &e
	err := cmd.Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatalf("%s %v: %v", name, args, err)
	}
	return o.String(), e.String(), cmd.ProcessState.ExitCode()
}

// must runs a command that has to succeed.
func must(t *testing.T, name string, args ...string) string {
	t.Helper()
	out, errs, code := say(t, name, args...)
	if code != 0 {
		t.Fatalf("%s %s: exit %d: %s%s", name, strings.Join(args, " "), code, out, errs)
	}
	return out
}

// read runs a command that prints JSON and reads it.
func read[T any](t *testing.T, name string, args ...string) (v T) {
	t.Helper()
	out := must(t, name, args...)
	if err := json.Unmarshal([]byte(out), &v); err != nil {
		t.Fatalf("%s %s: %q: %v", name, strings.Join(args, " "), out, err)
	}
	return v
}

// until waits for a condition, and says what it waited for.
func until(t *testing.T, what string, ok func() bool) {
	t.Helper()
	deadline := time.Now().Add(patience)
	for !ok() {
		if time.Now().After(deadline) {
			t.Fatalf("waited in vain: %s", what)
		}
		time.Sleep(50 * time.Millisecond)
	}
}
