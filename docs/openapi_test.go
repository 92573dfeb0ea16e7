package docs_test

import (
	"bytes"
	"crypto/ed25519"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"condica/agent/api"
	"condica/agent/api/apitest"
	"condica/hub"
	"condica/hub/store/memory"
	"condica/spclep"
	"condica/spclep/record"
	"condica/sync/hlc"
	"condica/sync/op"
	"condica/sync/wire"
)

// The local API answers to exactly what openapi.yaml lists, and takes exactly
// the fields it lists.
func TestLocalAPIRoutes(t *testing.T) {
	doc := openDocument(t, "openapi.yaml")
	documented := doc.operations()
	for _, r := range api.Routes() {
		name := r.Method + " /" + r.Path
		o, ok := documented[name]
		if !ok {
			t.Errorf("%s is not in the document", name)
			continue
		}
		delete(documented, name)
		body := doc.bodySchema(o)
		if (body == nil) != (r.Body == nil) {
			t.Errorf("%s: body in the document: %v, in the program: %v", name, body != nil, r.Body != nil)
			continue
		}
		if r.Body != nil {
			doc.sameKeys(name, body, reflect.TypeOf(r.Body))
		}
	}
	for name := range documented {
		t.Errorf("%s is in the document only", name)
	}
}

// A caller sends requests to a handler and holds each answer against the
// document.
type caller struct {
	t    *testing.T
	doc  document
	call func(method, path, body string) (int, []byte)
}

// ok sends one request, wants a 200 that fits, and gives the answer. route is
// the path as the document writes it.
func (c caller) ok(method, route, path, body string) map[string]any {
	c.t.Helper()
	status, out := c.call(method, path, body)
	if status != http.StatusOK {
		c.t.Fatalf("%s %s: status %d: %s", method, path, status, out)
	}
	o := c.doc.operations()[method+" "+route]
	c.doc.fits(method+" "+route, c.doc.answerSchema(o), out)
	if body != "" {
		c.doc.fits("body of "+route, c.doc.bodySchema(o), []byte(body))
	}
	var v map[string]any
	if err := json.Unmarshal(out, &v); err != nil {
		c.t.Fatal(err)
	}
	return v
}

// no wants a problem that fits.
func (c caller) no(method, path, body string, status int) {
	c.t.Helper()
	got, out := c.call(method, path, body)
	if got != status {
		c.t.Errorf("%s %s: status %d, want %d: %s", method, path, got, status, out)
	}
	c.doc.fits(method+" "+path, c.doc.schema("ErrorBody"), out)
}

