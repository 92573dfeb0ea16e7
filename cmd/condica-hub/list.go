package main

import (
	"bytes"
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"unicode/utf8"

	"condica/hub"
	"condica/spclep"
)

// row is a booking as it is typed.
type row struct{ office, name, email, reason, day, time string }

// ask reads it. The tick for the use of data (B26) was given where the booking
// was taken down; whoever imports or types it answers for that.
func (r row) ask() (hub.BookAsk, error) {
	for _, f := range []struct{ name, value string }{
		{"office", r.office}, {"name", r.name}, {"email", r.email}, {"reason", r.reason}, {"day", r.day}, {"time", r.time},
	} {
		if strings.TrimSpace(f.value) == "" {
			return hub.BookAsk{}, fmt.Errorf("%s is missing", f.name)
		}
	}
	day, err := spclep.ParseDay(r.day)
	if err != nil {
		return hub.BookAsk{}, err
	}
	at, err := spclep.ParseMinute(r.time)
	if err != nil {
		return hub.BookAsk{}, err
	}
	return hub.BookAsk{
		Office: spclep.OfficeID(r.office), Name: r.name, Email: r.email, Reason: spclep.Reason(strings.ToUpper(r.reason)),
		Day: day, At: at, Consent: true, By: by,
	}, nil
}

var columns = []string{"office", "name", "email", "reason", "day", "time"}

const maxList = 8 << 20 // bytes

func (c *addCmd) addFile(ctx context.Context, out io.Writer) error {
	if c.Office != "" || c.Name != "" || c.Email != "" || c.Reason != "" || c.Day != "" || c.Time != "" {
		return wrongUse("--file takes everything from the file; leave out --office, --name, --email, --reason, --day and --time")
	}
	asks, lines, err := readList(c.File)
	if err != nil {
		return fmt.Errorf("%s: %w", c.File, err)
	}
	return c.with(ctx, func(h *hub.Server) error {
		booked, err := h.BookAll(ctx, asks)
		if err != nil {
			return fmt.Errorf("nothing was booked: %w", byLine(c.File, lines, err))
		}
		return c.print(out, asks, booked, true)
	})
}

// readList reads all rows, and names every bad one.
func readList(file string) (asks []hub.BookAsk, lines []int, err error) {
	f, err := os.Open(file)
	if err != nil {
		var p *os.PathError
		if errors.As(err, &p) {
			err = p.Err
		}
		return nil, nil, err
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, maxList+1))
	switch {
	case err != nil:
		return nil, nil, err
	case len(text) > maxList:
		return nil, nil, fmt.Errorf("the list is longer than %d MB", maxList>>20)
	case !utf8.Valid(text):
		return nil, nil, errors.New("the list is not UTF-8; save it as CSV UTF-8")
	}
	text = bytes.TrimPrefix(text, []byte("\ufeff")) // as spreadsheets write it
	r := csv.NewReader(bytes.NewReader(text))
	if head, _, _ := bytes.Cut(text, []byte("\n")); bytes.Count(head, []byte(";")) >= len(columns)-1 {
		r.Comma = ';' // as spreadsheets in Romanian write it
	}
	head, err := r.Read()
	if err != nil || !slices.Equal(head, columns) {
		return nil, nil, fmt.Errorf("line 1: want the columns %s", strings.Join(columns, ","))
	}
	var bad []string
	for {
		f, err := r.Read()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, nil, err
		}
		line, _ := r.FieldPos(0)
		ask, err := row{f[0], f[1], f[2], f[3], f[4], f[5]}.ask()
		if err != nil {
			bad = append(bad, fmt.Sprintf("line %d: %v", line, err))
		}
		asks, lines = append(asks, ask), append(lines, line)
	}
	if len(bad) > 0 {
		return nil, nil, fmt.Errorf("nothing was booked: %s", strings.Join(bad, "; "))
	}
	return asks, lines, nil
}

// byLine says of each booking that could not be made which line it is from.
func byLine(file string, lines []int, err error) error {
	var all []error
	if many, ok := err.(interface{ Unwrap() []error }); ok {
		all = many.Unwrap()
	} else {
		all = []error{err}
	}
	var said []string
	for _, e := range all {
		var at *hub.AskError
		if !errors.As(e, &at) {
			return err
		}
		said = append(said, fmt.Sprintf("%s line %d: %v", file, lines[at.Index], refusal(at.Err)))
	}
	return errors.New(strings.Join(said, "; "))
}
