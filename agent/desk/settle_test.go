package desk

import (
	"testing"
	"time"

	"condica/spclep"
)

// One card, handed out at both desks while the line was down. The clerk cannot
// wave it away; the head of service settles it with a reason, and takes that
// back when it was wrong.
func TestSettleTwoHandOvers(t *testing.T) {
	c := newCounter(t, "covasna")
	c.booked("R12", monday, "09:20")
	c.must("check in", c.desk.CheckIn())
	c.bringAll()
	c.must("file", c.desk.File(Application{Despite: "actele au fost văzute la celălalt ghișeu"}))
	c.must("ready", c.desk.MarkReady())
	c.clock(monday + " 13:10")
	again, err := c.desk.HandOver("holder", "", false)(c.booking(), c.moment())
	if err != nil {
		t.Fatal(err)
	}
	c.must("hand over", c.desk.HandOver("holder", "", false))
	c.write(2, again) // the other desk had not heard of it
	if !c.booking().Visit.TwoHandOvers {
		t.Fatal("one card was handed out twice, and nobody is alarmed")
	}
	c.desk.Role = RoleClerk
	c.refused("the clerk settles", "head-only", c.desk.Settle("titularul are actul"))
	c.desk.Role = RoleHead
	c.refused("no reason", "settle-no-reason", c.desk.Settle("  "))
	c.must("settle", c.desk.Settle("titularul are actul; a doua predare a fost notată din greșeală"))
	settled := c.last
	if b := c.booking(); b.Visit.TwoHandOvers || b.NeedsPerson() || b.Visit.State != spclep.StateHandedOver {
		t.Fatalf("after settling: %+v", b.Visit)
	}
	c.refused("settled already", "nothing-to-settle", c.desk.Settle("încă o dată"))
	c.must("take the settling back", c.desk.Undo(settled, "am verificat greșit"))
	if !c.booking().Visit.TwoHandOvers {
		t.Error("the settling was taken back, and nobody is alarmed")
	}
}

// Within the office's limit anybody takes a step back; later only the head of
// service does.
func TestUndoWithinTheLimit(t *testing.T) {
	c := newCounter(t, "covasna")
	c.desk.UndoFor, c.desk.Role = 24*time.Hour, RoleClerk
	c.booked("R01", monday, "09:20")
	c.must("check in", c.desk.CheckIn())
	arrived := c.last
	c.clock("2026-11-24 09:21")
	c.refused("a day later", "undo-late", c.desk.Undo(arrived, "nu era persoana"))
	c.desk.Role = RoleUntold
	c.refused("where nobody can be told from another", "undo-late", c.desk.Undo(arrived, "nu era persoana"))
	c.desk.Role = RoleHead
	c.must("the head of service", c.desk.Undo(arrived, "nu era persoana"))
	c.state(spclep.StateBooked)
}

// What needs the head of service is refused to a clerk, whatever name is written.
func TestHeadOnly(t *testing.T) {
	c := newCounter(t, "covasna")
	c.desk.Role = RoleClerk
	c.refused("an urgency", "head-only", c.desk.WalkIn(Walk{Name: "Ana Exemplu", Reason: "R01", Urgent: true, Approved: "Șef Exemplu", Why: "zbor mâine"}))
	c.booked("R12", monday, "09:20")
	c.must("check in", c.desk.CheckIn())
	c.must("file", c.desk.File(Application{Despite: "le aduce mâine"}))
	c.refused("more days", "head-only", c.desk.Extend(5, "verificări"))
	c.desk.Role = RoleHead
	c.must("more days", c.desk.Extend(5, "verificări"))
}
