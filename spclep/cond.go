package spclep

import (
	"reflect"

	"go.yaml.in/yaml/v3"
)

// cond is a condition on answers, as in {civil: [married, widowed], owner: no}:
// every key must have one of its values. The empty cond always holds.
type cond []condTerm

type condTerm struct {
	Key    string
	Values []string
	at     pos
}

func (t condTerm) holds(a Answers) bool {
	for _, v := range t.Values {
		if a[t.Key] == v {
			return true
		}
	}
	return false
}

func (c cond) holds(a Answers) bool {
	for _, t := range c {
		if !t.holds(a) {
			return false
		}
	}
	return true
}

// holdsBut leaves one key out: would this answer still matter?
func (c cond) holdsBut(key string, a Answers) bool {
	for _, t := range c {
		if t.Key != key && !t.holds(a) {
			return false
		}
	}
	return true
}

func (c cond) has(key string) bool {
	for _, t := range c {
		if t.Key == key {
			return true
		}
	}
	return false
}

// decodeNode reads the mapping; one value may stand without brackets.
func (c *cond) decodeNode(d decoder, n *yaml.Node, path string) {
	if n.Kind != yaml.MappingNode {
		d.fail(n.Line, path, "%s, expected question: answer", shown(n))
		return
	}
	seen := map[string]bool{}
	for i := 0; i+1 < len(n.Content); i += 2 {
		k, v := n.Content[i], n.Content[i+1]
		at := join(path, k.Value)
		if seen[k.Value] {
			d.fail(k.Line, at, "stands twice")
		}
		seen[k.Value] = true
		t := condTerm{Key: k.Value, at: pos{d.file, k.Line, at}}
		if v.Kind == yaml.ScalarNode {
			t.Values = make([]string, 1)
			d.decode(v, at, reflect.ValueOf(&t.Values[0]).Elem())
		} else {
			d.decode(v, at, reflect.ValueOf(&t.Values).Elem())
		}
		*c = append(*c, t)
	}
}
