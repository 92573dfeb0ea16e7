// Command bare is what a program costs before it does anything for an office:
// the same four libraries, each used once, and no word of Condica.
package main

import (
	"database/sql"
	"fmt"
	"io"
	"log"
	"os"

	"github.com/hashicorp/go-retryablehttp"
	"github.com/kardianos/service"
	"github.com/skip2/go-qrcode"
	_ "modernc.org/sqlite"
)

type program struct{}

func (program) Start(service.Service) error { return nil }
func (program) Stop(service.Service) error  { return nil }

// main prints one line when all four have been used, and ends with its input.
func main() {
	if err := use(); err != nil {
		log.Fatal(err)
	}
	fmt.Println("{}")
	io.Copy(io.Discard, os.Stdin)
}

func use() error {
	db, err := sql.Open("sqlite", ":memory:")
	if err != nil {
		return err
	}
	if _, err := db.Exec(`CREATE TABLE t (x)`); err != nil {
		return err
	}
	// A port nobody listens on: the client is used, nothing leaves the machine.
	client := retryablehttp.NewClient()
	client.Logger, client.RetryMax = nil, 0
	if resp, err := client.Get("https://127.0.0.1:1/"); err == nil {
		resp.Body.Close()
	}
	if _, err := service.New(program{}, &service.Config{Name: "bare"}); err != nil {
		return err
	}
	_, err = qrcode.Encode("bare", qrcode.Medium, 128)
	return err
}
