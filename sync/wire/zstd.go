package wire

import (
	"encoding/base64"
	"fmt"

	"github.com/klauspost/compress/zstd"
)

// MinCompress is the size in bytes below which a body travels as it is: zstd
// makes a lone change longer.
const MinCompress = 256

// A Codec compresses and decompresses bodies. It is safe for many goroutines.
type Codec struct {
	enc *zstd.Encoder
	dec *zstd.Decoder
}

// NewCodec makes a codec whose decoder holds at most MaxDecoded bytes: a bomb
// ends as an error.
func NewCodec() (*Codec, error) {
	enc, err := zstd.NewWriter(nil, zstd.WithEncoderConcurrency(1), zstd.WithWindowSize(1<<20), zstd.WithLowerEncoderMem(true))
	if err != nil {
		return nil, fmt.Errorf("zstd encoder: %w", err)
	}
	dec, err := zstd.NewReader(nil, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxMemory(MaxDecoded), zstd.WithDecoderMaxWindow(8<<20), zstd.WithDecoderLowmem(true))
	if err != nil {
		return nil, fmt.Errorf("zstd decoder: %w", err)
	}
	return &Codec{enc, dec}, nil
}

// Pack compresses b where that makes it shorter; packed tells.
func (c *Codec) Pack(b []byte) (out []byte, packed bool) {
	if len(b) < MinCompress {
		return b, false
	}
	z := c.enc.EncodeAll(b, nil)
	if len(z) >= len(b) {
		return b, false
	}
	return z, true
}

// Unpack decompresses b.
func (c *Codec) Unpack(b []byte) ([]byte, error) {
	out, err := c.dec.DecodeAll(b, nil)
	if err != nil {
		return nil, fmt.Errorf("decompress: %w", err)
	}
	return out, nil
}

func encode64(b []byte) string          { return base64.RawURLEncoding.EncodeToString(b) }
func decode64(s string) ([]byte, error) { return base64.RawURLEncoding.DecodeString(s) }
