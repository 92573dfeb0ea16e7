package main

import (
	"context"
	"errors"

	"condica/agent/api"
)

// running tells whether a service answers for the folder. One that is slow or
// keeps this account out is running too.
func running(dir string) bool {
	_, err := service{Data: dir}.call(&env{Ctx: context.Background()}, "GET", "status", nil)
	return !errors.Is(err, api.ErrNotRunning)
}

// enrollThrough lets the running service enrol: it alone may write the folder.
func enrollThrough(e *env, dir, token string) (api.EnrollResult, error) {
	r, _, err := ask[api.EnrollResult](e, service{Data: dir}, "POST", "enroll", api.EnrollRequest{Token: token})
	return r, err
}
