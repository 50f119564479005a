package main

import (
	"context"

	enumspb "go.temporal.io/api/enums/v1"
	historypb "go.temporal.io/api/history/v1"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/worker"
	"go.temporal.io/sdk/workflow"
)

// doorChecks are about a server that is killed, workers and clients of the other door, and the histories that are left.
var doorChecks = []Check{
	{"native-worker", checkNativeWorker},
	{"native-client", func(_ context.Context, w *World) {
		say("> serve")
		w.told("served")
	}},
	{"restart", checkRestart},
	{"replay", checkReplay},
}

// checkNativeWorker has Tenuto's own worker serve what this client starts, and activities of this worker's workflows.
func checkNativeWorker(ctx context.Context, w *World) {
	there := client.StartWorkflowOptions{ID: w.id(), TaskQueue: w.nativeQueue}
	run, err := w.client.ExecuteWorkflow(ctx, there, "hello", "native worker")
	must(err)
	equal(result[string](ctx, run), "Hello, native worker!")
	equal(result[string](ctx, w.start(ctx, greetElsewhere, "native activity", w.nativeQueue)), "Hello, native activity!")
}

func checkRestart(ctx context.Context, w *World) {
	run := w.start(ctx, journey)
	waited := make(chan error, 1)
	var said []string
	go func() { waited <- run.Get(ctx, &said) }()
	<-slowBegan
	say("> kill")
	w.told("restarted")
	close(restarted)
	w.signal(ctx, run, "goOn", nil)
	must(<-waited)
	equal(said, []string{"Hello, before!", "attempt 1", "Hello, after!"})
}

// checkReplay finds no difference between the code and the histories that the server kept.
func checkReplay(ctx context.Context, w *World) {
	replayer := worker.NewWorkflowReplayer()
	for _, code := range append([]any{versioned}, workflows...) {
		replayer.RegisterWorkflow(code)
	}
	all := enumspb.HISTORY_EVENT_FILTER_TYPE_ALL_EVENT
	for _, run := range w.started {
		history := &historypb.History{}
		for events := w.client.GetWorkflowHistory(ctx, run.GetID(), run.GetRunID(), false, all); events.HasNext(); {
			event, err := events.Next()
			must(err)
			history.Events = append(history.Events, event)
		}
		// Workflows here name their children after themselves.
		options := worker.ReplayWorkflowHistoryOptions{OriginalExecution: workflow.Execution{ID: run.GetID(), RunID: run.GetRunID()}}
		must(replayer.ReplayWorkflowHistoryWithOptions(silent{}, history, options))
	}
	isTrue(len(w.started) > 20, "too few histories")
}
