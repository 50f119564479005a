// The official Go SDK against a server: a worker, and a client that checks what comes of it.
//
//	program --address HOST:PORT --queue NAME --native-queue NAME
//
// One line for each check ("ok NAME" or "failed NAME: why"). Lines that begin with ">" ask something of the runner, which answers on standard input.
package main

import (
	"bufio"
	"flag"
	"os"
	"slices"
	"time"

	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/worker"
)

var workflows = []any{
	hello, greetElsewhere, retried, refused, hung, local, completedElsewhere, counter, waiter, parent, leaver, caller, again, sleeper, coloured,
	patched, failsOnce, sessional, journey,
}

var activities = []any{greet, flaky, remember, refuse, beatUntilCancelled, hang, elsewhere, overTheKill}

// silent says nothing of attempts that fail on purpose.
type silent struct{}

func (silent) Debug(string, ...any) {}
func (silent) Info(string, ...any)  {}
func (silent) Warn(string, ...any)  {}
func (silent) Error(string, ...any) {}

func main() {
	address := flag.String("address", "", "of the server, host:port")
	queue := flag.String("queue", "", "that the worker serves")
	nativeQueue := flag.String("native-queue", "", "that a worker of the native door serves")
	flag.Parse()
	os.Exit(run(*address, *queue, *nativeQueue))
}

func run(address, queue, nativeQueue string) int {
	// Workers say that they are there once a minute by default, which is long to wait for.
	options := client.Options{HostPort: address, Logger: silent{}, WorkerHeartbeatInterval: time.Second}
	connection, err := client.Dial(options)
	must(err)
	defer connection.Close()
	// Cancelled activities finish before the worker stops.
	served := worker.New(connection, queue, worker.Options{EnableSessionWorker: true, WorkerStopTimeout: soon})
	for _, workflow := range workflows {
		served.RegisterWorkflow(workflow)
	}
	for _, activity := range activities {
		served.RegisterActivity(activity)
	}
	must(served.Start())
	defer served.Stop()
	world := &World{client: connection, queue: queue, nativeQueue: nativeQueue, stdin: bufio.NewReader(os.Stdin)}
	return min(1, report(world, slices.Concat(workflowChecks, administrationChecks, doorChecks)))
}
