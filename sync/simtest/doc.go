// Package simtest is storms: office PCs and a hub, all real but for the line,
// the clocks, the disks and the power, which one seed decides. After each storm
// every edit a clerk was told is done must be on every side, once, and all sides
// must add up to the same. It holds tests only, opens no socket and waits for no
// clock: a failing seed replays.
package simtest
