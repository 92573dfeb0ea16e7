package agent

import (
	"os"
	"strconv"
	"time"
)

// processStart stands in for power-on where the system does not tell it.
var processStart = time.Now()

// processName stands in for a boot where the system names none: each run of
// this process is then a boot of its own.
func processName() string {
	return "p" + strconv.FormatInt(processStart.UnixMilli(), 36) + "-" + strconv.Itoa(os.Getpid())
}
