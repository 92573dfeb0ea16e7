package spclep

import (
	"bytes"
	"embed"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"
)

//go:embed bundle/*.yaml
var builtin embed.FS

// Limits on a bundle: the real one has some 60 kB. They stand between the
// office PC and a file that was sent to choke it.
const (
	maxFiles     = 64
	maxFileBytes = 1 << 20
	maxDepth     = 24
)

// Builtin loads the bundle that is part of the program.
func Builtin() (*Reference, error) { return Load(BuiltinFiles()) }

// BuiltinFiles are the files of the bundle that is part of the program.
func BuiltinFiles() fs.FS {
	sub, err := fs.Sub(builtin, "bundle")
	if err != nil {
		panic(err) // the folder is embedded above
	}
	return sub
}

// BuiltinTexts are the same by name, as a bundle from the centre carries them.
func BuiltinTexts() map[string]string {
	out := map[string]string{}
	names, err := fs.Glob(builtin, "bundle/*.yaml")
	for _, name := range names {
		var text []byte
		if text, err = builtin.ReadFile(name); err != nil {
			break
		}
		out[strings.TrimPrefix(name, "bundle/")] = string(text)
	}
	if err != nil {
		panic(err) // the folder is embedded above
	}
	return out
}

// Load reads a bundle from the *.yaml files at the root of fsys, each holding
// one or more documents: one that numbers the bundle, one national layer, and
// a layer for each county and office. It is strict, and finds all faults at
// once: the error joins one *BundleError for each.
func Load(fsys fs.FS) (*Reference, error) {
	names, err := fs.Glob(fsys, "*.yaml")
	if err != nil || len(names) == 0 {
		return nil, &BundleError{File: "bundle", Problem: "holds no *.yaml file"}
	}
	if len(names) > maxFiles {
		return nil, &BundleError{File: "bundle", Problem: fmt.Sprintf("holds %d files, at most %d are read", len(names), maxFiles)}
	}
	l := &loader{}
	for _, name := range names {
		data, err := readLimited(fsys, name)
		if err != nil {
			l.probs = append(l.probs, err)
			continue
		}
		l.file(name, data)
	}
	return l.reference("bundle")
}

// LoadFile reads a bundle that is one file of several YAML documents.
func LoadFile(name string, data []byte) (*Reference, error) {
	l := &loader{}
	if len(data) > maxFileBytes*4 {
		return nil, tooLong(name, maxFileBytes*4)
	}
	l.file(name, data)
	return l.reference(name)
}

// LoadFiles reads a bundle from the texts of its files by name, as they come
// in a signed bundle from the centre.
func LoadFiles(files map[string]string) (*Reference, error) {
	l := &loader{}
	if len(files) > maxFiles {
		return nil, &BundleError{File: "bundle", Problem: fmt.Sprintf("holds %d files, at most %d are read", len(files), maxFiles)}
	}
	for _, name := range sortedKeys(files) {
		if len(files[name]) > maxFileBytes {
			l.probs = append(l.probs, tooLong(name, maxFileBytes))
			continue
		}
		l.file(name, []byte(files[name]))
	}
	return l.reference("bundle")
}

// Numbered is an error, with file and line, unless the bundle says that its
// number is n.
func (r *Reference) Numbered(n int64) error {
	if int64(r.Number()) == n {
		return nil
	}
	h := r.head.at
	return &BundleError{File: h.file, Line: h.line, Key: "bundle", Problem: fmt.Sprintf("says %d, but it is signed as number %d", r.Number(), n)}
}

// Replace gives the bundle in fsys if it is sound and newer than old, and
// otherwise old together with the reason: the office keeps its rules.
func Replace(old *Reference, fsys fs.FS) (*Reference, error) {
	r, err := Load(fsys)
	if err != nil {
		return old, err
	}
	if old != nil && r.Number() <= old.Number() {
		h := r.head.at
		return old, &BundleError{File: h.file, Line: h.line, Key: "bundle",
			Problem: fmt.Sprintf("%d is not above %d, the number in force", r.Number(), old.Number())}
	}
	return r, nil
}

