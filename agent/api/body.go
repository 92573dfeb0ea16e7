package api

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"mime"
	"net/http"
	"slices"
	"strings"
)

// Limits of one request.
const (
	maxBody = 1 << 20 // bytes
	maxText = 1000    // bytes of one text in it, as wire.MaxTextBytes is the most an op carries
	maxBy   = 60      // letters of a clerk's name
	maxKey  = 200     // bytes
)

// decode reads a request's body strictly: one JSON object, no field it does
// not know, no text beyond maxText. No body at all is an empty object.
func decode(r *http.Request, into any) error {
	body, err := io.ReadAll(r.Body)
	var tooMuch *http.MaxBytesError
	switch {
	case errors.As(err, &tooMuch):
		return problem(http.StatusRequestEntityTooLarge, "too-large", fmt.Sprintf("the body is longer than %d bytes", tooMuch.Limit), "Cererea este prea mare.")
	case err != nil:
		return bad(fmt.Errorf("the body broke off: %w", err))
	case len(bytes.TrimSpace(body)) == 0:
		return nil
	}
	if kind, _, _ := mime.ParseMediaType(r.Header.Get("Content-Type")); kind != "application/json" {
		return problem(http.StatusUnsupportedMediaType, "not-json", "the body must be sent as Content-Type: application/json", "Cererea trebuie trimisă ca JSON.")
	}
	if err := strict(body, into); err != nil {
		return bad(err)
	}
	var all any
	if err := json.Unmarshal(body, &all); err != nil {
		return bad(err)
	}
	if at := longText("", all); at != "" {
		return bad(fmt.Errorf("%s is longer than %d bytes", at, maxText))
	}
	return nil
}

func strict(body []byte, into any) error {
	d := json.NewDecoder(bytes.NewReader(body))
	d.DisallowUnknownFields()
	if err := d.Decode(into); err != nil {
		return plain(err)
	}
	if _, err := d.Token(); err != io.EOF {
		return errors.New("the body holds more than one JSON object")
	}
	return nil
}

// plain words the decoder's errors for whoever wrote the script.
func plain(err error) error {
	var kind *json.UnmarshalTypeError
	var syntax *json.SyntaxError
	switch {
	case errors.As(err, &kind) && kind.Field == "":
		return fmt.Errorf("the body is %s, want a JSON object", kind.Value)
	case errors.As(err, &kind):
		return fmt.Errorf("field %q is %s, want %s", kind.Field, kind.Value, kind.Type)
	case errors.As(err, &syntax):
		return fmt.Errorf("the body is not JSON: %w at byte %d", err, syntax.Offset)
	case errors.Is(err, io.ErrUnexpectedEOF):
		return errors.New("the body is not JSON: it ends too early")
	}
	return errors.New(strings.TrimPrefix(err.Error(), "json: "))
}

// longText finds a text beyond maxText, "" for none.
func longText(at string, v any) string {
	switch v := v.(type) {
	case string:
		if len(v) > maxText {
			return at
		}
	case []any:
		for i, e := range v {
			if found := longText(fmt.Sprintf("%s[%d]", at, i), e); found != "" {
				return found
			}
		}
	case map[string]any:
		for _, key := range slices.Sorted(maps.Keys(v)) {
			if found := longText(strings.TrimPrefix(at+"."+key, "."), v[key]); found != "" {
				return found
			}
		}
	}
	return ""
}
