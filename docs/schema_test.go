package docs_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"
)

// A document is an OpenAPI document as read.
type document struct {
	t    *testing.T
	tree map[string]any
}

func openDocument(t *testing.T, name string) document {
	t.Helper()
	text, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	d := document{t: t}
	if err := yaml.Unmarshal(text, &d.tree); err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	return d
}

// at follows the keys, and any $ref it meets.
func (d document) at(keys ...string) map[string]any {
	d.t.Helper()
	node := d.tree
	for _, k := range keys {
		next, ok := node[k].(map[string]any)
		if !ok {
			d.t.Fatalf("the document has no %s", strings.Join(keys, " > "))
		}
		node = d.follow(next)
	}
	return node
}

func (d document) follow(node map[string]any) map[string]any {
	d.t.Helper()
	ref, ok := node["$ref"].(string)
	if !ok {
		return node
	}
	path, ok := strings.CutPrefix(ref, "#/")
	if !ok {
		d.t.Fatalf("$ref %q leads out of the document", ref)
	}
	return d.at(strings.Split(path, "/")...)
}

// schema is a named one.
func (d document) schema(name string) map[string]any {
	d.t.Helper()
	return d.at("components", "schemas", name)
}

// operations lists every "METHOD path" with its operation.
func (d document) operations() map[string]map[string]any {
	out := map[string]map[string]any{}
	for path := range d.at("paths") {
		for method, op := range d.at("paths", path) {
			if op, ok := op.(map[string]any); ok && method != "parameters" {
				out[strings.ToUpper(method)+" "+path] = op
			}
		}
	}
	return out
}

// answerSchema is that of an operation's 200.
func (d document) answerSchema(op map[string]any) map[string]any {
	d.t.Helper()
	answer := d.follow(dig(op, "responses", "200"))
	return d.follow(dig(answer, "content", "application/json", "schema"))
}

// bodySchema is that of an operation's request, nil if it takes none.
func (d document) bodySchema(op map[string]any) map[string]any {
	if op["requestBody"] == nil {
		return nil
	}
	return d.follow(dig(op, "requestBody", "content", "application/json", "schema"))
}

func dig(node map[string]any, keys ...string) map[string]any {
	for _, k := range keys {
		node, _ = node[k].(map[string]any)
	}
	return node
}

// properties are a schema's own and those of allOf.
func (d document) properties(schema map[string]any) map[string]any {
	schema = d.follow(schema)
	out := maps.Clone(dig(schema, "properties"))
	if out == nil {
		out = map[string]any{}
	}
	parts, _ := schema["allOf"].([]any)
	for _, part := range parts {
		maps.Copy(out, d.properties(part.(map[string]any)))
	}
	return out
}

// breaches says where a JSON value is not what the schema promises. A key
// that the schema does not name is a breach: the document is to be complete.
func (d document) breaches(at string, schema map[string]any, v any) []string {
	schema = d.follow(schema)
	if choices, ok := schema["anyOf"].([]any); ok {
		return d.breachesOfAny(at, choices, v)
	}
	var out []string
	if !ofType(schema["type"], v) {
		return []string{fmt.Sprintf("%s: %v is not of type %v", at, v, schema["type"])}
	}
	if enum, ok := schema["enum"].([]any); ok && !slices.Contains(enum, v) {
		out = append(out, fmt.Sprintf("%s: %q is none of %q", at, v, enum))
	}
	switch v := v.(type) {
	case string:
		if pattern, ok := schema["pattern"].(string); ok && !regexp.MustCompile(pattern).MatchString(v) {
			out = append(out, fmt.Sprintf("%s: %q does not match %s", at, v, pattern))
		}
	case []any:
		for i, e := range v {
			item := dig(schema, "items")
			if prefix, ok := schema["prefixItems"].([]any); ok && i < len(prefix) {
				item = prefix[i].(map[string]any)
			}
			out = append(out, d.breaches(fmt.Sprintf("%s[%d]", at, i), item, e)...)
		}
	case map[string]any:
		out = append(out, d.objectBreaches(at, schema, v)...)
	}
	return out
}

func (d document) breachesOfAny(at string, choices []any, v any) []string {
	var all []string
	for _, one := range choices {
		found := d.breaches(at, one.(map[string]any), v)
		if len(found) == 0 {
			return nil
		}
		all = append(all, found...)
	}
	return all
}

func (d document) objectBreaches(at string, schema, v map[string]any) []string {
	var out []string
	properties := d.properties(schema)
	if schema["type"] == nil && len(properties) == 0 {
		return nil // any JSON
	}
	for _, name := range d.required(schema) {
		if _, ok := v[name]; !ok {
			out = append(out, fmt.Sprintf("%s: %q is missing", at, name))
		}
	}
	for key, e := range v {
		p, known := properties[key].(map[string]any)
		if !known {
			p, known = schema["additionalProperties"].(map[string]any)
		}
		if !known {
			out = append(out, fmt.Sprintf("%s: %q is not in the document", at, key))
			continue
		}
		out = append(out, d.breaches(at+"."+key, p, e)...)
	}
	return out
}

