package service

import (
	"context"
	"net/http"
)

// Answers is a check for Watch: the desk gives any answer at all at its
// address. What it answers is not weighed: a refusal is a sign of life too.
func Answers(url string) func(context.Context) error {
	// This PC: no proxy; and a new connection each time, as a browser makes it.
	client := &http.Client{
		Transport:     &http.Transport{DisableKeepAlives: true},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	return func(ctx context.Context) error {
		r, err := http.NewRequestWithContext(ctx, http.MethodHead, url, nil)
		if err != nil {
			return err
		}
		resp, err := client.Do(r)
		if err != nil {
			return err
		}
		return resp.Body.Close()
	}
}
