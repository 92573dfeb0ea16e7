package sqlite

// syncDir does nothing: NTFS journals names itself, and a folder cannot be
// flushed by an ordinary account.
func syncDir(string) error { return nil }
