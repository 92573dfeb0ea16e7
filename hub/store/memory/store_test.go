package memory_test

import (
	"testing"

	"condica/hub/store"
	"condica/hub/store/memory"
	"condica/hub/store/storetest"
)

func TestStore(t *testing.T) {
	storetest.Run(t, func(*testing.T) store.Store { return memory.New() })
}

func TestLog(t *testing.T) {
	storetest.RunLog(t, func(*testing.T) storetest.Log { return storetest.LogOf(memory.New()) })
}
