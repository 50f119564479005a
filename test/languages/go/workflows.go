package main

import (
	"errors"
	"time"

	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"
)

const soon = 20 * time.Second

var (
	quickRetry = &temporal.RetryPolicy{InitialInterval: 20 * time.Millisecond}
	colour     = temporal.NewSearchAttributeKeyKeyword("LanguagesColour")
	size       = temporal.NewSearchAttributeKeyInt64("LanguagesSize")
)

func withActivity(ctx workflow.Context) workflow.Context {
	return workflow.WithActivityOptions(ctx, workflow.ActivityOptions{StartToCloseTimeout: soon, RetryPolicy: quickRetry})
}

func greeted(ctx workflow.Context, name string) (said string, err error) {
	err = workflow.ExecuteActivity(withActivity(ctx), greet, name).Get(ctx, &said)
	return said, err
}

func hello(ctx workflow.Context, name string) (string, error) {
	return greeted(ctx, name)
}

// greetElsewhere's activity is of a worker that this program knows nothing of.
func greetElsewhere(ctx workflow.Context, name, queue string) (said string, err error) {
	options := workflow.ActivityOptions{StartToCloseTimeout: soon, TaskQueue: queue}
	err = workflow.ExecuteActivity(workflow.WithActivityOptions(ctx, options), "greet", name).Get(ctx, &said)
	return said, err
}

func retried(ctx workflow.Context) ([]int, error) {
	var tried, remembered int
	if err := workflow.ExecuteActivity(withActivity(ctx), flaky, 3).Get(ctx, &tried); err != nil {
		return nil, err
	}
	err := workflow.ExecuteActivity(withActivity(ctx), remember, 5).Get(ctx, &remembered)
	return []int{tried, remembered}, err
}

func refused(ctx workflow.Context) error {
	return workflow.ExecuteActivity(withActivity(ctx), refuse, "Refused").Get(ctx, nil)
}

// hung gives an activity up that says nothing, by its heartbeat timeout.
func hung(ctx workflow.Context) (string, error) {
	options := workflow.ActivityOptions{
		StartToCloseTimeout: soon,
		HeartbeatTimeout:    300 * time.Millisecond,
		RetryPolicy:         &temporal.RetryPolicy{MaximumAttempts: 1},
	}
	err := workflow.ExecuteActivity(workflow.WithActivityOptions(ctx, options), hang).Get(ctx, nil)
	var timeout *temporal.TimeoutError
	if errors.As(err, &timeout) {
		return timeout.TimeoutType().String(), nil
	}
	return "it came back", err
}

func local(ctx workflow.Context) (string, error) {
	options := workflow.LocalActivityOptions{StartToCloseTimeout: soon, RetryPolicy: quickRetry}
	ctx = workflow.WithLocalActivityOptions(ctx, options)
	var tried int
	if err := workflow.ExecuteLocalActivity(ctx, flaky, 3).Get(ctx, &tried); err != nil {
		return "", err
	}
	var said string
	err := workflow.ExecuteLocalActivity(ctx, greet, "local").Get(ctx, &said)
	return said, err
}

func completedElsewhere(ctx workflow.Context, name string) (said string, err error) {
	err = workflow.ExecuteActivity(withActivity(ctx), elsewhere, name).Get(ctx, &said)
	return said, err
}

// counter adds what it is signalled and what it is updated with, until it is told to finish.
func counter(ctx workflow.Context) (int, error) {
	total, done := 0, false
	must(workflow.SetQueryHandler(ctx, "sum", func() (int, error) { return total, nil }))
	notNegative := func(_ workflow.Context, n int) error {
		if n < 0 {
			return temporal.NewApplicationError("only what is not negative", "Negative")
		}
		return nil
	}
	addUpdate := func(_ workflow.Context, n int) (int, error) {
		total += n
		return total, nil
	}
	must(workflow.SetUpdateHandlerWithOptions(ctx, "addUpdate", addUpdate, workflow.UpdateHandlerOptions{Validator: notNegative}))
	// Between its acceptance and its end there is an activity and a timer.
	must(workflow.SetUpdateHandler(ctx, "addSlowly", func(ctx workflow.Context, n int) (string, error) {
		said, err := greeted(ctx, "slow")
		if err == nil {
			err = workflow.Sleep(ctx, 50*time.Millisecond)
		}
		total += n
		return said, err
	}))
	must(workflow.SetUpdateHandler(ctx, "failing", func(_ workflow.Context) error {
		return temporal.NewApplicationError("accepted, and then it failed", "Failed")
	}))
	workflow.Go(ctx, func(ctx workflow.Context) {
		for {
			var n int
			workflow.GetSignalChannel(ctx, "add").Receive(ctx, &n)
			total += n
		}
	})
	workflow.Go(ctx, func(ctx workflow.Context) {
		workflow.GetSignalChannel(ctx, "finish").Receive(ctx, nil)
		done = true
	})
	err := workflow.Await(ctx, func() bool { return done && workflow.AllHandlersFinished(ctx) })
	return total, err
}

