package hub

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/klauspost/compress/zstd"

	"condica/sync/wire"
)

// readBody reads a body of at most wire.MaxBody bytes, as it came.
func readBody(w http.ResponseWriter, r *http.Request) ([]byte, error) {
	if err := http.NewResponseController(w).SetReadDeadline(time.Now().Add(readTime)); err != nil && !errors.Is(err, http.ErrNotSupported) {
		return nil, err
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, wire.MaxBody))
	var large *http.MaxBytesError
	if errors.As(err, &large) {
		return nil, tooLarge(fmt.Sprintf("the request is longer than %d bytes", wire.MaxBody))
	}
	if err != nil {
		return nil, fail(http.StatusBadRequest, "body", "the request broke off")
	}
	return body, nil
}

func tooLarge(say string) error { return fail(http.StatusRequestEntityTooLarge, "too-large", say) }

// decoded undoes Content-Encoding, up to wire.MaxDecoded bytes.
func (s *Server) decoded(encoding string, body []byte) ([]byte, error) {
	switch encoding {
	case "", "identity":
		return body, nil
	case "zstd":
	default:
		return nil, fail(http.StatusUnsupportedMediaType, "encoding", "the hub reads zstd or plain requests")
	}
	return unpacked(s.codec.Unpack(body))
}

// unpacked says why a body cannot be unpacked.
func unpacked(out []byte, err error) ([]byte, error) {
	switch {
	case errors.Is(err, zstd.ErrDecoderSizeExceeded), errors.Is(err, zstd.ErrWindowSizeExceeded):
		return nil, tooLarge(fmt.Sprintf("the request is longer than %d bytes when unpacked", wire.MaxDecoded))
	case err != nil:
		return nil, fail(http.StatusBadRequest, "body", "the request cannot be unpacked: it is no whole zstd frame")
	}
	return out, nil
}

// answer writes a message, packed where the client reads zstd and it is
// shorter.
func (s *Server) answer(w http.ResponseWriter, r *http.Request, message any) error {
	b, err := wire.Encode(message)
	if err != nil {
		return err
	}
	if strings.Contains(r.Header.Get("Accept-Encoding"), "zstd") {
		var packed bool
		if b, packed = s.codec.Pack(b); packed {
			w.Header().Set("Content-Encoding", "zstd")
		}
	}
	w.Header().Set("Content-Type", "application/json")
	if err := http.NewResponseController(w).SetWriteDeadline(time.Now().Add(writeTime)); err != nil && !errors.Is(err, http.ErrNotSupported) {
		return err
	}
	w.Write(b) // a line that breaks here is the PC's to notice: it asks again
	return nil
}