// A day at the desk: every operation of the document answers, and every answer
// is as the document says - a whole visit, a conflict, a double, a refusal.
func TestLocalAPIAnswersAsDocumented(t *testing.T) {
	f := apitest.Open(t, "2026-11-23 09:15")
	url := f.Serve(api.Options{Version: "1", Shutdown: func() {}, Enroll: nil})
	c := caller{t, openDocument(t, "openapi.yaml"), func(method, path, body string) (int, []byte) {
		return send(t, method, url+"/api/v1"+path, body, "Bearer "+apitest.Token)
	}}
	f.Book("A2B3C4D5", "Șerban Exemplu", "R01", "2026-11-23", "09:20")
	f.Book("B2B3C4D5", "Ion Model", "R08", "2026-11-23", "09:40")
	f.Book("D2B3C4D5", "Dan Model", "R14", "2026-11-24", "09:40")

	const visit = "/visits/{id}"
	c.ok("GET", visit, "/visits/A2B3C4D5", "")
	c.ok("GET", visit, "/visits/D2B3C4D5", "")
	c.ok("POST", visit+"/check-in", "/visits/A2B3C4D5/check-in", `{"key":"k","by":"Maria"}`)
	c.ok("POST", visit+"/set", "/visits/A2B3C4D5/set", `{"fields":{"email":"aici@example.ro","land-extract":"2026-09-01"},"answers":{"civil":"married"},"ticks":{"R01.1":"original"}}`)
	c.ok("POST", visit+"/set", "/visits/A2B3C4D5/set", `{"answers":{"civil":"married"}}`)
	f.Contact()
	f.Pass(time.Minute)
	f.HubSets("A2B3C4D5", spclep.FieldEmail, "centru@example.ro")
	f.HubSets("A2B3C4D5", spclep.FieldLand, "2026-11-20")
	f.HubSays("A2B3C4D5", spclep.Arrived, nil)
	f.HubSays("A2B3C4D5", spclep.Cancelled, spclep.CancelledValue{Ground: "citizen"})
	whole := c.ok("GET", visit, "/visits/A2B3C4D5", "")
	lost := map[string]string{}
	for _, conflict := range whole["conflicts"].([]any) {
		conflict := conflict.(map[string]any)
		lost[conflict["field"].(string)] = conflict["loser"].(map[string]any)["op"].(string)
	}
	if len(whole["doubles"].([]any)) != 1 || len(whole["alarms"].([]any)) != 1 || len(lost) != 2 {
		t.Errorf("the visit shows too little to hold the document to: %v", whole)
	}
	c.ok("GET", "/conflicts", "/conflicts", "")
	c.ok("POST", visit+"/restore", "/visits/A2B3C4D5/restore", `{"op":"`+lost["email"]+`"}`)
	c.ok("POST", visit+"/keep", "/visits/A2B3C4D5/keep", `{"op":"`+lost["land-extract"]+`"}`)
	c.no("POST", "/visits/A2B3C4D5/file", `{}`, 409)
	c.ok("POST", visit+"/file", "/visits/A2B3C4D5/file", `{"number":"7/2026","despite":"actele sunt în dosar"}`)
	c.ok("POST", visit+"/extend", "/visits/A2B3C4D5/extend", `{"days":5,"why":"verificări"}`)
	c.ok("POST", visit+"/ready", "/visits/A2B3C4D5/ready", `{}`)
	handed := c.ok("POST", visit+"/hand-over", "/visits/A2B3C4D5/hand-over", `{"to":"holder"}`)
	c.ok("POST", visit+"/undo", "/visits/A2B3C4D5/undo", `{"action":"`+handed["action"].(string)+`","why":"alt act"}`)
	c.ok("POST", visit+"/send-away", "/visits/B2B3C4D5/send-away", `{"ground":"no-show"}`)
	c.ok("POST", "/walk-ins", "/walk-ins", `{"name":"Éva Nagy","reason":"R11","urgent":true,"approved":"șef serviciu","why":"spitalizare"}`)

	fresh := f.QR(1, "N2B3C4D5", "R01", "2026-11-23", "09:40")
	for _, text := range []string{fresh, "A2B3C4D5", "ana", "nimeni", whole["slip"].(string)} {
		c.ok("POST", "/scan", "/scan", `{"text":"`+text+`"}`)
	}
	c.ok("POST", "/scan", "/scan", `{"text":"`+fresh+`","accept":true,"name":"Éva Nagy"}`)
	c.ok("GET", "/bookings", "/bookings?q=ana", "")
	f.Refuse("the hub does not take this")
	c.ok("GET", "/queue", "/queue?limit=100", "")
	c.ok("GET", "/status", "/status", "")
	c.ok("POST", "/open", "/open", "")
	c.ok("POST", "/shutdown", "/shutdown", "")

	c.no("POST", "/enroll", `{"token":"x"}`, 501)
	c.no("GET", "/visits/X2X3X4X5", "", 404)
	c.no("POST", "/scan", `{"text":"`+f.QR(2, "N2B3C4D5", "R01", "2026-11-23", "09:40")+`"}`, 409)
	c.no("POST", "/scan", `{"txt":"x"}`, 400)
	c.no("POST", "/scan", strings.Repeat(" ", 2<<20), 413)
	c.no("DELETE", "/status", "", 405)
	c.doc.sameKeys("EnrollResult", c.doc.schema("EnrollResult"), reflect.TypeFor[api.EnrollResult]())
	c.doc.sameKeys("Problem", c.doc.schema("Problem"), reflect.TypeFor[api.Problem]())
	c.doc.sameKeys("LANState", c.doc.schema("LANState"), reflect.TypeFor[api.LANState]())
	c.doc.sameKeys("Invited", c.doc.schema("Invited"), reflect.TypeFor[api.Invited]())
	c.no("GET", "/lan", "", 501)
}

