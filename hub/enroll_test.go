package hub_test

import (
	"testing"
	"time"

	"condica/sync/wire"
)

// join tries to enrol a PC and gives the answer or the problem's code.
func (tw *town) join(secret, name string) (wire.Enrolled, string) {
	tw.t.Helper()
	return tw.enrols(&pc{town: tw, key: keyOf(name)}, wire.Enroll{Secret: secret, Name: name})
}

// enrols sends an enrolment for the PC's key, signed by other keys if they are
// named, and gives the answer or the problem's code.
func (tw *town) enrols(p *pc, ask wire.Enroll, signers ...*pc) (wire.Enrolled, string) {
	tw.t.Helper()
	ask.V, ask.Pub = wire.Version, p.pub()
	body := mustJSON(tw.t, ask)
	header := map[string]string{}
	for _, s := range signers {
		header[wire.SignatureHeader] = wire.SignRequest(s.key, 1, "/v1/enroll", body)
	}
	var out struct {
		wire.Enrolled
		wire.Problem
	}
	status := (&pc{town: tw}).post("/v1/enroll", body, header, &out)
	if (status == 200) != (out.Problem.Code == "") {
		tw.t.Fatalf("status %d with code %q", status, out.Problem.Code)
	}
	return out.Enrolled, out.Problem.Code
}

// A token lets in the first PC that brings it, and that one again, since the
// first answer may have been lost; nobody else, and nobody after its time.
func TestEnrolment(t *testing.T) {
	tw := newTown(t)
	tok := tw.token("covasna")
	if _, code := tw.join("invented", "pc"); code != "token-unknown" {
		t.Errorf("an invented token: %q", code)
	}
	first, code := tw.join(tok.Secret, "pc one")
	if code != "" || first.Office != "covasna" || first.Desk != 1 || first.Epoch == "" || first.HubMs != noon || len(first.Keys) != 1 || first.Device != wire.DeviceOf((&pc{key: keyOf("pc one")}).pub()) {
		t.Errorf("the first PC got %+v, %q", first, code)
	}
	if _, code := tw.join(tok.Secret, "pc two"); code != "token-used" {
		t.Errorf("a second PC with the same token: %q", code)
	}
	tw.now += 3 * time.Hour.Milliseconds() // beyond the token's hour
	if again, code := tw.join(tok.Secret, "pc one"); code != "" || again.Device != first.Device || again.Desk != 1 || again.Epoch != first.Epoch {
		t.Errorf("the first PC again got %+v, %q", again, code)
	}
	late := tw.token("covasna")
	tw.now = late.Expires
	if _, code := tw.join(late.Secret, "pc two"); code != "token-expired" {
		t.Errorf("a token at the end of its time: %q", code)
	}
	if second, code := tw.join(tw.token("covasna").Secret, "pc two"); code != "" || second.Desk != 2 {
		t.Errorf("the second PC got %+v, %q", second, code)
	}
	if _, code := tw.join(tw.token("botosani").Secret, "pc two"); code != "device-elsewhere" {
		t.Errorf("the same key in another office: %q", code)
	}
}

// A revoked key stays out, and its number in the office is not given again:
// registration numbers begin with it.
func TestEnrolmentAfterRevocation(t *testing.T) {
	tw := newTown(t)
	p := tw.enrol("stolen", "covasna")
	if err := tw.hub.Revoke(t.Context(), p.device()); err != nil {
		t.Fatal(err)
	}
	fresh := tw.token("covasna")
	if _, code := tw.join(fresh.Secret, "stolen"); code != "revoked" {
		t.Errorf("the stolen PC: %q", code)
	}
	if e, code := tw.join(fresh.Secret, "new"); code != "" || e.Desk != 2 {
		t.Errorf("the new PC got desk %d, %q; the stolen one must not have used up its token", e.Desk, code)
	}
}

func TestEnrolmentWrongInput(t *testing.T) {
	tw := townInMemory(t)
	p := &pc{town: tw, key: keyOf("pc")}
	for name, body := range map[string]string{
		"not JSON":     "<html>log in</html>",
		"no key":       `{"v":1,"secret":"x"}`,
		"far version":  `{"v":9,"secret":"x","pub":"` + "AAAA" + `"}`,
		"name no text": "{\"v\":1,\"secret\":\"x\",\"name\":5}",
	} {
		var got wire.Problem
		if status := p.post("/v1/enroll", []byte(body), nil, &got); status != 400 || got.Say == "" {
			t.Errorf("%s: %d %+v", name, status, got)
		}
	}
	if _, err := tw.hub.NewToken(t.Context(), "nowhere", time.Hour, tw.url, ""); err == nil {
		t.Error("a token for an office that is not in the bundle")
	}
}
