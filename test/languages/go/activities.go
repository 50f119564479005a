package main

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"go.temporal.io/sdk/activity"
	"go.temporal.io/sdk/temporal"
)

// tokens of activities that something else completes, by the name they were given.
var tokens sync.Map

var (
	slowBegan = make(chan struct{})
	// restarted is closed once the server is back after it was killed.
	restarted = make(chan struct{})
)

func greet(_ context.Context, name string) (string, error) {
	return fmt.Sprintf("Hello, %s!", name), nil
}

// flaky fails until its succeedOn-th attempt.
func flaky(ctx context.Context, succeedOn int) (int, error) {
	attempt := int(activity.GetInfo(ctx).Attempt)
	if attempt < succeedOn {
		return 0, fmt.Errorf("attempt %d", attempt)
	}
	return attempt, nil
}

// remember says something in a heartbeat of its first attempt, which its second one knows.
func remember(ctx context.Context, details int) (kept int, err error) {
	if activity.HasHeartbeatDetails(ctx) {
		err = activity.GetHeartbeatDetails(ctx, &kept)
		return kept, err
	}
	activity.RecordHeartbeat(ctx, details)
	return 0, errors.New("the details must survive this")
}

func refuse(_ context.Context, kind string) error {
	return temporal.NewNonRetryableApplicationError("no", kind, nil, 7)
}

func beatUntilCancelled(ctx context.Context) error {
	for {
		activity.RecordHeartbeat(ctx)
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(20 * time.Millisecond):
		}
	}
}

// hang neither ends by itself nor says that it is alive.
func hang(ctx context.Context) error {
	<-ctx.Done()
	return ctx.Err()
}

// elsewhere ends when somebody else says so.
func elsewhere(ctx context.Context, name string) (string, error) {
	tokens.Store(name, activity.GetInfo(ctx).TaskToken)
	return "", activity.ErrResultPending
}

// overTheKill runs from before the server is killed until after it is back.
func overTheKill(ctx context.Context) (string, error) {
	close(slowBegan)
	<-restarted
	return fmt.Sprintf("attempt %d", activity.GetInfo(ctx).Attempt), nil
}
