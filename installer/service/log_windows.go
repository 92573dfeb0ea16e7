package service

import (
	"bytes"
	"context"
	"log/slog"
	"sync"

	kardianos "github.com/kardianos/service"
)

// LogHandler gives where a program's log goes: to the Windows event log under
// the service control manager, where nobody sees the standard error output;
// else to the fallback. Events are number 1 (information), 2 (warning) and 3
// (error).
func LogHandler(name string, fallback slog.Handler) slog.Handler {
	if !underWindows() {
		return fallback
	}
	s, err := kardianos.New(nil, &kardianos.Config{Name: name})
	if err != nil {
		return fallback
	}
	log, err := s.Logger(nil)
	if err != nil {
		return fallback
	}
	p := &page{}
	return eventHandler{Handler: slog.NewTextHandler(&p.text, &slog.HandlerOptions{Level: slog.LevelDebug}), page: p, log: log}
}

// A page is where one event is written before it goes to the log.
type page struct {
	mu   sync.Mutex
	text bytes.Buffer
}

type eventHandler struct {
	slog.Handler
	page *page
	log  kardianos.Logger
}

func (h eventHandler) Handle(ctx context.Context, r slog.Record) error {
	h.page.mu.Lock()
	defer h.page.mu.Unlock()
	h.page.text.Reset()
	if err := h.Handler.Handle(ctx, r); err != nil {
		return err
	}
	text := h.page.text.String()
	switch {
	case r.Level >= slog.LevelError:
		return h.log.Error(text)
	case r.Level >= slog.LevelWarn:
		return h.log.Warning(text)
	}
	return h.log.Info(text)
}

func (h eventHandler) WithAttrs(a []slog.Attr) slog.Handler {
	h.Handler = h.Handler.WithAttrs(a)
	return h
}

func (h eventHandler) WithGroup(name string) slog.Handler {
	h.Handler = h.Handler.WithGroup(name)
	return h
}
