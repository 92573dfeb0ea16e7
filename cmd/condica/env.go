package main

import (
	"context"
	"io"
)

// An env is what a command may touch of the world besides its flags.
type env struct {
	Out, Err io.Writer
	Ctx      context.Context
}
