package code

import (
	"bytes"
	"fmt"

	qrcode "github.com/skip2/go-qrcode"
)

// SVG draws a QR of the text as an SVG picture with a quiet zone of four
// modules, one unit a module, so that a printer may scale it without blur. It
// is drawn from the bitmap: the library's own pictures have uneven modules,
// and it panics on its own faults, which becomes an error here.
func SVG(text string) (svg []byte, err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("draw code: %v", r)
		}
	}()
	q, err := qrcode.New(text, qrcode.Medium)
	if err != nil {
		return nil, fmt.Errorf("draw code: %w", err)
	}
	rows := q.Bitmap() // includes the quiet zone
	var b bytes.Buffer
	n := len(rows)
	fmt.Fprintf(&b, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" shape-rendering="crispEdges" role="img" aria-label="Cod QR"><path fill="#fff" d="M0 0h%dv%dH0z"/><path fill="#000" d="`, n, n, n, n)
	for y, row := range rows {
		for x := 0; x < n; x++ {
			from := x
			for x < n && row[x] {
				x++
			}
			if x > from {
				fmt.Fprintf(&b, "M%d %dh%dv1H%dz", from, y, x-from, from)
			}
		}
	}
	b.WriteString(`"/></svg>`)
	return b.Bytes(), nil
}

// PNG draws the QR as a picture file for an e-mail, eight pixels a module.
func PNG(text string) (png []byte, err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("draw code: %v", r)
		}
	}()
	q, err := qrcode.New(text, qrcode.Medium)
	if err != nil {
		return nil, fmt.Errorf("draw code: %w", err)
	}
	return q.PNG(-8) // negative: whole pixels a module
}
