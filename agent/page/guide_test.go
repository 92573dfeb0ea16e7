package page_test

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"testing"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	cdpage "github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"

	"condica/sync/wire"
)

// The pages that the clerk's guide shows, as drawings that keep their letters
// sharp: CONDICA_GUIDE names the folder. They are made by `make ghid`.
func TestGuidePictures(t *testing.T) {
	dir := os.Getenv("CONDICA_GUIDE")
	if dir == "" {
		t.Skip("CONDICA_GUIDE names no folder for the guide's pictures")
	}
	by := atOneBrowser(t)
	for _, s := range scenes() {
		wanted := map[string]string{"online/zi": "zi", "online/prezent": "vizita", "conflict/camp": "conflict", "online/sfarsit": "sfarsit"}
		t.Run(s.name, func(t *testing.T) {
			var b *browser
			for _, l := range s.looks {
				name, ok := wanted[s.name+"/"+l.name]
				if !ok {
					continue
				}
				if b == nil {
					b = s.opened(t, by)
					b.save(wire.Answer{Numbers: &wire.Numbers{From: 301, To: 800}, Desks: []wire.Desk{{Device: here, Desk: 1}, {Device: other, Desk: 2}}})
				}
				b.goes(l.path)
				b.drawing(filepath.Join(dir, name+".svg"))
			}
		})
	}
}

// drawing writes the upper part of the page, as it is on a screen.
func (b *browser) drawing(file string) {
	b.Helper()
	yes, none := true, 0.0
	pdf := filepath.Join(b.TempDir(), "page.pdf")
	b.must(chromedp.Do(b.ctx, chromedp.Func(func(ctx context.Context, t *chromedp.Target) error {
		if _, err := cdp.Call(ctx, t, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Media: "screen"}); err != nil {
			return err
		}
		out, err := cdp.Call(ctx, t, cdpage.PrintToPDF, cdpage.PrintToPDFParams{PaperWidth: 11.4, PaperHeight: 7.6, PrintBackground: &yes, PageRanges: "1",
			MarginTop: &none, MarginBottom: &none, MarginLeft: &none, MarginRight: &none})
		if err != nil {
			return err
		}
		if _, err := cdp.Call(ctx, t, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{}); err != nil {
			return err
		}
		return os.WriteFile(pdf, out.Data, 0o600)
	})))
	out, err := exec.Command("pdftocairo", "-svg", "-f", "1", "-l", "1", pdf, file).CombinedOutput()
	if err != nil {
		b.Fatalf("pdftocairo: %v\n%s", err, out)
	}
	svg, err := os.ReadFile(file)
	b.must(err)
	b.must(os.WriteFile(file, curves.ReplaceAllFunc(svg, func(d []byte) []byte { return digits.ReplaceAll(d, []byte("$1")) }), 0o644))
}

// Of the curves of letters, digits beyond a hundredth of a point are left out,
// which nobody sees.
var (
	curves = regexp.MustCompile(` d="[^"]*"`)
	digits = regexp.MustCompile(`(\.\d\d)\d+`)
)
