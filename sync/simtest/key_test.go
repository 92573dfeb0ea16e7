package simtest

import (
	"context"
	"encoding/json"
	"errors"

	"condica/sync/wire"
)

// comeBack asks a hub that has lost this PC for its place.
func (p *pc) comeBack() {
	if p.asking {
		return
	}
	p.asking = true
	p.enroll(wire.Enroll{Cert: p.cert, Pub: pub(p.key)}, "", func(e wire.Enrolled) {
		if err := p.db.SetOffice(context.Background(), e); err != nil && !errors.Is(err, errFull) {
			p.w.fail("%s: %v", p.name, err)
		}
		p.asked()
	}, p.asked)
}

// asked: the hub has answered, or not; meanwhile the key may have been lost.
func (p *pc) asked() {
	p.asking = false
	if p.silent {
		p.rekey()
	}
}

// rekey takes another name: first the key, then the hub's word, then the log,
// then the key's place; it may end between any two.
func (p *pc) rekey() {
	p.silent = true
	if p.asking || p.gone {
		return
	}
	p.asking, p.m = true, nil
	if p.next == nil {
		p.next = p.makeKey()
		p.disk.step("a new key was made")
	}
	marks, err := p.db.UnsentMarks(context.Background())
	p.w.must(err)
	ask := wire.Enroll{Pub: pub(p.next), Old: p.db.Device(), Unsent: marks}
	life := p.life
	again := func() {
		p.w.in(second+p.w.r.Int64N(minute), func() {
			if p.life == life {
				p.asking = false
				p.alive(p.rekey)
			}
		})
	}
	p.enroll(ask, "old", func(e wire.Enrolled) {
		p.newCert = e.Cert // on the disk before the log has the new name
		if err := p.db.Rekey(context.Background(), e); err != nil {
			if !errors.Is(err, errFull) {
				p.w.fail("%s: %v", p.name, err)
			}
			again()
			return
		}
		p.disk.step("the log has the new name")
		p.key, p.next, p.cert, p.silent = p.next, nil, e.Cert, false
		p.w.say("%s goes on as %s", p.name, e.Device)
		if free := p.free(); len(free) > 0 {
			p.w.fail("%s has another name, and gives the numbers %v that another machine may have too", p.name, free)
		}
		p.start()
	}, again)
}

// enroll asks the hub for a place.
func (p *pc) enroll(ask wire.Enroll, signed string, then func(wire.Enrolled), fail func()) {
	ask.V, ask.Name = wire.Version, p.name
	body, err := wire.Encode(ask)
	p.w.must(err)
	l := letter{path: "/v1/enroll", body: body}
	if signed != "" {
		p.counter++
		l.signature = wire.SignRequest(p.key, p.counter, l.path, body)
	}
	life := p.life
	p.w.post(l, false, func(b []byte, err error) {
		if p.life != life || p.gone {
			return
		}
		var e wire.Enrolled
		if err == nil {
			err = json.Unmarshal(b, &e)
		}
		if err == nil && e.Device != wire.DeviceOf(ask.Pub) {
			err = errors.New("the answer is for another device")
		}
		p.alive(func() {
			if err != nil {
				p.w.say("%s asks for its place: %v", p.name, err)
				word := &wire.Problem{}
				switch errors.As(err, &word); {
				case word.Code == "unknown-device" && signed != "":
					p.oldFirst()
				case word.Code == "retired" && signed == "":
					p.asking = false
					p.rekey()
					return
				}
				fail()
				return
			}
			then(e)
		})
	})
}

// oldFirst: the hub has lost the device whose key signs; it has to come back
// before it can be followed.
func (p *pc) oldFirst() {
	p.enroll(wire.Enroll{Cert: p.cert, Pub: pub(p.key)}, "", func(wire.Enrolled) {}, func() {})
}