// waiter waits for a signal, and says what became of it.
func waiter(ctx workflow.Context) (string, error) {
	var word string
	selector := workflow.NewSelector(ctx)
	selector.AddReceive(workflow.GetSignalChannel(ctx, "say"), func(c workflow.ReceiveChannel, _ bool) { c.Receive(ctx, &word) })
	selector.AddReceive(ctx.Done(), func(workflow.ReceiveChannel, bool) { word = "cancelled" })
	selector.Select(ctx)
	return word, nil
}

// parent has a child that succeeds, one that fails, one that it signals and one that it cancels.
func parent(ctx workflow.Context) ([]string, error) {
	me := workflow.GetInfo(ctx).WorkflowExecution.ID
	child := func(ctx workflow.Context, name string) workflow.Context {
		return workflow.WithChildOptions(ctx, workflow.ChildWorkflowOptions{WorkflowID: me + "/" + name})
	}
	var said, heard, over string
	if err := workflow.ExecuteChildWorkflow(child(ctx, "hello"), hello, "child").Get(ctx, &said); err != nil {
		return nil, err
	}
	var application *temporal.ApplicationError
	err := workflow.ExecuteChildWorkflow(child(ctx, "refused"), refused).Get(ctx, nil)
	if !errors.As(err, &application) {
		return nil, errors.New("the child did not fail as it should")
	}
	signalled := workflow.ExecuteChildWorkflow(child(ctx, "signalled"), waiter)
	if err := signalled.SignalChildWorkflow(ctx, "say", "heard").Get(ctx, nil); err != nil {
		return nil, err
	}
	cancelCtx, cancel := workflow.WithCancel(ctx)
	options := workflow.ChildWorkflowOptions{WorkflowID: me + "/cancelled", WaitForCancellation: true}
	cancelled := workflow.ExecuteChildWorkflow(workflow.WithChildOptions(cancelCtx, options), waiter)
	if err := cancelled.GetChildWorkflowExecution().Get(ctx, nil); err != nil {
		return nil, err
	}
	cancel()
	if err := signalled.Get(ctx, &heard); err != nil {
		return nil, err
	}
	err = cancelled.Get(ctx, &over)
	return []string{said, application.Type(), heard, over}, err
}

var closePolicies = map[string]enumspb.ParentClosePolicy{
	"TERMINATE":      enumspb.PARENT_CLOSE_POLICY_TERMINATE,
	"ABANDON":        enumspb.PARENT_CLOSE_POLICY_ABANDON,
	"REQUEST_CANCEL": enumspb.PARENT_CLOSE_POLICY_REQUEST_CANCEL,
}

// leaver ends while its children are still at work: one for each policy.
func leaver(ctx workflow.Context) error {
	me := workflow.GetInfo(ctx).WorkflowExecution.ID
	for _, name := range []string{"TERMINATE", "ABANDON", "REQUEST_CANCEL"} {
		options := workflow.ChildWorkflowOptions{WorkflowID: me + "/" + name, ParentClosePolicy: closePolicies[name]}
		started := workflow.ExecuteChildWorkflow(workflow.WithChildOptions(ctx, options), waiter).GetChildWorkflowExecution()
		if err := started.Get(ctx, nil); err != nil {
			return err
		}
	}
	return nil
}

// caller signals one workflow that is no child of it, cancels another one, and meets a third that is not there.
func caller(ctx workflow.Context, signalled, cancelled string) (string, error) {
	if err := workflow.SignalExternalWorkflow(ctx, signalled, "", "say", "from afar").Get(ctx, nil); err != nil {
		return "", err
	}
	if err := workflow.RequestCancelExternalWorkflow(ctx, cancelled, "").Get(ctx, nil); err != nil {
		return "", err
	}
	err := workflow.SignalExternalWorkflow(ctx, "nobody", "", "say", "?").Get(ctx, nil)
	var unknown *temporal.UnknownExternalWorkflowExecutionError
	if errors.As(err, &unknown) {
		return "not found", nil
	}
	return "", err
}

