package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"reflect"
	"strings"
	"time"

	"go.temporal.io/sdk/client"
)

const (
	pollEvery = 50 * time.Millisecond
	patience  = 60 * time.Second
	// One check, on a machine that has other things to do.
	checkPatience = 180 * time.Second
)

// World has a client, the queue its worker serves, and ids that nobody else uses.
type World struct {
	client      client.Client
	queue       string
	nativeQueue string
	ids         int
	started     []client.WorkflowRun
	stdin       *bufio.Reader
}

// Check is one line of the report. It panics with what is not as it must be.
type Check struct {
	name string
	run  func(context.Context, *World)
}

func (w *World) id() string {
	w.ids++
	return fmt.Sprintf("%s-%d", w.queue, w.ids)
}

// options of a start on the worker's queue, with an id of its own.
func (w *World) options(changes ...func(*client.StartWorkflowOptions)) client.StartWorkflowOptions {
	options := client.StartWorkflowOptions{
		ID: w.id(), TaskQueue: w.queue, WorkflowExecutionErrorWhenAlreadyStarted: true,
	}
	for _, change := range changes {
		change(&options)
	}
	return options
}

func (w *World) startWith(ctx context.Context, options client.StartWorkflowOptions, workflow any, args ...any) client.WorkflowRun {
	run, err := w.client.ExecuteWorkflow(ctx, options, workflow, args...)
	must(err)
	w.started = append(w.started, run)
	return run
}

func (w *World) start(ctx context.Context, workflow any, args ...any) client.WorkflowRun {
	return w.startWith(ctx, w.options(), workflow, args...)
}

// told waits until the runner says this word.
func (w *World) told(word string) {
	line, err := w.stdin.ReadString('\n')
	must(err)
	equal(strings.TrimSpace(line), word)
}

// report runs the checks one after the other, a line for each, and says how many failed.
func report(w *World, checks []Check) int {
	failed := 0
	for _, check := range checks {
		since := time.Now()
		if why := runCheck(w, check); why != "" {
			failed++
			say("failed %s: %s", check.name, strings.ReplaceAll(why, "\n", " | "))
		} else {
			say("ok %s %d ms", check.name, time.Since(since).Milliseconds())
		}
	}
	return failed
}

func runCheck(w *World, check Check) (why string) {
	ctx, cancel := context.WithTimeout(context.Background(), checkPatience)
	defer cancel()
	defer func() {
		if thrown := recover(); thrown != nil {
			why = fmt.Sprint(thrown) + where()
		}
	}()
	check.run(ctx, w)
	return ""
}

func say(format string, values ...any) {
	fmt.Fprintf(os.Stdout, format+"\n", values...)
}

func must(err error) {
	if err != nil {
		panic(fmt.Errorf("unexpected: %w", err))
	}
}

func equal[T any](found, expected T) {
	if !reflect.DeepEqual(found, expected) {
		panic(fmt.Errorf("expected %v, found %v", expected, found))
	}
}

func isTrue(holds bool, otherwise string) {
	if !holds {
		panic(errors.New(otherwise))
	}
}

// fails asserts that err is, or wraps, an error of this type.
func fails[E error](err error) E {
	var wanted E
	if !errors.As(err, &wanted) {
		panic(fmt.Errorf("expected an error of type %T, found %v", wanted, err))
	}
	return wanted
}

// result of a run that must succeed.
func result[T any](ctx context.Context, run client.WorkflowRun) T {
	var value T
	must(run.Get(ctx, &value))
	return value
}

// until asks until there is something.
func until(look func() bool) {
	giveUpAt := time.Now().Add(patience)
	for !look() {
		if time.Now().After(giveUpAt) {
			panic(errors.New("it did not come about"))
		}
		time.Sleep(pollEvery)
	}
}
