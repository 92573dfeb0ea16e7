module condica

go 1.26.8

// Each with its reason; what could be a page of our own code is.
require (
	github.com/alecthomas/kong v1.17.0 // command lines: verbs, help and errors out of struct tags
	github.com/hashicorp/go-retryablehttp v0.7.8 // sync/link: second tries of a request whose connection broke
	github.com/kardianos/service v1.3.0 // installer: one door to systemd and the Windows service manager
	github.com/klauspost/compress v1.20.3 // sync/wire: zstd, a tenth of the bytes on a village line
	github.com/skip2/go-qrcode v0.0.0-20200617195104-da1b6568686e // spclep/code: the booking's QR
	go.yaml.in/yaml/v3 v3.0.6 // spclep: the reference bundle, with a line number for every mistake
	golang.org/x/crypto v0.58.0 // agent/clerk: Argon2id (RFC 9106), so that six digits cannot be tried by the million
	golang.org/x/sys v0.49.0 // agent: running time since power-on, file locks, the Windows service manager
	golang.org/x/text v0.43.0 // letters without their marks
	modernc.org/sqlite v1.61.1 // localdb, hub/store/sqlite: SQLite without cgo, so one static binary for each system
)

// Tests only.
require (
	github.com/chromedp/cdproto v0.159.0
	github.com/chromedp/chromedp v0.23.0 // stories in a real Chromium
	github.com/rickar/cal/v2 v2.1.26 // an independent word on Romanian holidays; named exactly, v2.1.13 lacks 6 and 7 January
)

require (
	github.com/dustin/go-humanize v1.1.0 // indirect
	github.com/go-json-experiment/json v0.0.0-20260213210345-44df1a37e875 // indirect
	github.com/google/uuid v1.6.0 // indirect
	github.com/hashicorp/go-cleanhttp v0.5.2 // indirect
	github.com/mattn/go-isatty v0.0.24 // indirect
	github.com/ncruces/go-strftime v1.1.0 // indirect
	github.com/remyoudompheng/bigfft v0.0.0-20230129092748-24d4a6f8daec // indirect
	modernc.org/libc v1.79.0 // indirect; exactly what modernc.org/sqlite names, held by docs/house_test.go
	modernc.org/mathutil v1.7.1 // indirect
	modernc.org/memory v1.12.1 // indirect
)

// A test of SQLite's asks for a version that proxies do not serve; without
// this go mod tidy fails. Nothing of it is built.
replace github.com/google/pprof => github.com/google/pprof v0.0.0-20260709232956-b9395ee17fa0
