package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	commonpb "go.temporal.io/api/common/v1"
	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/api/operatorservice/v1"
	"go.temporal.io/api/serviceerror"
	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/worker"
	"go.temporal.io/sdk/workflow"
)

// administrationChecks are what operators and schedules do.
var administrationChecks = []Check{
	{"schedules", checkSchedules},
	{"search", checkSearch},
	{"versioning", checkVersioning},
	{"reset", checkReset},
	{"standalone-activity", checkStandalone},
	{"workers", checkWorkers},
	{"task-queue", checkTaskQueue},
}

func checkSchedules(ctx context.Context, w *World) {
	id, schedules := w.id(), w.client.ScheduleClient()
	options := client.ScheduleOptions{
		ID: id,
		Spec: client.ScheduleSpec{
			Calendars: []client.ScheduleCalendarSpec{{
				Month: []client.ScheduleRange{{Start: 1}}, Hour: []client.ScheduleRange{{Start: 9, End: 17, Step: 2}},
				Comment: "some hours in January",
			}},
			CronExpressions: []string{"30 4 * * 1-5"},
			TimeZoneName:    "Europe/Vienna",
		},
		Action: &client.ScheduleWorkflowAction{ID: id + "-run", Workflow: hello, Args: []any{"schedule"}, TaskQueue: w.queue},
		Note:   "as made",
		Memo:   map[string]any{"of": "the check"},
	}
	handle, err := schedules.Create(ctx, options)
	must(err)
	_, err = schedules.Create(ctx, options)
	isTrue(errors.Is(err, temporal.ErrScheduleAlreadyRunning), fmt.Sprintf("a second schedule of one id: %v", err))

	describe := func() *client.ScheduleDescription {
		described, err := handle.Describe(ctx)
		must(err)
		return described
	}
	must(handle.Trigger(ctx, client.ScheduleTriggerOptions{Overlap: enumspb.SCHEDULE_OVERLAP_POLICY_ALLOW_ALL}))
	until(func() bool { return len(describe().Info.RecentActions) > 0 })
	first := describe().Info.RecentActions[0].StartWorkflowResult
	run := w.client.GetWorkflow(ctx, first.WorkflowID, first.FirstExecutionRunID)
	equal(result[string](ctx, run), "Hello, schedule!")

	must(handle.Pause(ctx, client.SchedulePauseOptions{Note: "for now"}))
	described := describe()
	equal(described.Schedule.State.Paused, true)
	equal(described.Schedule.State.Note, "for now")
	equal(described.Schedule.Spec.TimeZoneName, "Europe/Vienna")
	equal(len(described.Schedule.Spec.Calendars), 2)
	equal(len(described.Info.NextActionTimes), 10)
	equal(len(described.Memo.GetFields()), 1)
	must(handle.Unpause(ctx, client.ScheduleUnpauseOptions{Note: "again"}))
	must(handle.Update(ctx, client.ScheduleUpdateOptions{
		DoUpdate: func(seen client.ScheduleUpdateInput) (*client.ScheduleUpdate, error) {
			schedule := seen.Description.Schedule
			schedule.Spec = &client.ScheduleSpec{Intervals: []client.ScheduleIntervalSpec{{Every: time.Hour}}}
			return &client.ScheduleUpdate{Schedule: &schedule}, nil
		},
	}))
	equal(describe().Schedule.Spec.Intervals, []client.ScheduleIntervalSpec{{Every: time.Hour}})
	day := time.Date(2020, 1, 1, 0, 0, 0, 0, time.UTC)
	must(handle.Backfill(ctx, client.ScheduleBackfillOptions{Backfill: []client.ScheduleBackfill{{
		Start: day, End: day.Add(2 * time.Hour), Overlap: enumspb.SCHEDULE_OVERLAP_POLICY_ALLOW_ALL,
	}}}))
	until(func() bool { return describe().Info.NumActions >= 3 })
	until(func() bool {
		list, err := schedules.List(ctx, client.ScheduleListOptions{})
		must(err)
		for list.HasNext() {
			entry, err := list.Next()
			must(err)
			if entry.ID == id {
				return true
			}
		}
		return false
	})
	must(handle.Delete(ctx))
	_, err = handle.Describe(ctx)
	fails[*serviceerror.NotFound](err)
}

