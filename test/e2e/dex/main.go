// Dex as its own program runs it, with storage in memory and everything else from one JSON file: an outside issuer that is
// not ours. Its connectors are Dex's own: the local password form, and the mock one whose person has groups.
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"time"

	"github.com/dexidp/dex/server"
	"github.com/dexidp/dex/storage"
	"github.com/dexidp/dex/storage/memory"
	"golang.org/x/crypto/bcrypt"
)

type person struct {
	Email    string `json:"email"`
	Password string `json:"password"`
	Name     string `json:"name"`
	ID       string `json:"id"`
}

type config struct {
	Issuer      string           `json:"issuer"`
	Listen      string           `json:"listen"`
	Certificate string           `json:"certificate"`
	Key         string           `json:"key"`
	Clients     []storage.Client `json:"clients"`
	People      []person         `json:"people"`
}

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run() error {
	if len(os.Args) != 2 {
		return fmt.Errorf("usage: dex CONFIG.json")
	}
	text, err := os.ReadFile(os.Args[1])
	if err != nil {
		return err
	}
	var c config
	if err := json.Unmarshal(text, &c); err != nil {
		return err
	}
	log := slog.New(slog.NewTextHandler(os.Stderr, nil))
	people, err := passwords(c.People)
	if err != nil {
		return err
	}
	var store storage.Storage = memory.New(log)
	store = storage.WithStaticClients(store, c.Clients)
	store = storage.WithStaticPasswords(store, people, log)
	store = storage.WithStaticConnectors(store, []storage.Connector{
		{ID: server.LocalConnector, Type: server.LocalConnector, Name: "Email"},
		{ID: "mock", Type: "mockCallback", Name: "Mock"},
	})
	policy, err := server.NewRefreshTokenPolicy(log, false, "", "", "")
	if err != nil {
		return err
	}
	dex, err := server.NewServer(context.Background(), server.Config{
		Issuer:             c.Issuer,
		Storage:            store,
		SkipApprovalScreen: true,
		IDTokensValidFor:   10 * time.Minute,
		RefreshTokenPolicy: policy,
		Logger:             log,
	})
	if err != nil {
		return err
	}
	listener, err := net.Listen("tcp", c.Listen)
	if err != nil {
		return err
	}
	log.Info("listening", "address", listener.Addr().String())
	return http.ServeTLS(listener, dex, c.Certificate, c.Key)
}

func passwords(people []person) ([]storage.Password, error) {
	made := make([]storage.Password, 0, len(people))
	for _, one := range people {
		// Dex refuses a lower cost than 10.
		hash, err := bcrypt.GenerateFromPassword([]byte(one.Password), 10)
		if err != nil {
			return nil, err
		}
		made = append(made, storage.Password{Email: one.Email, Hash: hash, Username: one.Name, UserID: one.ID})
	}
	return made, nil
}
