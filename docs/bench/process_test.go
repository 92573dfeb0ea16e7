package bench

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"time"
)

// build makes one program as make build does, and gives its path.
func build(tb testing.TB, dir, pkg string) string {
	tb.Helper()
	out := filepath.Join(dir, filepath.Base(pkg))
	if runtime.GOOS == "windows" {
		out += ".exe"
	}
	cmd := exec.Command("go", "build", "-trimpath", "-buildvcs=false", "-ldflags", "-s -w", "-o", out, pkg)
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if text, err := cmd.CombinedOutput(); err != nil {
		tb.Fatalf("build %s: %v\n%s", pkg, err, text)
	}
	return out
}

// A process is a started program that has printed its ready line.
type process struct {
	tb    testing.TB
	cmd   *exec.Cmd
	in    io.WriteCloser
	out   *bufio.Reader
	took  time.Duration // from its start to the ready line
	ready map[string]any
}

// start runs a program until its first line, a JSON object; it is ended with
// the test. Its error text goes where ours goes.
func start(tb testing.TB, dir, program string, args ...string) *process {
	tb.Helper()
	p := &process{tb: tb, cmd: exec.Command(program, args...)}
	p.cmd.Dir = dir
	errs, err := os.CreateTemp(tb.TempDir(), "stderr-")
	if err != nil {
		tb.Fatal(err)
	}
	defer errs.Close()
	p.cmd.Stderr = errs
	if p.in, err = p.cmd.StdinPipe(); err != nil {
		tb.Fatal(err)
	}
	out, err := p.cmd.StdoutPipe()
	if err != nil {
		tb.Fatal(err)
	}
	p.out = bufio.NewReader(out)
	began := time.Now()
	if err := p.cmd.Start(); err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(p.end)
	line, err := p.line()
	p.took = time.Since(began)
	if err == nil {
		err = json.Unmarshal([]byte(line), &p.ready)
	}
	if err != nil {
		text, _ := os.ReadFile(errs.Name())
		tb.Fatalf("%s %v: ready line %q: %v\n%s", program, args, line, err, text)
	}
	return p
}

// line reads the next line the process prints; one that says nothing for long
// is ended.
func (p *process) line() (string, error) {
	late := time.AfterFunc(2*time.Minute, func() { p.cmd.Process.Kill() })
	defer late.Stop()
	return p.out.ReadString('\n')
}

// end kills the process, unless it has ended already.
func (p *process) end() {
	if p.cmd.ProcessState == nil {
		p.cmd.Process.Kill()
		p.cmd.Wait()
	}
}

// status reads a size such as VmRSS from the kernel's word on the process, in
// bytes.
func (p *process) status(key string) float64 {
	p.tb.Helper()
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", p.cmd.Process.Pid))
	if err != nil {
		p.tb.Fatal(err)
	}
	for line := range strings.Lines(string(text)) {
		if kb, ok := strings.CutPrefix(line, key+":"); ok {
			n, err := strconv.ParseInt(strings.TrimSuffix(strings.TrimSpace(kb), " kB"), 10, 64)
			if err != nil {
				p.tb.Fatal(err)
			}
			return float64(n << 10)
		}
	}
	p.tb.Fatalf("the kernel does not tell %s", key)
	return 0
}

func size(tb testing.TB, path string) float64 {
	tb.Helper()
	st, err := os.Stat(path)
	if err != nil {
		tb.Fatal(err)
	}
	return float64(st.Size())
}

// until waits for a condition, and says what it waited for.
func until(tb testing.TB, what string, ok func() bool) {
	tb.Helper()
	untilEvery(tb, time.Millisecond, what, ok)
}

// untilEvery looks seldom, where looking takes time from what is measured.
func untilEvery(tb testing.TB, pause time.Duration, what string, ok func() bool) {
	tb.Helper()
	for deadline := time.Now().Add(2 * time.Minute); !ok(); time.Sleep(pause) {
		if time.Now().After(deadline) {
			tb.Fatalf("waited in vain: %s", what)
		}
	}
}