func readLimited(fsys fs.FS, name string) ([]byte, error) {
	f, err := fsys.Open(name)
	if err != nil {
		return nil, &BundleError{File: name, Problem: err.Error()}
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, maxFileBytes+1))
	if err != nil {
		return nil, &BundleError{File: name, Problem: err.Error()}
	}
	if len(data) > maxFileBytes {
		return nil, tooLong(name, maxFileBytes)
	}
	return data, nil
}

func tooLong(name string, limit int) error {
	return &BundleError{File: name, Problem: fmt.Sprintf("is longer than %d bytes", limit)}
}

// loader collects the documents of all files.
type loader struct {
	heads  []headRow
	layers []layerRow
	probs  []error
}

func (l *loader) file(name string, data []byte) {
	d := decoder{name, &l.probs}
	// An empty file would parse as nothing at all and be missed.
	if len(bytes.TrimSpace(data)) == 0 {
		d.fail(0, "", "is empty")
		return
	}
	dec := yaml.NewDecoder(bytes.NewReader(data))
	for {
		n, err := nextDocument(dec)
		if errors.Is(err, io.EOF) {
			return
		}
		if err != nil {
			line, problem := lineOf(strings.TrimPrefix(err.Error(), "yaml: "))
			d.fail(line, "", "%s", problem)
			return
		}
		l.document(d, n)
	}
}

// nextDocument turns a panic of the parser into an error: the bundle comes
// from outside, and one bad byte must not stop the desk.
func nextDocument(dec *yaml.Decoder) (n *yaml.Node, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("cannot be read as YAML: %v", p)
		}
	}()
	n = new(yaml.Node)
	return n, dec.Decode(n)
}

// lineOf takes the line out of the parser's "line 3: did not find ...".
func lineOf(s string) (int, string) {
	head, rest, ok := strings.Cut(s, ": ")
	line, err := strconv.Atoi(strings.TrimPrefix(head, "line "))
	if !ok || err != nil {
		return 0, s
	}
	return line, rest
}

func (l *loader) document(d decoder, doc *yaml.Node) {
	if len(doc.Content) != 1 || doc.Content[0].Kind != yaml.MappingNode {
		d.fail(doc.Line, "", "expected keys, beginning with bundle: or layer:")
		return
	}
	n := doc.Content[0]
	if tooDeep(n, maxDepth) {
		d.fail(n.Line, "", "is nested deeper than %d", maxDepth)
		return
	}
	if hasKey(n, "bundle") {
		var h headRow
		d.decode(n, "", reflect.ValueOf(&h).Elem())
		l.heads = append(l.heads, h)
		return
	}
	var row layerRow
	d.decode(n, "", reflect.ValueOf(&row).Elem())
	l.layers = append(l.layers, row)
}

func hasKey(n *yaml.Node, key string) bool {
	for i := 0; i < len(n.Content); i += 2 {
		if n.Content[i].Value == key {
			return true
		}
	}
	return false
}

func tooDeep(n *yaml.Node, left int) bool {
	return left == 0 || slices.ContainsFunc(n.Content, func(c *yaml.Node) bool { return tooDeep(c, left-1) })
}

// reference puts the layers in order and checks what they say to each other.
func (l *loader) reference(name string) (*Reference, error) {
	r := &Reference{}
	d := decoder{name, &l.probs}
	if len(l.heads) != 1 {
		d.fail(0, "bundle", "%d documents number the bundle, expected one", len(l.heads))
	} else {
		r.head = l.heads[0]
	}
	r.layers = l.layers
	check(r, d)
	if len(l.probs) > 0 {
		return nil, errors.Join(l.probs...)
	}
	return r, nil
}
