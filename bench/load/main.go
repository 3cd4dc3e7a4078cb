// Command load is the measuring half of the benchmarks: an API server stand-in that costs next to nothing
// (`upstream`), and a client that speaks HTTP/1.1 over TLS with a client certificate (`requests`, `transfer`).
package main

import (
	"encoding/json"
	"fmt"
	"os"
)

func main() {
	if len(os.Args) < 2 {
		fail(fmt.Errorf("usage: load upstream|requests|transfer [flags]"))
	}
	commands := map[string]func([]string) (any, error){
		"upstream": upstream,
		"requests": requests,
		"transfer": transfer,
	}
	command, found := commands[os.Args[1]]
	if !found {
		fail(fmt.Errorf("unknown command %q", os.Args[1]))
	}
	result, err := command(os.Args[2:])
	if err != nil {
		fail(err)
	}
	if err := json.NewEncoder(os.Stdout).Encode(result); err != nil {
		fail(err)
	}
}

func fail(err error) {
	fmt.Fprintln(os.Stderr, "load:", err)
	os.Exit(1)
}
