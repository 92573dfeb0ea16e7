package page

import (
	"net/http"

	"condica/spclep"
)

// drawnField says in a form for whom it was drawn.
const drawnField = "pentru"

// drawnFor is whose the forms of a page are; empty where the office has no
// accounts.
func drawnFor(r *http.Request) string { return visitorOf(r).name }

// otherClerk is the code of the refusal below.
const otherClerk = "other-clerk"

// stillTheirs refuses a form that was drawn for another clerk than the one who
// is signed in now. A script sees the change and draws the page anew; without
// one, somebody may have taken the seat in another tab of the browser, and would
// answer for what they never saw.
func stillTheirs(r *http.Request) error {
	drawn, now := r.PostForm.Get(drawnField), drawnFor(r)
	if drawn == "" || now == "" || drawn == now {
		return nil
	}
	return &spclep.Refusal{
		Code: otherClerk, Say: "the form was opened by " + drawn + ", and " + now + " is at work now: look at it and send it again",
		Text: "Formularul a fost deschis de " + drawn + "; acum lucrează " + now + ": verificați și trimiteți din nou.",
		Args: map[string]string{"drawn": drawn, "now": now},
	}
}
