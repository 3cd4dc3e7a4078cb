package main

import (
	"bufio"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"flag"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"slices"
	"strings"
	"sync"
	"time"
)

// target is one address with the credentials for it.
type target struct {
	url    *url.URL
	config *tls.Config
	token  string
}

func targetFlags(flags *flag.FlagSet) func() (*target, error) {
	address := flags.String("url", "", "address, https")
	ca := flags.String("ca", "", "CA certificate, PEM")
	certificate := flags.String("cert", "", "client certificate, PEM")
	key := flags.String("key", "", "its key, PEM")
	token := flags.String("token", "", "bearer token")
	return func() (*target, error) {
		parsed, err := url.Parse(*address)
		if err != nil {
			return nil, err
		}
		pem, err := os.ReadFile(*ca)
		if err != nil {
			return nil, err
		}
		pool := x509.NewCertPool()
		if !pool.AppendCertsFromPEM(pem) {
			return nil, errors.New("no certificate in -ca")
		}
		config := &tls.Config{RootCAs: pool, ServerName: parsed.Hostname(), NextProtos: []string{"http/1.1"}}
		if *certificate != "" {
			pair, err := tls.LoadX509KeyPair(*certificate, *key)
			if err != nil {
				return nil, err
			}
			config.Certificates = []tls.Certificate{pair}
		}
		return &target{url: parsed, config: config, token: *token}, nil
	}
}

func (t *target) dial() (*tls.Conn, *bufio.Reader, error) {
	connection, err := tls.Dial("tcp", t.url.Host, t.config)
	if err != nil {
		return nil, nil, err
	}
	return connection, bufio.NewReaderSize(connection, 64*1024), nil
}

func (t *target) head(method, extra string) string {
	authorization := ""
	if t.token != "" {
		authorization = "Authorization: Bearer " + t.token + "\r\n"
	}
	return fmt.Sprintf("%s %s HTTP/1.1\r\nHost: %s\r\nUser-Agent: load\r\n%s%s\r\n", method, t.url.RequestURI(), t.url.Host, authorization, extra)
}

// requests sends GETs on C kept connections for a while and reports rate and latencies.
func requests(args []string) (any, error) {
	flags := flag.NewFlagSet("requests", flag.ContinueOnError)
	connections := flags.Int("c", 1, "connections")
	duration := flags.Duration("d", 3*time.Second, "how long")
	build := targetFlags(flags)
	if err := flags.Parse(args); err != nil {
		return nil, err
	}
	to, err := build()
	if err != nil {
		return nil, err
	}
	type result struct {
		latencies []time.Duration
		err       error
	}
	results := make([]result, *connections)
	var ready, done sync.WaitGroup
	begin := make(chan struct{})
	for i := range results {
		ready.Add(1)
		done.Add(1)
		go func(r *result) {
			defer done.Done()
			connection, reader, err := to.dial()
			if err == nil {
				// The first request warms the path and is not counted.
				err = get(to, connection, reader)
			}
			ready.Done()
			if err != nil {
				r.err = err
				return
			}
			defer connection.Close()
			<-begin
			for end := time.Now().Add(*duration); time.Now().Before(end); {
				start := time.Now()
				if r.err = get(to, connection, reader); r.err != nil {
					return
				}
				r.latencies = append(r.latencies, time.Since(start))
			}
		}(&results[i])
	}
	ready.Wait()
	started := time.Now()
	close(begin)
	done.Wait()
	elapsed := time.Since(started)
	var all []time.Duration
	for _, r := range results {
		if r.err != nil {
			return nil, r.err
		}
		all = append(all, r.latencies...)
	}
	slices.Sort(all)
	at := func(p float64) float64 { return float64(all[int(float64(len(all)-1)*p)].Microseconds()) / 1000 }
	return map[string]float64{"rps": float64(len(all)) / elapsed.Seconds(), "p50": at(0.5), "p99": at(0.99)}, nil
}

func get(to *target, connection io.Writer, reader *bufio.Reader) error {
	if _, err := io.WriteString(connection, to.head("GET", "")); err != nil {
		return err
	}
	return drain(reader)
}

func drain(reader *bufio.Reader) error {
	response, err := http.ReadResponse(reader, nil)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	if _, err := io.Copy(io.Discard, response.Body); err != nil {
		return err
	}
	if response.StatusCode != http.StatusOK {
		return fmt.Errorf("status %s", response.Status)
	}
	return nil
}

// transfer moves bytes in one request, down by GET or up by PUT, and reports MB/s (1 MB = 1e6 bytes).
func transfer(args []string) (any, error) {
	flags := flag.NewFlagSet("transfer", flag.ContinueOnError)
	bytes := flags.Int64("bytes", 100_000_000, "how many")
	isUp := flags.Bool("up", false, "send instead of receive")
	build := targetFlags(flags)
	if err := flags.Parse(args); err != nil {
		return nil, err
	}
	to, err := build()
	if err != nil {
		return nil, err
	}
	if !*isUp {
		to.url.RawQuery = fmt.Sprintf("bytes=%d", *bytes)
	}
	connection, reader, err := to.dial()
	if err != nil {
		return nil, err
	}
	defer connection.Close()
	started := time.Now()
	if *isUp {
		head := to.head("PUT", fmt.Sprintf("Content-Length: %d\r\nContent-Type: application/octet-stream\r\n", *bytes))
		body := io.LimitReader(zeros{}, *bytes)
		if _, err := io.Copy(struct{ io.Writer }{connection}, io.MultiReader(strings.NewReader(head), body)); err != nil {
			return nil, err
		}
	} else if _, err := io.WriteString(connection, to.head("GET", "")); err != nil {
		return nil, err
	}
	if err := drain(reader); err != nil {
		return nil, err
	}
	return map[string]float64{"mbps": float64(*bytes) / 1e6 / time.Since(started).Seconds()}, nil
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) {
	clear(p)
	return len(p), nil
}
