package spclep

import (
	"bytes"
	"encoding"
	"errors"
	"fmt"
	"io"
	"reflect"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"
)

// maxProblems ends the reading of a file that is broken throughout.
const maxProblems = 100

// Decode reads a file that is one YAML document into a struct by its yaml tags,
// as strictly as a bundle's rows are read: an unknown key, a wrong kind of value
// or a missing required key is a fault, and all are found at once. The error
// joins one *BundleError for each. lines gives the line of each key, such as
// clerks[2].name, for faults that are found after reading.
func Decode(file string, data []byte, into any) (lines map[string]int, err error) {
	var probs []error
	d := decoder{file, &probs}
	if n := d.only(data); n != nil {
		lines = map[string]int{}
		note(lines, n, "")
		d.decode(n, "", reflect.ValueOf(into).Elem())
	}
	return lines, errors.Join(probs...)
}

// only gives the one document of a file; nil: the fault is noted.
func (d decoder) only(data []byte) *yaml.Node {
	if len(data) > maxFileBytes {
		d.fail(0, "", "is longer than %d bytes", maxFileBytes)
		return nil
	}
	dec := yaml.NewDecoder(bytes.NewReader(data))
	doc, err := nextDocument(dec)
	if err != nil {
		line, problem := lineOf(strings.TrimPrefix(err.Error(), "yaml: "))
		if errors.Is(err, io.EOF) {
			problem = "is empty"
		}
		d.fail(line, "", "%s", problem)
		return nil
	}
	if len(doc.Content) != 1 || doc.Content[0].Kind != yaml.MappingNode || tooDeep(doc, maxDepth) {
		d.fail(doc.Line, "", "expected keys with values, nested at most %d deep", maxDepth)
		return nil
	}
	if _, err := nextDocument(dec); !errors.Is(err, io.EOF) {
		d.fail(0, "", "holds more than one document")
		return nil
	}
	return doc.Content[0]
}

// note writes down on which line each key stands.
func note(lines map[string]int, n *yaml.Node, path string) {
	switch n.Kind {
	case yaml.MappingNode:
		for i := 0; i+1 < len(n.Content); i += 2 {
			key := join(path, n.Content[i].Value)
			lines[key] = n.Content[i].Line
			note(lines, n.Content[i+1], key)
		}
	case yaml.SequenceNode:
		for i, c := range n.Content {
			key := fmt.Sprintf("%s[%d]", path, i)
			lines[key] = c.Line
			note(lines, c, key)
		}
	}
}

// decoder turns YAML nodes into rows. It is strict: what it does not know it
// refuses by name, and it goes on to find the next fault.
type decoder struct {
	file  string
	probs *[]error
}

func (d decoder) fail(line int, path, format string, args ...any) {
	if len(*d.probs) < maxProblems {
		*d.probs = append(*d.probs, &BundleError{File: d.file, Line: line, Key: path, Problem: fmt.Sprintf(format, args...)})
	}
}

// nodeDecoder is a row type that reads itself.
type nodeDecoder interface {
	decodeNode(d decoder, n *yaml.Node, path string)
}

func (d decoder) decode(n *yaml.Node, path string, v reflect.Value) {
	if n.Kind == yaml.AliasNode || n.Anchor != "" {
		d.fail(n.Line, path, "anchors and aliases are not read, write the value out")
		return
	}
	if nd, ok := v.Addr().Interface().(nodeDecoder); ok {
		nd.decodeNode(d, n, path)
		return
	}
	if tu, ok := v.Addr().Interface().(encoding.TextUnmarshaler); ok {
		d.text(n, path, tu)
		return
	}
	switch v.Kind() {
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		d.decode(n, path, v.Elem())
	case reflect.Struct:
		d.mapping(n, path, v)
	case reflect.Slice:
		d.list(n, path, v)
	default:
		d.scalar(n, path, v)
	}
}

func (d decoder) text(n *yaml.Node, path string, v encoding.TextUnmarshaler) {
	want := "a date, expected YYYY-MM-DD"
	if _, ok := v.(*Minute); ok {
		want = "a time of day, expected HH:MM"
	}
	if n.Kind != yaml.ScalarNode || n.Value == "" || v.UnmarshalText([]byte(n.Value)) != nil {
		d.fail(n.Line, path, "%s is not %s", shown(n), want)
	}
}

