// The judge of the guard: an HTTP server with the API server's own impersonation filter, which answers what it understood.
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"os"

	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/serializer"
	"k8s.io/apiserver/pkg/authentication/user"
	"k8s.io/apiserver/pkg/authorization/authorizer"
	"k8s.io/apiserver/pkg/endpoints/filters"
	"k8s.io/apiserver/pkg/endpoints/request"
)

// The user a request arrives as when nothing impersonates: seen in an answer, it means that the agent's own rights were used.
const agentName = "oracle:agent"

// Identity is the answer. Byte slices are base64 in JSON, so that no byte is lost to a decoder.
type Identity struct {
	User    []byte              `json:"user"`
	UID     []byte              `json:"uid"`
	Groups  [][]byte            `json:"groups"`
	Extra   map[string][][]byte `json:"extra"`
	Leaked  []string            `json:"leaked"`
	Method  string              `json:"method"`
	Target  string              `json:"target"`
	Body    []byte              `json:"body"`
	Headers int                 `json:"headers"`
}

// allowAll lets the agent impersonate anybody: what stops it must be the guard, not a right it lacks.
type allowAll struct{}

func (allowAll) Authorize(context.Context, authorizer.Attributes) (authorizer.Decision, string, error) {
	return authorizer.DecisionAllow, "", nil
}

func authenticated(next http.Handler) http.Handler {
	agent := &user.DefaultInfo{Name: agentName, Groups: []string{"oracle:agents"}}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		// Tells an answer of this program, also a refusing one of the filter, from one of the agent.
		w.Header().Set("X-Oracle", "answered")
		next.ServeHTTP(w, r.WithContext(request.WithUser(r.Context(), agent)))
	})
}

func asBytes(texts []string) [][]byte {
	all := make([][]byte, 0, len(texts))
	for _, text := range texts {
		all = append(all, []byte(text))
	}
	return all
}

// Names of headers that must not arrive: identity headers are taken off by the filter, the rest are the guard's to drop.
var forbidden = []string{
	"Impersonate-User", "Impersonate-Group", "Impersonate-Uid", "X-Remote-User", "X-Remote-Group", "X-Forwarded-For",
	"Cookie", "Proxy-Authorization", "Trailer", "Te", "Expect", "Upgrade",
}

func answer(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	who, _ := request.UserFrom(r.Context())
	identity := Identity{
		User: []byte(who.GetName()), UID: []byte(who.GetUID()), Groups: asBytes(who.GetGroups()),
		Extra: map[string][][]byte{}, Leaked: []string{}, Method: r.Method, Target: r.RequestURI, Body: body, Headers: len(r.Header),
	}
	for key, values := range who.GetExtra() {
		identity.Extra[key] = asBytes(values)
	}
	for _, name := range forbidden {
		if _, found := r.Header[name]; found {
			identity.Leaked = append(identity.Leaked, name)
		}
	}
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(identity)
}

func main() {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		log.Fatal(err)
	}
	codecs := serializer.NewCodecFactory(runtime.NewScheme())
	filtered := filters.WithImpersonation(http.HandlerFunc(answer), allowAll{}, codecs)
	// As the API server sets it (k8s.io/apiserver/pkg/server/secure_serving.go).
	server := &http.Server{Handler: authenticated(filtered), MaxHeaderBytes: 1 << 20, ErrorLog: log.New(io.Discard, "", 0)}
	fmt.Printf("%d\n", listener.Addr().(*net.TCPAddr).Port)
	// The end of whoever started this is the end of stdin.
	go func() {
		_, _ = io.Copy(io.Discard, os.Stdin)
		os.Exit(0)
	}()
	log.Fatal(server.Serve(listener))
}
