package simtest

import (
	"fmt"
	"math/rand/v2"
	"reflect"
	"strconv"
	"strings"
)

// options are the weather of one storm. All come from its seed, so that a seed
// is a storm; a failure prints them.
type options struct {
	Offices, PCs, Bookings, Actions int
	Minutes                         int // that the storm lasts
	Poll                            bool
	PollEvery                       int // minutes, where there are no long polls

	// Of 100 letters.
	LoseRequest, LoseAnswer, Double, Late, TearRequest, TearAnswer, Status, Captive int
	// How often, each lasting a part of the storm.
	OneWay, HubDown, HubSlow, DaysLate int

	// The PCs' service and power.
	Crash               int // permille of the steps that touch the disk
	Restart, Reboot     int
	PowerCut            int // of 100 ends of the service
	DiskFull            int
	LoseDB, LoseJournal int
	TornDB              int // of 100 power cuts: the database does not survive
	Corrupt             int // silent damage to one row

	// Clocks.
	WrongClock, SetClock, Sleep, Drift bool
	DeadBattery                        bool // each time it is switched on the PC begins at 2009
	Coarse                             bool // clocks show whole seconds, and people act on them: many stamps are equal

	// Machines that are not who they seem.
	RestoreHub, LoseHub, RestorePC, ReplacePC, Clone int

	Poison, Purge   int
	SkewPC, SkewHub int // versions away
	File            int // applications taken, each on a booking of its own
	SQLite          bool
}

// derive draws a storm: most kinds of mischief are absent from most storms, so
// that each meets few others often and all others sometimes.
func derive(seed uint64, sqlite bool) options {
	r := rand.New(rand.NewPCG(seed, 1))
	some := func(most, percent int) int {
		if r.IntN(100) >= percent {
			return 0
		}
		return 1 + r.IntN(most)
	}
	o := options{
		Offices: 1 + some(2, 20), PCs: 2 + r.IntN(3), Bookings: 1 + r.IntN(4), Actions: 3 + r.IntN(18),
		Minutes:     5 + r.IntN(90),
		LoseRequest: some(40, 40), LoseAnswer: some(40, 40), Double: some(30, 30), Late: some(30, 30), TearRequest: some(20, 15), TearAnswer: some(20, 15), Status: some(30, 20), Captive: some(30, 15),
		OneWay: some(2, 15), HubDown: some(2, 30), HubSlow: some(2, 15), DaysLate: some(3, 10),
		Crash: some(30, 40), Restart: some(4, 30), Reboot: some(3, 30), PowerCut: some(100, 50), DiskFull: some(2, 15), LoseDB: some(2, 20), LoseJournal: some(2, 12), Corrupt: some(3, 20),
		WrongClock: r.IntN(2) == 0, SetClock: r.IntN(4) == 0, Sleep: r.IntN(6) == 0, Drift: r.IntN(4) == 0,
		RestoreHub: some(2, 20), LoseHub: some(1, 5), RestorePC: some(2, 15), ReplacePC: some(1, 8), Clone: some(1, 15),
		Poison: some(3, 15), Purge: some(3, 15), SQLite: sqlite,
	}
	if o.PowerCut > 0 {
		o.TornDB = some(60, 40)
	}
	o.Coarse, o.DeadBattery = r.IntN(8) == 0, r.IntN(10) == 0
	o.PollEvery = 1 + o.Minutes/(1+r.IntN(6))
	if r.IntN(40) == 0 {
		o.Poll, o.Minutes = true, 2+r.IntN(10)
	}
	if r.IntN(5) == 0 {
		o.SkewPC = r.IntN(5) - 2
	}
	if r.IntN(5) == 0 {
		o.SkewHub = r.IntN(5) - 2
	}
	if r.IntN(20) == 0 {
		o.PCs = 5
	}
	if r.IntN(40) == 0 {
		o.Minutes = 60 * (2 + r.IntN(70)) // days
		o.PollEvery = 60 + r.IntN(300)
		o.Poll = false
	}
	o.File = some(20, 60)
	return o
}

// weather reads what String writes.
func weather(text string) (o options, err error) {
	v := reflect.ValueOf(&o).Elem()
	for _, f := range strings.Fields(text) {
		name, value, _ := strings.Cut(f, "=")
		field := v.FieldByName(name)
		switch {
		case !field.IsValid():
			err = fmt.Errorf("no weather is called %s", name)
		case field.Kind() == reflect.Bool:
			field.SetBool(value == "true")
		default:
			var n int
			n, err = strconv.Atoi(value)
			field.SetInt(int64(n))
		}
		if err != nil {
			return o, err
		}
	}
	return o, nil
}

// String names what is not zero.
func (o options) String() string {
	type plain options
	var out []string
	for _, f := range strings.Fields(strings.Trim(fmt.Sprintf("%+v", plain(o)), "{}")) {
		if name, v, _ := strings.Cut(f, ":"); v != "0" && v != "false" {
			out = append(out, name+"="+v)
		}
	}
	return strings.Join(out, " ")
}
