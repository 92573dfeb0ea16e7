package localdb

// childFull has no Windows form: there is no limit on the size of one process's
// files to run into.
func childFull(string) {}
