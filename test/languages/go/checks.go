package main

import (
	"context"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	enumspb "go.temporal.io/api/enums/v1"
	historypb "go.temporal.io/api/history/v1"
	"go.temporal.io/api/serviceerror"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/temporal"
)

// workflowChecks are what workflows do.
var workflowChecks = []Check{
	{"hello", checkHello},
	{"activities", checkActivities},
	{"local-activities", checkLocal},
	{"async-completion", checkAsync},
	{"signals-queries", checkSignals},
	{"updates", checkUpdates},
	{"update-with-start", checkUpdateWithStart},
	{"children", checkChildren},
	{"parent-close", checkParentClose},
	{"external", checkExternal},
	{"continue-as-new", checkAgain},
	{"timers-cancellation", checkCancellation},
	{"ends", checkEnds},
	{"ids", checkIDs},
	{"eager-start", checkEager},
	{"patches", checkPatches},
	{"sessions", checkSessions},
}

func checkHello(ctx context.Context, w *World) {
	equal(result[string](ctx, w.start(ctx, hello, "World")), "Hello, World!")
	var runs []client.WorkflowRun
	for n := range 20 {
		runs = append(runs, w.start(ctx, hello, strconv.Itoa(n)))
	}
	for n, run := range runs {
		equal(result[string](ctx, run), "Hello, "+strconv.Itoa(n)+"!")
	}
}

func checkActivities(ctx context.Context, w *World) {
	equal(result[[]int](ctx, w.start(ctx, retried)), []int{3, 5})
	equal(result[string](ctx, w.start(ctx, hung)), "Heartbeat")
	err := w.start(ctx, refused).Get(ctx, nil)
	fails[*temporal.ActivityError](err)
	application := fails[*temporal.ApplicationError](err)
	var detail int
	must(application.Details(&detail))
	equal(application.Type(), "Refused")
	equal(application.NonRetryable(), true)
	equal(detail, 7)
}

func checkLocal(ctx context.Context, w *World) {
	equal(result[string](ctx, w.start(ctx, local)), "Hello, local!")
}

func checkAsync(ctx context.Context, w *World) {
	run := w.start(ctx, completedElsewhere, "by-token")
	var token any
	until(func() (found bool) {
		token, found = tokens.Load("by-token")
		return found
	})
	must(w.client.RecordActivityHeartbeat(ctx, token.([]byte), "alive"))
	must(w.client.CompleteActivity(ctx, token.([]byte), "from outside", nil))
	equal(result[string](ctx, run), "from outside")
	fails[*serviceerror.NotFound](w.client.CompleteActivity(ctx, token.([]byte), "twice", nil))
}

func (w *World) signal(ctx context.Context, run client.WorkflowRun, name string, arg any) {
	must(w.client.SignalWorkflow(ctx, run.GetID(), "", name, arg))
}

func (w *World) sum(ctx context.Context, run client.WorkflowRun) (total int) {
	value, err := w.client.QueryWorkflow(ctx, run.GetID(), "", "sum")
	must(err)
	must(value.Get(&total))
	return total
}

func checkSignals(ctx context.Context, w *World) {
	run := w.start(ctx, counter)
	for n := range 6 {
		w.signal(ctx, run, "add", n)
	}
	equal(w.sum(ctx, run), 15)
	_, err := w.client.QueryWorkflow(ctx, run.GetID(), "", "nothing")
	fails[*serviceerror.QueryFailed](err)
	w.signal(ctx, run, "finish", nil)
	equal(result[int](ctx, run), 15)
	equal(w.sum(ctx, run), 15)
	options := w.options()
	started, err := w.client.SignalWithStartWorkflow(ctx, options.ID, "add", 4, options, counter)
	must(err)
	equal(w.sum(ctx, started), 4)
	w.signal(ctx, started, "finish", nil)
	equal(result[int](ctx, started), 4)
}

// update sends one and waits for its end.
func (w *World) update(ctx context.Context, run client.WorkflowRun, id, name string, args ...any) client.WorkflowUpdateHandle {
	handle, err := w.client.UpdateWorkflow(ctx, client.UpdateWorkflowOptions{
		WorkflowID: run.GetID(), UpdateID: id, UpdateName: name, Args: args, WaitForStage: client.WorkflowUpdateStageAccepted,
	})
	must(err)
	return handle
}

