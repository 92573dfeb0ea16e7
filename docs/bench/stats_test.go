package bench

import (
	"math"
	"slices"
	"time"
)

// rounds is how often everything is measured; what is published is the median.
const rounds = 5

// quietFor is how long a line must be silent before what a change caused counts
// as over.
const quietFor = 300 * time.Millisecond

// quantile gives the value below which a share q of the values lies, by the
// nearest rank. It panics on no values.
func quantile(values []float64, q float64) float64 {
	v := slices.Sorted(slices.Values(values))
	i := int(math.Ceil(q*float64(len(v)))) - 1
	return v[min(max(i, 0), len(v)-1)]
}

func median(values []float64) float64 { return quantile(values, 0.5) }

// A series is one figure as measured in each round.
type series []float64

func (s *series) add(v float64)        { *s = append(*s, v) }
func (s *series) took(d time.Duration) { s.add(float64(d) / float64(time.Millisecond)) }

// over gives the ratio to another series, round by round: what disturbed the
// machine in a round has disturbed both.
func (s series) over(o series) series {
	out := make(series, min(len(s), len(o)))
	for i := range out {
		out[i] = s[i] / o[i]
	}
	return out
}