// The document has every field of every message of the wire, and no other.
func TestHubDocumentHasTheWiresFields(t *testing.T) {
	doc := openDocument(t, "openapi-hub.yaml")
	for name, of := range map[string]reflect.Type{
		"Request": reflect.TypeFor[wire.Request](), "Segment": reflect.TypeFor[wire.Segment](), "Answer": reflect.TypeFor[wire.Answer](),
		"Verdict": reflect.TypeFor[wire.Verdict](), "Entry": reflect.TypeFor[wire.Entry](), "QRKey": reflect.TypeFor[wire.QRKey](),
		"Problem": reflect.TypeFor[wire.Problem](), "Enroll": reflect.TypeFor[wire.Enroll](), "Enrolled": reflect.TypeFor[wire.Enrolled](),
		"Settings": reflect.TypeFor[wire.Settings](), "SettingsAt": reflect.TypeFor[wire.SettingsAt](),
		"Relayed": reflect.TypeFor[wire.Relayed](), "DaySum": reflect.TypeFor[wire.DaySum](), "Mend": reflect.TypeFor[wire.Mend](),
		"Unsent": reflect.TypeFor[wire.Unsent](), "NumbersAt": reflect.TypeFor[wire.NumbersAt](), "Numbers": reflect.TypeFor[wire.Numbers](), "Desk": reflect.TypeFor[wire.Desk](),
	} {
		doc.sameKeys(name, doc.schema(name), of)
	}
	var written map[string]any
	raw := encodedOp(t, fullOp())
	if err := json.Unmarshal(raw, &written); err != nil {
		t.Fatal(err)
	}
	doc.fits("an op with all its fields", doc.schema("Op"), raw)
	if documented := doc.properties(doc.schema("Op")); len(documented) != len(written) {
		t.Errorf("an op has the fields %v, the document %v", written, documented)
	}
	for where, limit := range map[string]struct{ documented, programmed any }{
		"segments":   {dig(doc.schema("Request"), "properties", "s")["maxItems"], wire.MaxSegments},
		"ops":        {dig(doc.schema("Segment"), "properties", "ops")["maxItems"], wire.MaxOps},
		"entries":    {dig(doc.schema("Answer"), "properties", "ops")["maxItems"], wire.MaxPull},
		"relayed":    {dig(doc.schema("Request"), "properties", "rl")["maxItems"], wire.MaxOps},
		"days":       {dig(doc.schema("Request"), "properties", "dd")["maxItems"], wire.MaxDays},
		"unsent":     {dig(doc.schema("Enroll"), "properties", "unsent")["maxItems"], wire.MaxUnsent},
		"wait":       {dig(doc.schema("Request"), "properties", "wait")["maximum"], wire.MaxWaitMs},
		"bases":      {dig(doc.schema("Op"), "properties", "b")["maxItems"], wire.MaxBases},
		"numbers":    {dig(doc.schema("Numbers"), "properties", "t")["maximum"], wire.NumberMax},
		"texts":      {dig(doc.schema("Op"), "properties", "y")["maxLength"], wire.MaxTextBytes},
		"version":    {doc.schema("Version")["const"], wire.Version},
		"the header": {doc.at("components", "securitySchemes", "signature")["name"], wire.SignatureHeader},
	} {
		if limit.documented != limit.programmed {
			t.Errorf("%s: the document says %v, the program %v", where, limit.documented, limit.programmed)
		}
	}
}