func checkUpdates(ctx context.Context, w *World) {
	run := w.start(ctx, counter)
	var total int
	must(w.update(ctx, run, "", "addUpdate", 3).Get(ctx, &total))
	equal(total, 3)
	equal(fails[*temporal.ApplicationError](w.update(ctx, run, "", "addUpdate", -1).Get(ctx, nil)).Type(), "Negative")
	equal(fails[*temporal.ApplicationError](w.update(ctx, run, "", "failing").Get(ctx, nil)).Type(), "Failed")
	unknown := w.update(ctx, run, "", "nothing").Get(ctx, nil)
	isTrue(unknown != nil && strings.Contains(unknown.Error(), "nothing"), "an unknown update was not refused")
	// The same id is the same update.
	for range 2 {
		var said string
		must(w.update(ctx, run, "slow", "addSlowly", 2).Get(ctx, &said))
		equal(said, "Hello, slow!")
	}
	totals := make([]int, 10)
	var all sync.WaitGroup
	for n := range totals {
		all.Go(func() {
			handle, err := w.client.UpdateWorkflow(ctx, client.UpdateWorkflowOptions{
				WorkflowID: run.GetID(), UpdateName: "addUpdate", Args: []any{1}, WaitForStage: client.WorkflowUpdateStageCompleted,
			})
			if err == nil {
				_ = handle.Get(ctx, &totals[n])
			}
		})
	}
	all.Wait()
	slices.Sort(totals)
	equal(totals, []int{6, 7, 8, 9, 10, 11, 12, 13, 14, 15})
	w.signal(ctx, run, "finish", nil)
	equal(result[int](ctx, run), 15)
	// What a validator refused is in no history.
	equal(len(w.events(ctx, run, enumspb.EVENT_TYPE_WORKFLOW_EXECUTION_UPDATE_ACCEPTED)), 13)
	_, err := w.client.UpdateWorkflow(ctx, client.UpdateWorkflowOptions{
		WorkflowID: run.GetID(), UpdateName: "addUpdate", Args: []any{1}, WaitForStage: client.WorkflowUpdateStageCompleted,
	})
	fails[*serviceerror.NotFound](err)
}

func checkUpdateWithStart(ctx context.Context, w *World) {
	id := w.id()
	add := func(n int, policy enumspb.WorkflowIdConflictPolicy) (total int, err error) {
		options := client.StartWorkflowOptions{ID: id, TaskQueue: w.queue, WorkflowIDConflictPolicy: policy}
		handle, err := w.client.UpdateWithStartWorkflow(ctx, client.UpdateWithStartWorkflowOptions{
			StartWorkflowOperation: w.client.NewWithStartWorkflowOperation(options, counter),
			UpdateOptions: client.UpdateWorkflowOptions{
				UpdateName: "addUpdate", Args: []any{n}, WaitForStage: client.WorkflowUpdateStageCompleted,
			},
		})
		if err != nil {
			return 0, err
		}
		err = handle.Get(ctx, &total)
		return total, err
	}
	useExisting := enumspb.WORKFLOW_ID_CONFLICT_POLICY_USE_EXISTING
	for _, expected := range []int{2, 4} {
		total, err := add(2, useExisting)
		must(err)
		equal(total, expected)
	}
	_, err := add(1, enumspb.WORKFLOW_ID_CONFLICT_POLICY_FAIL)
	fails[*serviceerror.WorkflowExecutionAlreadyStarted](err)
	_, err = add(-1, useExisting)
	fails[*temporal.ApplicationError](err)
	run := w.client.GetWorkflow(ctx, id, "")
	w.signal(ctx, run, "finish", nil)
	equal(result[int](ctx, run), 4)
}

func checkChildren(ctx context.Context, w *World) {
	equal(result[[]string](ctx, w.start(ctx, parent)), []string{"Hello, child!", "Refused", "heard", "cancelled"})
}

func (w *World) status(ctx context.Context, id, runID string) enumspb.WorkflowExecutionStatus {
	described, err := w.client.DescribeWorkflowExecution(ctx, id, runID)
	must(err)
	return described.GetWorkflowExecutionInfo().GetStatus()
}

func checkParentClose(ctx context.Context, w *World) {
	run := w.start(ctx, leaver)
	must(run.Get(ctx, nil))
	child := func(policy string) client.WorkflowRun { return w.client.GetWorkflow(ctx, run.GetID()+"/"+policy, "") }
	fails[*temporal.TerminatedError](child("TERMINATE").Get(ctx, nil))
	equal(result[string](ctx, child("REQUEST_CANCEL")), "cancelled")
	equal(w.status(ctx, run.GetID()+"/ABANDON", ""), enumspb.WORKFLOW_EXECUTION_STATUS_RUNNING)
	w.signal(ctx, child("ABANDON"), "say", "still here")
	equal(result[string](ctx, child("ABANDON")), "still here")
}

func checkExternal(ctx context.Context, w *World) {
	signalled, cancelled := w.start(ctx, waiter), w.start(ctx, waiter)
	equal(result[string](ctx, w.start(ctx, caller, signalled.GetID(), cancelled.GetID())), "not found")
	equal(result[string](ctx, signalled), "from afar")
	equal(result[string](ctx, cancelled), "cancelled")
}

