// What a name of Temporal's packages becomes where Tenuto has no export of that name. Later rules give way to earlier ones. The test of the
// migration table fails for a name that neither Tenuto exports nor a rule here explains.

/** Where work is under way or planned: said in one form, so that a reader can search for it. */
const notYet = (what) => `not yet: ${what}`;
const none = (why) => `none: ${why}`;

/** @type {{ packages?: string[], names: RegExp | string[], note: string }[]} */
export const NOTES = [
  {
    packages: ['client'],
    names: /Nexus/,
    note: none(
      'this server has no Nexus operations without a workflow; workflows call them with `createNexusServiceClient`',
    ),
  },
  { names: /Nexus/, note: 'an endpoint is `connection.operatorService.createNexusEndpoint`’s answer' },
  {
    packages: ['client'],
    names: /Schedule|^(Calendar|Interval)Spec|^(Loose)?Range$|^MONTHS?$|^Month$|^DAYS?_OF_WEEK$|^DayOfWeek$|^Backfill$/,
    note: notYet('schedules'),
  },
  {
    packages: ['client'],
    names: ['RawActivityExecutionCallbacks'],
    note: none('an activity without a workflow calls nobody back when it ends'),
  },
  {
    packages: ['client'],
    names: /BuildId|Reachability|reachability|TaskQueueClient|PromoteSet|MergeSets|AddNew/,
    note: none('Temporal deprecated version sets by build id; this server has never had them'),
  },
  {
    packages: ['client'],
    names: /^AsyncCompletion|^LoadedAsyncCompletion/,
    note: 'the options are written out in the methods of `AsyncCompletionClient`',
  },
  {
    packages: ['client'],
    names: /^WorkflowClient(CallsInterceptor|Interceptors)/,
    note: '`WorkflowClientInterceptor` and `ClientInterceptors` (deprecated there)',
  },
  {
    packages: ['client'],
    names: [
      'StartWorkflowExecutionRequest',
      'GetWorkflowExecutionHistoryRequest',
      'TerminateWorkflowExecutionResponse',
      'RequestCancelWorkflowExecutionResponse',
    ],
    note: 'requests of this protocol, by name: `connection.request`; its shapes are in docs/protocol.md',
  },
  {
    packages: ['client'],
    names: /GrpcRetry|^BackoffOptions$|^isRetryableError$/,
    note: none(
      'a connection reconnects and repeats by itself; deadlines are `withDeadline`, cancellation `withAbortSignal`',
    ),
  },
  {
    packages: ['client'],
    names: ['WorkflowService', 'OperatorService', 'TestService', 'HealthService'],
    note: 'the type, under the same name; instances are `connection.workflowService` and its like',
  },
  {
    packages: ['client'],
    names: /ConnectionLike|^ConnectionOptionsWithDefaults$|^LOCAL_TARGET$/,
    note: 'part of `Connection` and `ConnectionOptions`',
  },
  {
    names: /Plugin$/,
    note: '`ConnectionPlugin` of `tenuto/client`, which has hooks of both',
  },
  {
    packages: ['client'],
    names: /CompiledWorkflowOptions$|^compileWorkflowOptions$/,
    note: '`CompiledWorkflowOptions`: what interceptors get; made by the client',
  },
  {
    packages: ['client'],
    names: /^WorkflowSignalWithStartOptionsWith/,
    note: '`WorkflowSignalWithStartOptions` is both',
  },
  { names: /^encode[A-Z]/, note: none('enums are texts here; the client encodes them') },
  {
    packages: ['worker'],
    names: /^(DNSLoadBalancing|GrpcCompression)Config$/,
    note: none('a connection takes several addresses and learns the other nodes by itself'),
  },
  {
    packages: ['worker'],
    names: /Metric|Telemetry|Exporter|ForwardLogger|ConsoleLogger|LogTimestamp/,
    note: none('there is no native core to configure: logs go to `Runtime.logger`, the server has `/metrics`'),
  },
  {
    packages: ['worker', 'common', 'client'],
    names: /Deployment|Versioning|toCanonicalString/,
    note: 'worker deployments: the requests of `workflowService`',
  },
  { packages: ['worker'], names: /^WorkflowBundle(Path|With)/, note: '`WorkflowBundleOption`' },
  {
    packages: ['worker'],
    names:
      /LogInterceptor$|LogAttributes$|^appendDefaultInterceptors$|^defaultSinks$|LoggerSinks|^defaultWorkflowInterceptorModules$/,
    note: none('logging is built in (deprecated there)'),
  },
  {
    packages: ['worker'],
    names: ['errors', 'ShutdownError', 'TransportError'],
    note: 'errors of the run are `CombinedWorkerRunError`’s causes (deprecated there)',
  },
  {
    packages: ['worker'],
    names: ['startDebugReplayer'],
    note: none('attach a debugger to `Worker.runReplayHistory`; set `debugMode`'),
  },
  {
    packages: ['worker'],
    names: ['UnhandledRejectionError'],
    note: none('a rejection that nobody handles fails the workflow task or the activity it came from'),
  },
  { packages: ['worker'], names: ['History'], note: '`History` of `tenuto/client`' },
  { packages: ['worker'], names: ['ReplayHistoriesIterable'], note: '`AsyncIterable<HistoryAndWorkflowId>`' },
  { packages: ['worker'], names: ['CompiledWorkerInterceptors'], note: 'in `CompiledWorkerOptions`' },
  {
    names: /Metric|^metricMeter$/,
    note: none(
      'no metrics from workers: an OpenTelemetry library of yours measures in activities, a sink in workflows; the server has `/metrics`',
    ),
  },
  {
    packages: ['common'],
    names: /(ts|Ts)To|ToTs$|^msToTs$|^tsTo/,
    note: none('times are numbers of milliseconds (deprecated there)'),
  },
  {
    names:
      /TypeInfo|TransferTypeConverter|ConverterHint|DefinitionOptions$|^(Signal|Query|Update)(Options|Definition)|AnnotatedType$|^setActivityOptions$|^ActivityInterface$|^rawPayload|SerializationContext|WithContext$/,
    note: none(
      'type information for converters is experimental there; types of workflows, activities and messages are inferred',
    ),
  },
  { names: ['ExternalStorageNotConfiguredError'], note: '`ExternalStorageNotConfiguredError` of `tenuto/common`' },
  {
    names: ['WorkflowSignalOptions', 'WorkflowQueryOptions', 'WorkflowTypeOptions', 'extractWorkflowTypeAndConfig'],
    note: none('internal there: what a definition says beside its name'),
  },
  { packages: ['worker'], names: ['GetLogAttributesInput'], note: '`LogMetadata`' },
  { packages: ['workflow'], names: ['LoggerSinks'], note: none('`log` does it (deprecated there)') },
  {
    packages: ['workflow'],
    names: ['AsyncLocalStorage'],
    note: none('scopes follow promises without it, so that workflow code also runs in a browser'),
  },
  { names: ['SerializationContext'], note: none('experimental there; codecs get the owner of a payload') },
  {
    packages: ['workflow'],
    names: ['addDefaultWorkflowOptions', 'LocalActivityDoBackoff', 'NotAnActivityMethod', 'SinkCall'],
    note: none('internal there'),
  },
  {
    packages: ['workflow'],
    names: ['ActivityProxyOptions', 'LocalActivityProxyOptions'],
    note: '`ActivityOptions`, `LocalActivityOptions`',
  },
  {
    names: /Query$|Proxy|LocalActivity|WorkflowOptions/,
    note: none('named here only within the SDK'),
  },
  {
    packages: ['common'],
    names:
      /^(Workflow(Definition|Static|Function)|isWorkflowFunction|isActivityFunction|Timestamp$|LogMetaOrFunc|LoggerWith|DefaultEncoded)/,
    note: none('internal there'),
  },
  {
    packages: ['testing'],
    names: ['TimeSkippingWorkflowClient'],
    note: 'the `client.workflow` of an environment that `TestWorkflowEnvironment.createTimeSkipping` made',
  },
  {
    packages: ['testing'],
    names: /./,
    note: none(
      'there is no executable to download and configure: `createLocal` and `createTimeSkipping` start a server within the process',
    ),
  },
  { packages: ['common'], names: /Storage/, note: notYet('payload offload') },
];
