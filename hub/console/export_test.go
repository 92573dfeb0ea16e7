package console

// WhyNot is whyNot, for the tests.
func WhyNot(code string) string { return whyNot(code) }

// Keeps holds answers of these sizes in bytes and gives those that are left.
func Keeps(sizes ...int) (left []int) {
	var a answers
	for _, n := range sizes {
		a.keep(answered{file: make([]byte, n)})
	}
	for _, one := range a.all {
		left = append(left, len(one.file))
	}
	return left
}
