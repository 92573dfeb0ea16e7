package hub

import "slices"

// Limits of what is kept of a PC's runs. A longer name is none.
const (
	maxBoots    = 16
	maxBootName = 200 // bytes
)

// cameFrom notes the run of a PC, from power-on to power-off, that its latest
// request came from: now is the run before, earlier are those before that one,
// oldest first. two: the run came back after another had been seen. Being
// switched off, or having its disk set back, brings a PC a new run; it takes two
// machines with one key to have two at a time.
func cameFrom(now string, earlier []string, boot string) (_ string, _ []string, two bool) {
	switch {
	case boot == "" || len(boot) > maxBootName || boot == now:
		return now, earlier, false
	case slices.Contains(earlier, boot):
		return boot, earlier, true
	case now == "":
		return boot, earlier, false
	}
	earlier = append(slices.Clone(earlier), now)
	return boot, earlier[max(0, len(earlier)-maxBoots):], false
}
