package console

import (
	"bytes"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strconv"
	"sync"

	"condica/hub"
	"condica/spclep"
	"condica/sync/wire"
)

// An answered is a file that was taken, and what is carried back.
type answered struct {
	hub.Carried
	Ticket string
	file   []byte
}

// answers are held in memory, and nowhere else, until they are fetched: a form
// has no room for a page and a file. What is let go, or lost with the process, is
// written anew from the same request.
type answers struct {
	mu  sync.Mutex
	all []answered // the newest last
}

// keep lets the oldest go until no more than wire.MaxCarriedFile bytes are held,
// or the newest alone.
func (a *answers) keep(one answered) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.all = append(a.all, one)
	size := 0
	for i, one := range slices.Backward(a.all) {
		if size += len(one.file); size > wire.MaxCarriedFile && i < len(a.all)-1 {
			a.all = slices.Clone(a.all[i+1:])
			return
		}
	}
}

var errLetGo = errors.New("the answer is not held any more")

func (a *answers) of(ticket string) (answered, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, one := range a.all {
		if one.Ticket == ticket {
			return one, nil
		}
	}
	return answered{}, errLetGo
}

// carryPage is the form, and why the last file was not taken.
type carryPage struct{ Refused string }

func (p *pages) carryForm(w http.ResponseWriter, _ *http.Request) error {
	return p.showCarry(w, http.StatusOK, "")
}

func (p *pages) showCarry(w http.ResponseWriter, status int, refused string) error {
	return p.show(w, status, "carry", frame{Title: "Fișiere pe stick", Body: carryPage{refused}})
}

// carry takes the file of a PC without a line.
func (p *pages) carry(w http.ResponseWriter, r *http.Request) error {
	file, err := fileOf(w, r)
	var large *http.MaxBytesError
	switch {
	case errors.As(err, &large):
		return p.showCarry(w, http.StatusRequestEntityTooLarge, whyNot("too-large"))
	case err != nil || len(file) == 0:
		return p.showCarry(w, http.StatusUnprocessableEntity, "Alegeți fișierul cu cererea PC-ului, apoi apăsați din nou.")
	}
	var out bytes.Buffer
	done, err := p.hub.Carry(r.Context(), file, &out)
	if code, ok := hub.CarryReason(err); ok {
		return p.showCarry(w, http.StatusUnprocessableEntity, whyNot(code))
	}
	if err != nil {
		return err
	}
	var ticket [16]byte
	if _, err := io.ReadFull(p.hub.Random, ticket[:]); err != nil {
		return err
	}
	one := answered{done, hex.EncodeToString(ticket[:]), out.Bytes()}
	p.answers.keep(one)
	http.Redirect(w, r, "/carry/"+one.Ticket, http.StatusSeeOther)
	return nil
}

// fileOf reads the form's file into memory: of what is personal no copy is left
// on the disk.
func fileOf(w http.ResponseWriter, r *http.Request) ([]byte, error) {
	r.Body = http.MaxBytesReader(w, r.Body, wire.MaxCarriedFile)
	if err := r.ParseMultipartForm(wire.MaxCarriedFile); err != nil {
		return nil, err
	}
	f, _, err := r.FormFile("request")
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return io.ReadAll(f)
}

// carriedPage says what became of a file.
type carriedPage struct {
	answered
	Office spclep.Office
	KB     int // size of the answer
}

func (p *pages) carried(w http.ResponseWriter, r *http.Request) error {
	one, err := p.answers.of(r.PathValue("ticket"))
	if err != nil {
		return err
	}
	o, err := p.hub.Rules(spclep.OfficeID(one.Carried.Office)).Office(spclep.OfficeID(one.Carried.Office))
	if err != nil {
		return err
	}
	return p.show(w, http.StatusOK, "carried", frame{Title: "Fișier primit", Body: carriedPage{one, o, (len(one.file) + 1023) / 1024}})
}

// answer gives the file that goes back to the PC. Its name has the number of the
// request and the PC's key: one stick may hold the answers to several.
func (p *pages) answer(w http.ResponseWriter, r *http.Request) error {
	one, err := p.answers.of(r.PathValue("ticket"))
	if err != nil {
		return err
	}
	h := w.Header()
	h.Set("Content-Type", "application/octet-stream")
	h.Set("Content-Disposition", fmt.Sprintf(`attachment; filename="condica-raspuns-%d-%s.condica"`, one.Number, one.Device))
	h.Set("Content-Length", strconv.Itoa(len(one.file)))
	w.Write(one.file) // an error here is the browser having gone
	return nil
}

// whyNot says why a file was not taken, and that nothing of it was.
func whyNot(code string) string {
	return orItself(map[string]string{
		wire.CarriedForeign: "Acesta nu este fișierul cu cererea unui PC, cel scris la oficiu cu „Scrie pe stick”.",
		wire.CarriedCut:     "Fișierul nu este întreg: îi lipsește sfârșitul. Copiați-l din nou.",
		wire.CarriedChanged: "Fișierul nu este așa cum l-a scris PC-ul. Copiați-l din nou.",
		"signature":         "Semnătura nu se potrivește: fișierul a fost schimbat sau nu este al acestui PC. Copiați-l din nou.",
		"unknown-device":    "Hub-ul nu cunoaște PC-ul care a scris fișierul. PC-ul trebuie înrolat, iar pentru aceasta are nevoie de linie.",
		"revoked":           "PC-ul care a scris fișierul a fost retras. De la el nu se mai primește nimic.",
		"retired":           "Cheia PC-ului este folosită și pe alt calculator sau a fost înlocuită. PC-ul își face singur alta, iar pentru aceasta are nevoie de linie.",
		"counter":           "Fișierul este prea vechi: de când a fost scris, hub-ul a auzit din nou PC-ul. Nimic nu s-a pierdut; scrieți pe PC un fișier nou.",
		"too-large":         "Fișierul este prea mare: nicio cerere a unui PC nu este atât de lungă.",
		"body":              "Fișierul nu poate fi despachetat. Scrieți pe PC un fișier nou.",
		"request":           "Hub-ul nu înțelege cererea din fișier. Comparați versiunea programului de pe PC cu a hub-ului.",
		"segment":           "Fișierul aduce înregistrări ale unui PC de la care hub-ul nu primește: este retras, înlocuit sau nu este al oficiului.",
		"busy":              "Hub-ul este ocupat. Încercați din nou peste un minut.",
	}, code) + " Din fișier nu s-a primit nimic."
}