func (d document) required(schema map[string]any) []string {
	var out []string
	parts, _ := schema["allOf"].([]any)
	for _, part := range parts {
		out = append(out, d.required(d.follow(part.(map[string]any)))...)
	}
	names, _ := schema["required"].([]any)
	for _, n := range names {
		out = append(out, n.(string))
	}
	return out
}

func ofType(want, v any) bool {
	switch want := want.(type) {
	case nil:
		return true
	case []any:
		return slices.ContainsFunc(want, func(w any) bool { return ofType(w, v) })
	case string:
		switch v := v.(type) {
		case nil:
			return want == "null"
		case bool:
			return want == "boolean"
		case string:
			return want == "string"
		case float64:
			return want == "number" || want == "integer" && v == float64(int64(v))
		case []any:
			return want == "array"
		case map[string]any:
			return want == "object"
		}
	}
	return false
}

// fits reports the breaches of a JSON text.
func (d document) fits(at string, schema map[string]any, text []byte) {
	d.t.Helper()
	var v any
	if err := json.Unmarshal(text, &v); err != nil {
		d.t.Errorf("%s: %v in %.200s", at, err, text)
		return
	}
	for _, b := range d.breaches(at, schema, v) {
		d.t.Error(b)
	}
}

// sameKeys wants the properties of a schema to be the JSON keys of a Go type.
func (d document) sameKeys(at string, schema map[string]any, of reflect.Type) {
	d.t.Helper()
	documented := slices.Sorted(maps.Keys(d.properties(schema)))
	written := jsonKeys(of)
	slices.Sort(written)
	if !slices.Equal(documented, written) {
		d.t.Errorf("%s: the document has %v, the program %v", at, documented, written)
	}
}

func jsonKeys(of reflect.Type) []string {
	var out []string
	for i := range of.NumField() {
		f := of.Field(i)
		name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		if f.Anonymous && name == "" {
			out = append(out, jsonKeys(f.Type)...)
			continue
		}
		out = append(out, name)
	}
	return out
}

// The check itself notices each kind of breach; one that cannot fail holds
// nothing.
func TestTheSchemaCheckNoticesFaults(t *testing.T) {
	var d document
	d.t = t
	err := yaml.Unmarshal([]byte(`
components:
  schemas:
    Base: {type: object, required: [id], properties: {id: {type: string, pattern: "^[a-z]+$"}}}
    Thing:
      type: object
      allOf: [{$ref: "#/components/schemas/Base"}]
      required: [n]
      properties:
        n: {type: integer}
        state: {type: string, enum: [open, shut]}
        list: {type: [array, "null"], items: {type: boolean}}
        pair: {type: array, prefixItems: [{type: string}, {type: integer}]}
        more: {type: object, additionalProperties: {type: string}}
        maybe: {anyOf: [{$ref: "#/components/schemas/Base"}, {type: "null"}]}
        any: {description: any JSON}
`), &d.tree)
	if err != nil {
		t.Fatal(err)
	}
	for text, want := range map[string]string{
		`{"id":"a","n":1,"state":"open","list":[true],"pair":["x",1],"more":{"k":"v"},"maybe":{"id":"b"},"any":{"q":[1]}}`: "",
		`{"id":"a","n":1,"list":null,"maybe":null}`: "",
		`{"n":1}`:                             `"id" is missing`,
		`{"id":"a"}`:                          `"n" is missing`,
		`{"id":"A","n":1}`:                    `does not match`,
		`{"id":"a","n":1.5}`:                  `not of type integer`,
		`{"id":"a","n":1,"state":"ajar"}`:     `none of`,
		`{"id":"a","n":1,"list":[1]}`:         `.list[0]: 1 is not of type boolean`,
		`{"id":"a","n":1,"pair":["x","y"]}`:   `.pair[1]`,
		`{"id":"a","n":1,"more":{"k":2}}`:     `.more.k`,
		`{"id":"a","n":1,"maybe":{"id":"B"}}`: `does not match`,
		`{"id":"a","n":1,"other":2}`:          `"other" is not in the document`,
		`[]`:                                  `not of type object`,
	} {
		var v any
		if err := json.Unmarshal([]byte(text), &v); err != nil {
			t.Fatal(err)
		}
		got := strings.Join(d.breaches("x", d.schema("Thing"), v), "\n")
		if (got == "") != (want == "") || !strings.Contains(got, want) {
			t.Errorf("%s: breaches %q, want %q", text, got, want)
		}
	}
}
