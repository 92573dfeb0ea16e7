// Command condica is the office agent: the service on the office PC, its
// command-line verbs, and the demo.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"
	_ "time/tzdata" // Windows has no Europe/Bucharest of its own

	"github.com/alecthomas/kong"

	"condica/spclep"
)

// Exit codes, for installers and scripts.
const (
	exitFault   = 1 // it could not be done
	exitUsage   = 2 // the command's words are off
	exitRefused = 3 // a rule of the office stands against it
)

type cli struct {
	Run     runCmd     `cmd:"" help:"Run the office PC's service in the foreground."`
	Enroll  enrollCmd  `cmd:"" help:"Join an office with a one-time token from the hub."`
	Demo    demoCmd    `cmd:"" help:"Run a hub and an office PC together, with made-up bookings."`
	Line    lineCmd    `cmd:"" help:"Cut or restore the demo's line to the hub."`
	Rules   rulesCmd   `cmd:"" help:"Show what the rules say: papers, fees, terms, slots, hours, who may collect."`
	Version versionCmd `cmd:"" help:"Print the program's version."`
	clientCmds
	installCmds
}

func main() { os.Exit(run(os.Args[1:], os.Stdout, os.Stderr)) }

// run is main with its world as arguments; it returns the exit code.
func run(args []string, out, errs io.Writer) int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	var c cli
	exited := -1
	parser, err := kong.New(&c, kong.Name("condica"), kong.Writers(out, errs),
		kong.Description("Condica keeps an SPCLEP office's bookings on its own PC and works when the line to the centre does not."),
		kong.UsageOnError(), kong.ConfigureHelp(kong.HelpOptions{Compact: true}),
		kong.Exit(func(code int) { exited = code }),
		kong.Vars{"data": defaultDir()})
	if err != nil {
		fmt.Fprintln(errs, "condica:", err)
		return exitFault
	}
	k, err := parser.Parse(args)
	if exited >= 0 { // --help has answered
		return exited
	}
	if err != nil {
		fmt.Fprintf(errs, "condica: %v (see condica --help)\n", err)
		return exitUsage
	}
	e := &env{Out: out, Err: errs, Ctx: ctx}
	if err := k.Run(e); err != nil {
		return report(errs, err)
	}
	return 0
}

// report says what went wrong in one sentence and picks the exit code.
func report(errs io.Writer, err error) int {
	fmt.Fprintln(errs, "condica:", err)
	var coded interface{ ExitCode() int }
	if errors.As(err, &coded) {
		return coded.ExitCode()
	}
	var usage *usageError
	if errors.As(err, &usage) {
		return exitUsage
	}
	if _, ok := spclep.Refused(err); ok || isRefusal(err) {
		return exitRefused
	}
	return exitFault
}

// A usageError is a wrong word on the command line that only its command could
// find.
type usageError struct{ err error }

func (u *usageError) Error() string { return u.err.Error() }
func (u *usageError) Unwrap() error { return u.err }