func checkSearch(ctx context.Context, w *World) {
	_, err := w.client.OperatorService().AddSearchAttributes(ctx, &operatorservice.AddSearchAttributesRequest{
		Namespace: "default",
		SearchAttributes: map[string]enumspb.IndexedValueType{
			colour.GetName(): enumspb.INDEXED_VALUE_TYPE_KEYWORD,
			size.GetName():   enumspb.INDEXED_VALUE_TYPE_INT,
		},
	})
	must(err)
	run := w.startWith(ctx, w.options(func(o *client.StartWorkflowOptions) {
		o.TypedSearchAttributes = temporal.NewSearchAttributes(colour.ValueSet("red"), size.ValueSet(4))
		o.Memo = map[string]any{"note": "as started", "kept": []int{1, 2}}
		o.StaticSummary, o.StaticDetails = "a summary", "details"
	}), coloured)
	equal(result[string](ctx, run), "blue")
	described, err := w.client.DescribeWorkflow(ctx, run.GetID(), "")
	must(err)
	value, _ := described.TypedSearchAttributes.GetKeyword(colour)
	equal(value, "blue")
	_, has := described.TypedSearchAttributes.GetInt64(size)
	equal(has, false)
	equal(len(described.Memo.GetFields()), 2)
	summary, err := described.GetStaticSummary()
	must(err)
	equal(summary, "a summary")
	query := fmt.Sprintf("LanguagesColour = 'blue' AND WorkflowId = '%s'", run.GetID())
	until(func() bool {
		found, err := w.client.ListWorkflow(ctx, &workflowservice.ListWorkflowExecutionsRequest{Query: query})
		must(err)
		return len(found.GetExecutions()) == 1
	})
	count := func(query string) (*workflowservice.CountWorkflowExecutionsResponse, error) {
		return w.client.CountWorkflow(ctx, &workflowservice.CountWorkflowExecutionsRequest{Query: query})
	}
	counted, err := count(query)
	must(err)
	equal(counted.GetCount(), 1)
	_, err = count("NoSuch = 1")
	fails[*serviceerror.InvalidArgument](err)
}

func checkVersioning(ctx context.Context, w *World) {
	name, queue := w.id(), w.queue+"-versioned"
	deployment := w.client.WorkerDeploymentClient().GetHandle(name)
	serve := func(buildID string) worker.Worker {
		served := worker.New(w.client, queue, worker.Options{DeploymentOptions: worker.DeploymentOptions{
			UseVersioning:             true,
			Version:                   worker.WorkerDeploymentVersion{DeploymentName: name, BuildID: buildID},
			DefaultVersioningBehavior: workflow.VersioningBehaviorAutoUpgrade,
		}})
		served.RegisterWorkflowWithOptions(versioned, workflow.RegisterOptions{VersioningBehavior: workflow.VersioningBehaviorPinned})
		served.RegisterWorkflow(waiter)
		served.RegisterActivity(greet)
		must(served.Start())
		return served
	}
	for _, buildID := range []string{"one", "two"} {
		defer serve(buildID).Stop()
	}
	there := w.options(func(o *client.StartWorkflowOptions) { o.TaskQueue = queue })
	for _, buildID := range []string{"one", "two"} {
		until(func() bool {
			described, err := deployment.Describe(ctx, client.WorkerDeploymentDescribeOptions{})
			var notFound *serviceerror.NotFound
			if errors.As(err, &notFound) {
				return false
			}
			must(err)
			for _, version := range described.Info.VersionSummaries {
				if version.Version.BuildID == buildID {
					return true
				}
			}
			return false
		})
		_, err := deployment.SetCurrentVersion(ctx, client.WorkerDeploymentSetCurrentVersionOptions{BuildID: buildID})
		must(err)
		there.ID = w.id()
		equal(result[string](ctx, w.startWith(ctx, there, versioned)), "Hello, version! "+buildID)
	}
	there.ID = w.id()
	upgraded := w.startWith(ctx, there, waiter)
	w.signal(ctx, upgraded, "say", "upgraded")
	equal(result[string](ctx, upgraded), "upgraded")
}

func checkReset(ctx context.Context, w *World) {
	run := w.start(ctx, hello, "reset")
	must(run.Get(ctx, nil))
	answer, err := w.client.ResetWorkflowExecution(ctx, &workflowservice.ResetWorkflowExecutionRequest{
		Namespace:                 "default",
		WorkflowExecution:         &commonpb.WorkflowExecution{WorkflowId: run.GetID(), RunId: run.GetRunID()},
		Reason:                    "check",
		RequestId:                 w.id(),
		WorkflowTaskFinishEventId: 4,
	})
	must(err)
	equal(result[string](ctx, w.client.GetWorkflow(ctx, run.GetID(), answer.GetRunId())), "Hello, reset!")
}

func checkStandalone(ctx context.Context, w *World) {
	handle, err := w.client.ExecuteActivity(ctx, client.StartActivityOptions{
		ID: w.id(), TaskQueue: w.queue, StartToCloseTimeout: soon, RetryPolicy: quickRetry,
	}, flaky, 2)
	must(err)
	var tried int
	must(handle.Get(ctx, &tried))
	equal(tried, 2)
}

// checkWorkers sees that the worker says that it is there, as `temporal worker list` shows it.
func checkWorkers(ctx context.Context, w *World) {
	until(func() bool {
		query := fmt.Sprintf("TaskQueue = '%s'", w.queue)
		answer, err := w.client.WorkflowService().ListWorkers(ctx, &workflowservice.ListWorkersRequest{Namespace: "default", Query: query})
		must(err)
		return len(answer.GetWorkersInfo())+len(answer.GetWorkers()) > 0
	})
}

func checkTaskQueue(ctx context.Context, w *World) {
	described, err := w.client.DescribeTaskQueue(ctx, w.queue, enumspb.TASK_QUEUE_TYPE_WORKFLOW)
	must(err)
	isTrue(len(described.GetPollers()) > 0, "its poller is not there")
	enhanced, err := w.client.DescribeTaskQueueEnhanced(ctx, client.DescribeTaskQueueEnhancedOptions{
		TaskQueue: w.queue, ReportPollers: true, ReportStats: true,
	})
	must(err)
	equal(len(enhanced.VersionsInfo), 1)
}
