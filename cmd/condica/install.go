package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"condica/agent"
	svc "condica/installer/service"
)

// Exit codes of the commands about the service, beside the common ones. They
// are listed in docs/install.md.
const (
	exitWarnings = 4 // doctor: the office can work, but something is to be done
	exitRights   = 5 // administrator's rights are needed
	exitAbsent   = 6 // the service is not installed
	exitLate     = 7 // the service manager was not done in time
)

// installCmds are the commands about the service as the system knows it.
type installCmds struct {
	Install   installCmd   `cmd:"" help:"Register the service, make its account and folder, and start it."`
	Uninstall uninstallCmd `cmd:"" help:"Stop the service and take it off the system's list; the data stay."`
	Start     startCmd     `cmd:"" help:"Start the service."`
	Stop      stopCmd      `cmd:"" help:"Stop the service and wait until it has ended."`
	Restart   restartCmd   `cmd:"" help:"Stop and start the service."`
	Doctor    doctorCmd    `cmd:"" help:"Examine the installation and say what is to be done."`
	Purge     purgeCmd     `cmd:"" help:"Remove the service and all its data from this PC."`
}

// A codedError has an exit code of its own.
type codedError struct {
	error
	code int
}

// ExitCode is what the process ends with.
func (e codedError) ExitCode() int { return e.code }
func (e codedError) Unwrap() error { return e.error }

// coded gives the service's errors their exit codes.
func coded(err error) error {
	for known, code := range map[error]int{svc.ErrRights: exitRights, svc.ErrAbsent: exitAbsent, svc.ErrLate: exitLate} {
		if errors.Is(err, known) {
			return codedError{err, code}
		}
	}
	return err
}

type installCmd struct {
	Token     string `placeholder:"TOKEN" help:"One-time token from the hub; the service enrols with it as soon as the hub answers."`
	TokenFile string `placeholder:"FILE" help:"Read the token from a file, or from standard input (-): a command line can be seen by others on this PC."`
	NoStart   bool   `help:"Make account, folder and token only; for packages, which bring the rest."`
}

func (c *installCmd) Run(e *env) error {
	token, err := c.token(os.Stdin)
	if err != nil {
		return err
	}
	if c.NoStart {
		if err := svc.Prepare(e.Ctx); err != nil {
			return coded(err)
		}
		return c.leave(e, token)
	}
	exe, err := ownPath()
	if err != nil {
		return err
	}
	changed, err := svc.Install(e.Ctx, svc.Config{Exe: exe})
	if err != nil {
		return coded(err)
	}
	if err := c.leave(e, token); err != nil {
		return err
	}
	// What was changed, or left, is read at the next start.
	start, say := svc.Start, "The service is installed and runs."
	if changed || token != "" {
		start = svc.Restart
	}
	if err := start(e.Ctx); err != nil {
		return coded(err)
	}
	_, err = fmt.Fprintln(e.Out, say)
	return err
}

func (c *installCmd) token(stdin io.Reader) (string, error) {
	var text []byte
	var err error
	switch c.TokenFile {
	case "":
		return c.Token, nil
	case "-":
		text, err = io.ReadAll(io.LimitReader(stdin, 16<<10))
	default:
		text, err = os.ReadFile(c.TokenFile)
	}
	if err != nil {
		return "", fmt.Errorf("read the token: %w", err)
	}
	if c.Token != "" {
		return "", usage("give --token or --token-file, not both")
	}
	if strings.TrimSpace(string(text)) == "" {
		return "", usage("the token file is empty")
	}
	return strings.TrimSpace(string(text)), nil
}

// leave leaves the token for the service. A PC that is enrolled already needs
// none: the same silent command may be run again on all PCs.
func (c *installCmd) leave(e *env, token string) error {
	if token == "" {
		return nil
	}
	err := svc.LeaveToken(svc.DataDir(), token)
	switch {
	case errors.Is(err, svc.ErrEnrolled):
		_, err = fmt.Fprintln(e.Out, "This PC is enrolled already; the token was not used.")
	case err == nil:
		_, err = fmt.Fprintln(e.Out, "The token is kept; the service enrols as soon as the hub answers.")
	case errors.Is(err, os.ErrPermission):
		err = codedError{err, exitRights}
	case !isFileError(err):
		err = &usageError{err}
	}
	return err
}

func isFileError(err error) bool {
	var path *os.PathError
	return errors.As(err, &path)
}

// ownPath is this program's own path, without links that may move.
func ownPath() (string, error) {
	exe, err := os.Executable()
	if err != nil {
		return "", err
	}
	return filepath.EvalSymlinks(exe)
}

type uninstallCmd struct{}

func (uninstallCmd) Run(e *env) error {
	if err := svc.Uninstall(e.Ctx); err != nil {
		return coded(err)
	}
	_, err := fmt.Fprintf(e.Out, "The service is removed. The data stay in %s.\n%s", svc.DataDir(), goneFromLAN(agent.Desks(svc.DataDir()), false))
	return err
}

type startCmd struct{}

func (startCmd) Run(e *env) error { return coded(svc.Start(e.Ctx)) }

type stopCmd struct{}

func (stopCmd) Run(e *env) error { return coded(svc.Stop(e.Ctx)) }

type restartCmd struct{}

func (restartCmd) Run(e *env) error { return coded(svc.Restart(e.Ctx)) }