func checkAgain(ctx context.Context, w *World) {
	run := w.start(ctx, again, 3, []string{})
	first := run.GetRunID()
	runs := result[[]string](ctx, run)
	equal(len(runs), 4)
	equal(runs[0], first)
	equal(w.status(ctx, run.GetID(), first), enumspb.WORKFLOW_EXECUTION_STATUS_CONTINUED_AS_NEW)
}

func checkCancellation(ctx context.Context, w *World) {
	run := w.start(ctx, sleeper)
	until(func() bool {
		described, err := w.client.DescribeWorkflowExecution(ctx, run.GetID(), "")
		must(err)
		return len(described.GetPendingActivities()) > 0
	})
	must(w.client.CancelWorkflow(ctx, run.GetID(), ""))
	equal(result[string](ctx, run), "Hello, clean-up!")
	later := w.options(func(o *client.StartWorkflowOptions) { o.StartDelay = 300 * time.Millisecond })
	equal(result[string](ctx, w.startWith(ctx, later, hello, "later")), "Hello, later!")
}

func checkEnds(ctx context.Context, w *World) {
	terminated := w.start(ctx, waiter)
	must(w.client.TerminateWorkflow(ctx, terminated.GetID(), "", "check", "enough"))
	fails[*temporal.TerminatedError](terminated.Get(ctx, nil))
	late := w.options(func(o *client.StartWorkflowOptions) { o.WorkflowRunTimeout = 300 * time.Millisecond })
	fails[*temporal.TimeoutError](w.startWith(ctx, late, waiter).Get(ctx, nil))
	retrying := w.options(func(o *client.StartWorkflowOptions) {
		o.RetryPolicy = &temporal.RetryPolicy{InitialInterval: 20 * time.Millisecond, MaximumAttempts: 3}
	})
	equal(result[int](ctx, w.startWith(ctx, retrying, failsOnce)), 2)
}

func checkIDs(ctx context.Context, w *World) {
	run := w.start(ctx, waiter)
	with := func(change func(*client.StartWorkflowOptions)) (client.WorkflowRun, error) {
		options := w.options(change)
		options.ID = run.GetID()
		return w.client.ExecuteWorkflow(ctx, options, waiter)
	}
	_, err := with(func(*client.StartWorkflowOptions) {})
	fails[*serviceerror.WorkflowExecutionAlreadyStarted](err)
	existing, err := with(func(o *client.StartWorkflowOptions) {
		o.WorkflowIDConflictPolicy = enumspb.WORKFLOW_ID_CONFLICT_POLICY_USE_EXISTING
	})
	must(err)
	equal(existing.GetRunID(), run.GetRunID())
	replaced, err := with(func(o *client.StartWorkflowOptions) {
		o.WorkflowIDConflictPolicy = enumspb.WORKFLOW_ID_CONFLICT_POLICY_TERMINATE_EXISTING
	})
	must(err)
	isTrue(replaced.GetRunID() != run.GetRunID(), "the run was not replaced")
	w.signal(ctx, replaced, "say", "over")
	equal(result[string](ctx, replaced), "over")
	_, err = with(func(o *client.StartWorkflowOptions) {
		o.WorkflowIDReusePolicy = enumspb.WORKFLOW_ID_REUSE_POLICY_REJECT_DUPLICATE
	})
	fails[*serviceerror.WorkflowExecutionAlreadyStarted](err)
	_, err = w.client.DescribeWorkflowExecution(ctx, "nobody", "")
	fails[*serviceerror.NotFound](err)
}

func checkEager(ctx context.Context, w *World) {
	options := w.options(func(o *client.StartWorkflowOptions) { o.EnableEagerStart = true })
	run := w.startWith(ctx, options, hello, "eager")
	equal(result[string](ctx, run), "Hello, eager!")
	started := w.events(ctx, run, enumspb.EVENT_TYPE_WORKFLOW_EXECUTION_STARTED)[0]
	accepted := started.GetWorkflowExecutionStartedEventAttributes().GetEagerExecutionAccepted()
	isTrue(accepted, "the server did not give the first task with its answer")
}

func checkPatches(ctx context.Context, w *World) {
	run := w.start(ctx, patched)
	equal(result[string](ctx, run), "Hello, new!")
	equal(len(w.events(ctx, run, enumspb.EVENT_TYPE_MARKER_RECORDED)), 3)
}

func checkSessions(ctx context.Context, w *World) {
	equal(result[string](ctx, w.start(ctx, sessional)), "Hello, session!")
}

// events of this type in the history of the run.
func (w *World) events(ctx context.Context, run client.WorkflowRun, ofType enumspb.EventType) (found []*historypb.HistoryEvent) {
	all := enumspb.HISTORY_EVENT_FILTER_TYPE_ALL_EVENT
	for history := w.client.GetWorkflowHistory(ctx, run.GetID(), run.GetRunID(), false, all); history.HasNext(); {
		event, err := history.Next()
		must(err)
		if event.GetEventType() == ofType {
			found = append(found, event)
		}
	}
	return found
}
