// Command condica-hub is the hub: it serves the offices' PCs, and lets IT look
// and act from the command line, also while the hub runs. It keeps all it
// knows in one data folder.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"
	_ "time/tzdata" // the offices' calendar, on machines that have none

	"github.com/alecthomas/kong"
)

// version is set when a release is built.
var version = "unversioned"

type commands struct {
	Serve    serveCmd    `cmd:"" help:"Run the hub in the foreground until Ctrl-C."`
	Token    tokenCmd    `cmd:"" help:"Tokens with which PCs enrol."`
	Bookings bookingsCmd `cmd:"" help:"Make, change and list bookings."`
	Log      logCmd      `cmd:"" help:"Every edit of an office: position, author, stamps, verdict."`
	Offices  officesCmd  `cmd:"" help:"The offices and how they stand."`
	Devices  devicesCmd  `cmd:"" help:"The PCs of an office."`
	Settings settingsCmd `cmd:"" help:"Signed settings for the PCs."`
	PIN      pinCmd      `cmd:"" name:"pin" help:"Draw a PIN for a clerk, and print the line for settings.yaml."`
	Carry    carryCmd    `cmd:"" help:"Take what a PC without a line has written into a file, and write the answer."`
	Revoke   revokeCmd   `cmd:"" help:"Shut a PC out, at once and for good."`
	Backup   backupCmd   `cmd:"" help:"Copy the hub's whole database into a file, while the hub runs."`
	Keys     keysCmd     `cmd:"" help:"Write the hub's keys into a file, or give them to a new hub."`

	Version kong.VersionFlag `help:"Print the version and exit."`
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	os.Exit(run(ctx, os.Args[1:], os.Stdout, os.Stderr))
}

// run is the whole command. Exit code 1 is a fault said in one sentence, 2 a
// wrong use.
func run(ctx context.Context, args []string, out, errOut io.Writer) int {
	var c commands
	exit := -1
	parser, err := kong.New(&c, kong.Name("condica-hub"), kong.Description("The hub of Condica."),
		kong.Vars{"version": version}, kong.Writers(out, errOut), kong.Exit(func(code int) { exit = code }),
		kong.BindTo(ctx, (*context.Context)(nil)), kong.BindTo(out, (*io.Writer)(nil)),
		kong.ConfigureHelp(kong.HelpOptions{Compact: true}))
	if err != nil {
		fmt.Fprintln(errOut, "condica-hub:", err)
		return 2
	}
	if len(args) == 0 {
		args = []string{"--help"}
	}
	k, err := parser.Parse(args)
	if exit >= 0 { // --help and --version have answered
		return exit
	}
	if err != nil {
		fmt.Fprintf(errOut, "condica-hub: %v; condica-hub --help lists what there is\n", err)
		return 2
	}
	var wrong *usageError
	switch err := k.Run(); {
	case errors.As(err, &wrong):
		fmt.Fprintln(errOut, "condica-hub:", err)
		return 2
	case err != nil:
		fmt.Fprintln(errOut, "condica-hub:", err)
		return 1
	}
	return 0
}

// A usageError is a wrong use that the parser could not see.
type usageError struct{ say string }

func (e *usageError) Error() string { return e.say }

func wrongUse(format string, args ...any) error { return &usageError{fmt.Sprintf(format, args...)} }
