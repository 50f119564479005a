// How the fields of a history cross into proto3 JSON: for each message that a HistoryEvent can hold, the fields that are not plain
// strings, booleans or small numbers. `duration`, `time`, `bytes`, `int64` are leaves, `#Name` is an enum, other names are messages;
// `*` before means a list, `%` a map by string. Checked against the API's descriptors by history-json.test.ts.

export const HISTORY_SCHEMA: Readonly<Record<string, string>> = {
  HistoryEvent:
    'eventId=int64 eventTime=time eventType=#EventType userMetadata=UserMetadata links=*Link ' +
    'eventGroupMarkers=*EventGroupMarker',
  UserMetadata: 'summary=Payload details=Payload',
  Payload: 'metadata=%bytes data=bytes externalPayloads=*Payload.ExternalPayloadDetails',
  'Payload.ExternalPayloadDetails': 'sizeBytes=int64',
  Link: 'workflowEvent=Link.WorkflowEvent',
  'Link.WorkflowEvent': 'eventRef=Link.WorkflowEvent.EventReference requestIdRef=Link.WorkflowEvent.RequestIdReference',
  'Link.WorkflowEvent.EventReference': 'eventId=int64 eventType=#EventType',
  'Link.WorkflowEvent.RequestIdReference': 'eventType=#EventType',
  EventGroupMarker: 'label=EventGroupMarker.Label inboundEvent=EventGroupMarker.InboundEvent',
  'EventGroupMarker.Label': 'label=Payload',
  'EventGroupMarker.InboundEvent': 'inboundEventId=int64',
  WorkflowExecutionStartedEventAttributes:
    'parentInitiatedEventId=int64 taskQueue=TaskQueue input=Payloads workflowExecutionTimeout=duration ' +
    'workflowRunTimeout=duration workflowTaskTimeout=duration initiator=#ContinueAsNewInitiator ' +
    'continuedFailure=Failure lastCompletionResult=Payloads retryPolicy=RetryPolicy ' +
    'workflowExecutionExpirationTime=time firstWorkflowTaskBackoff=duration memo=Memo ' +
    'searchAttributes=SearchAttributes prevAutoResetPoints=ResetPoints header=Header ' +
    'parentInitiatedEventVersion=int64 completionCallbacks=*Callback versioningOverride=VersioningOverride ' +
    'inheritedAutoUpgradeInfo=InheritedAutoUpgradeInfo ' +
    'declinedTargetVersionUpgrade=DeclinedTargetVersionUpgrade timeSkippingConfig=TimeSkippingConfig ' +
    'timeSkippingStatePropagation=TimeSkippingStatePropagation',
  TaskQueue: 'kind=#TaskQueueKind',
  Payloads: 'payloads=*Payload',
  Failure:
    'encodedAttributes=Payload cause=Failure applicationFailureInfo=ApplicationFailureInfo ' +
    'timeoutFailureInfo=TimeoutFailureInfo canceledFailureInfo=CanceledFailureInfo ' +
    'resetWorkflowFailureInfo=ResetWorkflowFailureInfo activityFailureInfo=ActivityFailureInfo ' +
    'childWorkflowExecutionFailureInfo=ChildWorkflowExecutionFailureInfo ' +
    'nexusOperationExecutionFailureInfo=NexusOperationFailureInfo ' +
    'nexusHandlerFailureInfo=NexusHandlerFailureInfo',
  ApplicationFailureInfo: 'details=Payloads nextRetryDelay=duration category=#ApplicationErrorCategory',
  TimeoutFailureInfo: 'timeoutType=#TimeoutType lastHeartbeatDetails=Payloads',
  CanceledFailureInfo: 'details=Payloads',
  ResetWorkflowFailureInfo: 'lastHeartbeatDetails=Payloads',
  ActivityFailureInfo: 'scheduledEventId=int64 startedEventId=int64 retryState=#RetryState',
  ChildWorkflowExecutionFailureInfo: 'initiatedEventId=int64 startedEventId=int64 retryState=#RetryState',
  NexusOperationFailureInfo: 'scheduledEventId=int64',
  NexusHandlerFailureInfo: 'retryBehavior=#NexusHandlerErrorRetryBehavior',
  RetryPolicy: 'initialInterval=duration maximumInterval=duration',
  Memo: 'fields=%Payload',
  SearchAttributes: 'indexedFields=%Payload',
  ResetPoints: 'points=*ResetPointInfo',
  ResetPointInfo: 'firstWorkflowTaskCompletedId=int64 createTime=time expireTime=time',
  Header: 'fields=%Payload',
  Callback: 'internal=Callback.Internal links=*Link',
  'Callback.Internal': 'data=bytes',
  VersioningOverride: 'pinned=VersioningOverride.PinnedOverride behavior=#VersioningBehavior',
  'VersioningOverride.PinnedOverride': 'behavior=#PinnedOverrideBehavior',
  InheritedAutoUpgradeInfo:
    'sourceDeploymentRevisionNumber=int64 ' + 'continueAsNewInitialVersioningBehavior=#ContinueAsNewVersioningBehavior',
  DeclinedTargetVersionUpgrade: 'revisionNumber=int64',
  TimeSkippingConfig: 'fastForwardConfig=FastForwardConfig',
  FastForwardConfig: 'duration=duration',
  TimeSkippingStatePropagation: 'initialSkippedDuration=duration fastForwardTargetTime=time',
  WorkflowExecutionCompletedEventAttributes: 'result=Payloads workflowTaskCompletedEventId=int64',
  WorkflowExecutionFailedEventAttributes: 'failure=Failure retryState=#RetryState workflowTaskCompletedEventId=int64',
  WorkflowExecutionTimedOutEventAttributes: 'retryState=#RetryState',
  WorkflowTaskScheduledEventAttributes: 'taskQueue=TaskQueue startToCloseTimeout=duration',
  WorkflowTaskStartedEventAttributes:
    'scheduledEventId=int64 suggestContinueAsNewReasons=*#SuggestContinueAsNewReason historySizeBytes=int64 ' +
    'buildIdRedirectCounter=int64',
  WorkflowTaskCompletedEventAttributes:
    'scheduledEventId=int64 startedEventId=int64 versioningBehavior=#VersioningBehavior',
  WorkflowTaskTimedOutEventAttributes: 'scheduledEventId=int64 startedEventId=int64 timeoutType=#TimeoutType',
  WorkflowTaskFailedEventAttributes:
    'scheduledEventId=int64 startedEventId=int64 cause=#WorkflowTaskFailedCause failure=Failure ' +
    'forkEventVersion=int64',
  ActivityTaskScheduledEventAttributes:
    'taskQueue=TaskQueue header=Header input=Payloads scheduleToCloseTimeout=duration ' +
    'scheduleToStartTimeout=duration startToCloseTimeout=duration heartbeatTimeout=duration ' +
    'workflowTaskCompletedEventId=int64 retryPolicy=RetryPolicy',
  ActivityTaskStartedEventAttributes: 'scheduledEventId=int64 lastFailure=Failure buildIdRedirectCounter=int64',
  ActivityTaskCompletedEventAttributes: 'result=Payloads scheduledEventId=int64 startedEventId=int64',
  ActivityTaskFailedEventAttributes:
    'failure=Failure scheduledEventId=int64 startedEventId=int64 retryState=#RetryState',
  ActivityTaskTimedOutEventAttributes:
    'failure=Failure scheduledEventId=int64 startedEventId=int64 retryState=#RetryState',
  TimerStartedEventAttributes: 'startToFireTimeout=duration workflowTaskCompletedEventId=int64',
  TimerFiredEventAttributes: 'startedEventId=int64',
  ActivityTaskCancelRequestedEventAttributes: 'scheduledEventId=int64 workflowTaskCompletedEventId=int64',
  ActivityTaskCanceledEventAttributes:
    'details=Payloads latestCancelRequestedEventId=int64 scheduledEventId=int64 startedEventId=int64',
  TimerCanceledEventAttributes: 'startedEventId=int64 workflowTaskCompletedEventId=int64',
  MarkerRecordedEventAttributes: 'details=%Payloads workflowTaskCompletedEventId=int64 header=Header failure=Failure',
  WorkflowExecutionSignaledEventAttributes: 'input=Payloads header=Header',
  WorkflowExecutionTerminatedEventAttributes: 'details=Payloads',
  WorkflowExecutionCancelRequestedEventAttributes: 'externalInitiatedEventId=int64',
  WorkflowExecutionCanceledEventAttributes: 'workflowTaskCompletedEventId=int64 details=Payloads',
  RequestCancelExternalWorkflowExecutionInitiatedEventAttributes: 'workflowTaskCompletedEventId=int64',
  RequestCancelExternalWorkflowExecutionFailedEventAttributes:
    'cause=#CancelExternalWorkflowExecutionFailedCause workflowTaskCompletedEventId=int64 ' + 'initiatedEventId=int64',
  ExternalWorkflowExecutionCancelRequestedEventAttributes: 'initiatedEventId=int64',
  WorkflowExecutionContinuedAsNewEventAttributes:
    'taskQueue=TaskQueue input=Payloads workflowRunTimeout=duration workflowTaskTimeout=duration ' +
    'workflowTaskCompletedEventId=int64 backoffStartInterval=duration initiator=#ContinueAsNewInitiator ' +
    'failure=Failure lastCompletionResult=Payloads header=Header memo=Memo searchAttributes=SearchAttributes ' +
    'initialVersioningBehavior=#ContinueAsNewVersioningBehavior',
  StartChildWorkflowExecutionInitiatedEventAttributes:
    'taskQueue=TaskQueue input=Payloads workflowExecutionTimeout=duration workflowRunTimeout=duration ' +
    'workflowTaskTimeout=duration parentClosePolicy=#ParentClosePolicy workflowTaskCompletedEventId=int64 ' +
    'workflowIdReusePolicy=#WorkflowIdReusePolicy retryPolicy=RetryPolicy header=Header memo=Memo ' +
    'searchAttributes=SearchAttributes timeSkippingConfig=TimeSkippingConfig ' +
    'timeSkippingStatePropagation=TimeSkippingStatePropagation versioningOverride=VersioningOverride',
  StartChildWorkflowExecutionFailedEventAttributes:
    'cause=#StartChildWorkflowExecutionFailedCause initiatedEventId=int64 workflowTaskCompletedEventId=int64',
  ChildWorkflowExecutionStartedEventAttributes: 'initiatedEventId=int64 header=Header',
  ChildWorkflowExecutionCompletedEventAttributes: 'result=Payloads initiatedEventId=int64 startedEventId=int64',
  ChildWorkflowExecutionFailedEventAttributes:
    'failure=Failure initiatedEventId=int64 startedEventId=int64 retryState=#RetryState',
  ChildWorkflowExecutionCanceledEventAttributes: 'details=Payloads initiatedEventId=int64 startedEventId=int64',
  ChildWorkflowExecutionTimedOutEventAttributes: 'initiatedEventId=int64 startedEventId=int64 retryState=#RetryState',
  ChildWorkflowExecutionTerminatedEventAttributes: 'initiatedEventId=int64 startedEventId=int64',
  SignalExternalWorkflowExecutionInitiatedEventAttributes:
    'workflowTaskCompletedEventId=int64 input=Payloads header=Header',
  SignalExternalWorkflowExecutionFailedEventAttributes:
    'cause=#SignalExternalWorkflowExecutionFailedCause workflowTaskCompletedEventId=int64 ' + 'initiatedEventId=int64',
  ExternalWorkflowExecutionSignaledEventAttributes: 'initiatedEventId=int64',
  UpsertWorkflowSearchAttributesEventAttributes: 'workflowTaskCompletedEventId=int64 searchAttributes=SearchAttributes',
  WorkflowExecutionUpdateAcceptedEventAttributes: 'acceptedRequestSequencingEventId=int64 acceptedRequest=Request',
  Request: 'input=Input completionCallbacks=*Callback links=*Link',
  Input: 'header=Header args=Payloads',
  WorkflowExecutionUpdateRejectedEventAttributes:
    'rejectedRequestSequencingEventId=int64 rejectedRequest=Request failure=Failure',
  WorkflowExecutionUpdateCompletedEventAttributes: 'acceptedEventId=int64 outcome=Outcome',
  Outcome: 'success=Payloads failure=Failure',
  WorkflowPropertiesModifiedExternallyEventAttributes:
    'newWorkflowTaskTimeout=duration newWorkflowRunTimeout=duration newWorkflowExecutionTimeout=duration ' +
    'upsertedMemo=Memo',
  ActivityPropertiesModifiedExternallyEventAttributes: 'scheduledEventId=int64 newRetryPolicy=RetryPolicy',
  WorkflowPropertiesModifiedEventAttributes: 'workflowTaskCompletedEventId=int64 upsertedMemo=Memo',
  WorkflowExecutionUpdateAdmittedEventAttributes: 'request=Request origin=#UpdateAdmittedEventOrigin',
  NexusOperationScheduledEventAttributes:
    'input=Payload scheduleToCloseTimeout=duration workflowTaskCompletedEventId=int64 ' +
    'scheduleToStartTimeout=duration startToCloseTimeout=duration',
  NexusOperationStartedEventAttributes: 'scheduledEventId=int64',
  NexusOperationCompletedEventAttributes: 'scheduledEventId=int64 result=Payload',
  NexusOperationFailedEventAttributes: 'scheduledEventId=int64 failure=Failure',
  NexusOperationCanceledEventAttributes: 'scheduledEventId=int64 failure=Failure',
  NexusOperationTimedOutEventAttributes: 'scheduledEventId=int64 failure=Failure',
  NexusOperationCancelRequestedEventAttributes: 'scheduledEventId=int64 workflowTaskCompletedEventId=int64',
  WorkflowExecutionOptionsUpdatedEventAttributes:
    'versioningOverride=VersioningOverride attachedCompletionCallbacks=*Callback ' +
    'timeSkippingConfig=TimeSkippingConfig ' +
    'workflowUpdateOptions=*WorkflowExecutionOptionsUpdatedEventAttributes.WorkflowUpdateOptionsUpdate',
  'WorkflowExecutionOptionsUpdatedEventAttributes.WorkflowUpdateOptionsUpdate': 'attachedCompletionCallbacks=*Callback',
  NexusOperationCancelRequestCompletedEventAttributes:
    'requestedEventId=int64 workflowTaskCompletedEventId=int64 scheduledEventId=int64',
  NexusOperationCancelRequestFailedEventAttributes:
    'requestedEventId=int64 workflowTaskCompletedEventId=int64 failure=Failure scheduledEventId=int64',
  WorkflowExecutionTimeSkippingTransitionedEventAttributes: 'targetTime=time wallClockTime=time',
};
