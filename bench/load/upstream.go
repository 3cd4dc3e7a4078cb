package main

import (
	"crypto/tls"
	"flag"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strconv"
	"strings"
)

// upstream serves what `connect` asks of an API server, and the three paths that are measured:
// /api/v1/bench/small (1 KB of JSON), /api/v1/bench/down?bytes=N, and PUT /api/v1/bench/up.
func upstream(args []string) (any, error) {
	flags := flag.NewFlagSet("upstream", flag.ContinueOnError)
	caFile := flags.String("ca-out", "", "file the self-signed certificate is written to, PEM")
	if err := flags.Parse(args); err != nil {
		return nil, err
	}
	pair, err := selfSigned(*caFile)
	if err != nil {
		return nil, err
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	fmt.Fprintf(os.Stderr, "listening %s\n", listener.Addr())
	// HTTP/1.1 only: what the agent speaks to an API server, so that direct and proxied do the same work.
	config := &tls.Config{Certificates: []tls.Certificate{*pair}, NextProtos: []string{"http/1.1"}}
	return nil, http.Serve(tls.NewListener(listener, config), routes())
}

func routes() http.Handler {
	mux := http.NewServeMux()
	reply := func(pattern, body string) {
		mux.HandleFunc(pattern, func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Type", "application/json")
			io.WriteString(w, body)
		})
	}
	reply("/version", `{"major":"1","minor":"34","gitVersion":"v1.34.0-bench","platform":"linux/amd64"}`)
	reply("/api/v1/namespaces/kube-system", `{"kind":"Namespace","apiVersion":"v1","metadata":{"name":"kube-system","uid":"00000000-0000-4000-8000-000000000000"}}`)
	reply("/apis/authorization.k8s.io/v1/selfsubjectaccessreviews", `{"kind":"SelfSubjectAccessReview","apiVersion":"authorization.k8s.io/v1","metadata":{},"spec":{},"status":{"allowed":true}}`)
	reply("/api/v1/nodes", `{"kind":"NodeList","apiVersion":"v1","metadata":{},"items":[]}`)
	reply("/api/v1/bench/small", `{"kind":"ConfigMap","data":{"a":"`+strings.Repeat("x", 980)+`"}}`)
	mux.HandleFunc("/api/v1/bench/down", down)
	mux.HandleFunc("/api/v1/bench/up", up)
	return mux
}

func down(w http.ResponseWriter, r *http.Request) {
	left, err := strconv.ParseInt(r.URL.Query().Get("bytes"), 10, 64)
	if err != nil {
		http.Error(w, "bytes?", http.StatusBadRequest)
		return
	}
	w.Header().Set("Content-Length", strconv.FormatInt(left, 10))
	block := make([]byte, 64*1024)
	for left > 0 {
		n, err := w.Write(block[:min(int64(len(block)), left)])
		if err != nil {
			return
		}
		left -= int64(n)
	}
}

func up(w http.ResponseWriter, r *http.Request) {
	n, err := io.Copy(io.Discard, r.Body)
	if err != nil {
		return
	}
	fmt.Fprintf(w, `{"received":%d}`, n)
}
