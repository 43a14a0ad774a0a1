// A broker made of mochi-mqtt/server: `mochi PORT FOLDER` listens on loopback, keeps sessions in the folder, lets everybody in, and
// ends at SIGTERM.
package main

import (
	"log"
	"log/slog"
	"os"
	"os/signal"
	"syscall"

	mqtt "github.com/mochi-mqtt/server/v2"
	"github.com/mochi-mqtt/server/v2/hooks/auth"
	"github.com/mochi-mqtt/server/v2/hooks/storage/badger"
	"github.com/mochi-mqtt/server/v2/listeners"
)

func main() {
	if len(os.Args) != 3 {
		log.Fatal("usage: mochi PORT FOLDER")
	}
	ended := make(chan os.Signal, 1)
	signal.Notify(ended, syscall.SIGTERM)
	options := &mqtt.Options{
		Logger: slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelWarn})),
	}
	server := mqtt.New(options)
	check(server.AddHook(new(auth.AllowHook), nil))
	check(server.AddHook(new(badger.Hook), &badger.Options{Path: os.Args[2]}))
	check(server.AddListener(listeners.NewTCP(listeners.Config{
		ID:      "tcp",
		Address: "127.0.0.1:" + os.Args[1],
	})))
	check(server.Serve())
	<-ended
	check(server.Close())
}

func check(err error) {
	if err != nil {
		log.Fatal(err)
	}
}