func (d decoder) scalar(n *yaml.Node, path string, v reflect.Value) {
	if n.Kind != yaml.ScalarNode {
		d.fail(n.Line, path, "%s, expected %s", shown(n), kindName(v.Kind()))
		return
	}
	switch v.Kind() {
	case reflect.String:
		if n.Tag == "!!null" {
			d.fail(n.Line, path, "is empty, expected text")
		}
		v.SetString(n.Value)
	case reflect.Bool:
		if n.Value != "true" && n.Value != "false" {
			d.fail(n.Line, path, "%s is not true or false", shown(n))
		}
		v.SetBool(n.Value == "true")
	default:
		i, err := strconv.ParseInt(n.Value, 10, 32)
		if err != nil {
			d.fail(n.Line, path, "%s is not a whole number", shown(n))
		}
		v.SetInt(i)
	}
}

func (d decoder) list(n *yaml.Node, path string, v reflect.Value) {
	if n.Kind != yaml.SequenceNode {
		d.fail(n.Line, path, "%s, expected a list", shown(n))
		return
	}
	out := reflect.MakeSlice(v.Type(), len(n.Content), len(n.Content))
	for i, c := range n.Content {
		d.decode(c, fmt.Sprintf("%s[%d]", path, i), out.Index(i))
	}
	v.Set(out)
}

func (d decoder) mapping(n *yaml.Node, path string, v reflect.Value) {
	if n.Kind != yaml.MappingNode {
		d.fail(n.Line, path, "%s, expected a row of keys", shown(n))
		return
	}
	fields := fieldsOf(v, pos{d.file, n.Line, path})
	seen := map[string]bool{}
	for i := 0; i+1 < len(n.Content); i += 2 {
		k, c := n.Content[i], n.Content[i+1]
		f, ok := fields[k.Value]
		switch {
		case !ok:
			d.fail(k.Line, join(path, k.Value), "unknown key%s", closest(k.Value, fields))
		case seen[k.Value]:
			d.fail(k.Line, join(path, k.Value), "stands twice")
		case f.nullable && c.Tag == "!!null":
		default:
			d.decode(c, join(path, k.Value), f.value)
		}
		seen[k.Value] = true
	}
	for _, name := range sortedKeys(fields) {
		if fields[name].required && !seen[name] {
			d.fail(n.Line, join(path, name), "is missing")
		}
	}
}

type field struct {
	value              reflect.Value
	required, nullable bool
}

// fieldsOf lists the keys of a row, those of an embedded meta among them, and
// notes where the row stands.
func fieldsOf(v reflect.Value, at pos) map[string]field {
	out := map[string]field{}
	for i := range v.NumField() {
		sf, fv := v.Type().Field(i), v.Field(i)
		if sf.Type == reflect.TypeFor[meta]() && sf.Anonymous {
			v.Addr().Interface().(placed).place(at)
			// An embedded unexported struct cannot be set through reflection;
			// its own address can.
			for k, f := range fieldsOf(reflect.ValueOf(v.Addr().Interface().(placed).metaOf()).Elem(), at) {
				out[k] = f
			}
			continue
		}
		if name, flags, _ := strings.Cut(sf.Tag.Get("yaml"), ","); name != "" {
			out[name] = field{fv, strings.Contains(flags, "required"), strings.Contains(flags, "null")}
		}
	}
	if p, ok := v.Addr().Interface().(interface{ place(pos) }); ok {
		p.place(at)
	}
	return out
}

// placed is a row with a meta in it.
type placed interface {
	place(pos)
	metaOf() *meta
}

func (m *meta) place(at pos)        { m.at = at }
func (m *meta) metaOf() *meta       { return m }
func (h *headRow) place(at pos)     { h.at = at }
func (l *layerRow) place(at pos)    { l.at = at }
func (c *choiceRow) place(at pos)   { c.at = at }
func (a *ageRangeRow) place(at pos) { a.at = at }
func (l *listRef) place(at pos)     { l.at = at }
func (o *optionRow) place(at pos)   { o.at = at }

func join(path, key string) string {
	if path == "" || key == "" {
		return path + key
	}
	return path + "." + key
}

func shown(n *yaml.Node) string {
	switch n.Kind {
	case yaml.MappingNode:
		return "a row of keys"
	case yaml.SequenceNode:
		return "a list"
	}
	if n.Value == "" {
		return "an empty value"
	}
	if len(n.Value) > 60 {
		return strconv.Quote(n.Value[:60] + "...")
	}
	return strconv.Quote(n.Value)
}

func kindName(k reflect.Kind) string {
	switch k {
	case reflect.String:
		return "text"
	case reflect.Bool:
		return "true or false"
	}
	return "a whole number"
}