func again(ctx workflow.Context, times int, seen []string) ([]string, error) {
	seen = append(seen, workflow.GetInfo(ctx).WorkflowExecution.RunID)
	if times > 0 {
		return nil, workflow.NewContinueAsNewError(ctx, again, times-1, seen)
	}
	return seen, nil
}

// sleeper has a timer that ends, one that is cancelled, and clean-up when it is cancelled itself.
func sleeper(ctx workflow.Context) (string, error) {
	timerCtx, cancelTimer := workflow.WithCancel(ctx)
	left := workflow.NewTimer(timerCtx, time.Hour)
	if err := workflow.Sleep(ctx, 50*time.Millisecond); err != nil {
		return "", err
	}
	cancelTimer()
	if err := left.Get(ctx, nil); !temporal.IsCanceledError(err) {
		return "", errors.New("the timer was not cancelled")
	}
	options := workflow.ActivityOptions{StartToCloseTimeout: time.Hour, HeartbeatTimeout: 3 * time.Second, WaitForCancellation: true}
	err := workflow.ExecuteActivity(workflow.WithActivityOptions(ctx, options), beatUntilCancelled).Get(ctx, nil)
	if !temporal.IsCanceledError(err) {
		return "", err
	}
	free, cancel := workflow.NewDisconnectedContext(ctx)
	defer cancel()
	return greeted(free, "clean-up")
}

func coloured(ctx workflow.Context) (string, error) {
	if err := workflow.UpsertTypedSearchAttributes(ctx, colour.ValueSet("blue"), size.ValueUnset()); err != nil {
		return "", err
	}
	if err := workflow.UpsertMemo(ctx, map[string]any{"note": "changed"}); err != nil {
		return "", err
	}
	value, _ := workflow.GetTypedSearchAttributes(ctx).GetKeyword(colour)
	return value, nil
}

// patched has the markers of versions and side effects.
func patched(ctx workflow.Context) (string, error) {
	if workflow.GetVersion(ctx, "second-edition", workflow.DefaultVersion, 2) != 2 {
		return "old", nil
	}
	var drawn, changed int
	if err := workflow.SideEffect(ctx, func(workflow.Context) any { return 4 }).Get(&drawn); err != nil {
		return "", err
	}
	same := func(a, b any) bool { return a == b }
	value := workflow.MutableSideEffect(ctx, "setting", func(workflow.Context) any { return 5 }, same)
	if err := value.Get(&changed); err != nil {
		return "", err
	}
	return greeted(ctx, "new")
}

// failsOnce gets a second run by its own retry policy.
func failsOnce(ctx workflow.Context) (int, error) {
	attempt := int(workflow.GetInfo(ctx).Attempt)
	if attempt < 2 {
		return 0, errors.New("not at the first attempt")
	}
	return attempt, nil
}

func versioned(ctx workflow.Context) (string, error) {
	said, err := greeted(ctx, "version")
	return said + " " + workflow.GetInfo(ctx).GetCurrentBuildID(), err
}

// sessional has its activities on one worker.
func sessional(ctx workflow.Context) (string, error) {
	ctx = withActivity(ctx)
	options := &workflow.SessionOptions{CreationTimeout: soon, ExecutionTimeout: time.Minute}
	session, err := workflow.CreateSession(ctx, options)
	if err != nil {
		return "", err
	}
	defer workflow.CompleteSession(session)
	var said string
	err = workflow.ExecuteActivity(session, greet, "session").Get(session, &said)
	return said, err
}

// journey lives through a kill of the server: an activity is under way then, a timer and another activity come after it.
func journey(ctx workflow.Context) ([]string, error) {
	before, err := greeted(ctx, "before")
	if err != nil {
		return nil, err
	}
	var during string
	options := workflow.ActivityOptions{StartToCloseTimeout: 5 * time.Minute}
	if err := workflow.ExecuteActivity(workflow.WithActivityOptions(ctx, options), overTheKill).Get(ctx, &during); err != nil {
		return nil, err
	}
	workflow.GetSignalChannel(ctx, "goOn").Receive(ctx, nil)
	if err := workflow.Sleep(ctx, 100*time.Millisecond); err != nil {
		return nil, err
	}
	after, err := greeted(ctx, "after")
	return []string{before, during, after}, err
}
