package service

import (
	"net"
	"os"
	"strconv"
	"time"
)

// notify sends one line to systemd, as sd_notify(3) does. Where systemd did
// not start this process there is nobody to tell; and a line that is lost
// must not stop a desk, so there is no error to return.
func notify(line string) {
	socket := os.Getenv("NOTIFY_SOCKET") // "@" begins an abstract name, for package net too
	if socket == "" {
		return
	}
	c, err := net.DialUnix("unixgram", nil, &net.UnixAddr{Name: socket, Net: "unixgram"})
	if err != nil {
		return
	}
	defer c.Close()
	c.Write([]byte(line))
}

// watchdogEvery is half of the time after which systemd takes this process
// for stuck; 0 if it does not watch, or watches another process.
func watchdogEvery() time.Duration {
	if pid := os.Getenv("WATCHDOG_PID"); pid != "" && pid != strconv.Itoa(os.Getpid()) {
		return 0
	}
	us, err := strconv.ParseInt(os.Getenv("WATCHDOG_USEC"), 10, 64)
	if err != nil || us <= 0 {
		return 0
	}
	return time.Duration(us) * time.Microsecond / 2
}