// A real hub answers at every path of the document, as the document says.
func TestHubAnswersAsDocumented(t *testing.T) {
	doc := openDocument(t, "openapi-hub.yaml")
	h := startHub(t)
	documented := doc.operations()
	for name := range documented {
		method, path, _ := strings.Cut(name, " ")
		if status, _ := send(t, method, h.url+path, "", ""); status == http.StatusNotFound || status == http.StatusMethodNotAllowed {
			t.Errorf("%s: the hub answers %d", name, status)
		}
	}
	problem := doc.schema("Problem")
	status, out := send(t, "POST", h.url+"/v1/sync", "{}", "")
	if status != http.StatusUnauthorized {
		t.Errorf("without a signature: status %d", status)
	}
	doc.fits("without a signature", problem, out)

	token, err := h.hub.NewToken(t.Context(), "covasna", time.Hour, h.url, "")
	if err != nil {
		t.Fatal(err)
	}
	key := exampleKey()
	enroll := encoded(t, wire.Enroll{V: wire.Version, Secret: token.Secret, Pub: key.Public().(ed25519.PublicKey), Name: "Ghișeul 1"})
	doc.fits("enroll", doc.schema("Enroll"), enroll)
	status, out = send(t, "POST", h.url+"/v1/enroll", string(enroll), "")
	if status != http.StatusOK {
		t.Fatalf("enroll: status %d: %s", status, out)
	}
	doc.fits("enrolled", doc.answerSchema(documented["POST /v1/enroll"]), out)
	var enrolled wire.Enrolled
	if err := json.Unmarshal(out, &enrolled); err != nil {
		t.Fatal(err)
	}

	r := wire.Request{V: wire.Version, Office: "covasna", Epoch: enrolled.Epoch, Segments: []wire.Segment{wire.SignSegment(key, [][]byte{
		encodedOp(t, exampleOps()[0]), encodedOp(t, exampleOps()[1]), []byte(`{"q":43,"c":"booking/A2B3C4D5/flown","f":1,"t":"1.0","w":[1,"b",1]}`),
	})}}
	r.SetClock(hlc.Reading{Wall: 1, Boot: "b", Up: 1})
	for i, check := range []func(wire.Answer) bool{
		func(a wire.Answer) bool { return len(a.Verdicts) == 2 && a.Verdicts[1].Code == wire.Refused },
		func(a wire.Answer) bool { return len(a.Entries) == 2 && len(a.Keys) == 1 },
	} {
		counter := uint64(i + 1)
		body := encoded(t, r)
		doc.fits("request", doc.schema("Request"), body)
		status, out := send(t, "POST", h.url+"/v1/sync", string(body), wire.SignRequest(key, counter, "/v1/sync", body))
		if status != http.StatusOK {
			t.Fatalf("sync: status %d: %s", status, out)
		}
		doc.fits("answer", doc.answerSchema(documented["POST /v1/sync"]), out)
		a, err := wire.DecodeAnswer(out)
		if err != nil || !check(a) {
			t.Errorf("sync %d: %s, %v", counter, out, err)
		}
	}
	body := encoded(t, r)
	if status, out = send(t, "POST", h.url+"/v1/sync", string(body), wire.SignRequest(key, 1, "/v1/sync", body)); status != http.StatusConflict {
		t.Errorf("a number used twice: status %d", status)
	}
	doc.fits("a number used twice", problem, out)
}

type runningHub struct {
	hub *hub.Server
	url string
}

func startHub(t *testing.T) runningHub {
	t.Helper()
	ref, err := spclep.Builtin()
	if err != nil {
		t.Fatal(err)
	}
	s, err := hub.New(t.Context(), hub.Config{Store: memory.New(), Now: func() int64 { return 1795418100000 }, Reference: ref, Zone: time.UTC})
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(s.Handler())
	t.Cleanup(func() {
		s.Close()
		server.Close()
	})
	return runningHub{s, server.URL}
}

// send makes one request; proof is a bearer token or a request's signature.
func send(t *testing.T, method, url, body, proof string) (int, []byte) {
	t.Helper()
	r, err := http.NewRequest(method, url, bytes.NewReader([]byte(body)))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/json")
	header := wire.SignatureHeader
	if strings.HasPrefix(proof, "Bearer ") {
		header = "Authorization"
	}
	if proof != "" {
		r.Header.Set(header, proof)
	}
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	out, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, out
}

func encoded(t *testing.T, message any) []byte {
	t.Helper()
	b, err := wire.Encode(message)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func encodedOp(t *testing.T, o op.Op) []byte {
	t.Helper()
	b, err := wire.EncodeOp(o)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// fullOp has every field an op can have.
func fullOp() op.Op {
	o := exampleOps()[1]
	o.Fact = true
	o.Base = slices.Clone(o.Base)
	o.Cell = record.Cell("A2B3C4D5", spclep.SentAway)
	return o
}
