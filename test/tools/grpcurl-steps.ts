// What `grpcurl` does, which knows of the API only what reflection tells it.

import { fails, ok, type Step, soon } from './steps.ts';

const WORKFLOW_SERVICE = 'temporal.api.workflowservice.v1.WorkflowService';
const OPERATOR_SERVICE = 'temporal.api.operatorservice.v1.OperatorService';

export function grpcurlSteps(address: string, taskQueue: string): Step[] {
  const call = (method: string, message: object, service = WORKFLOW_SERVICE): string =>
    `-d '${JSON.stringify(message)}' ${address} ${service}/${method}`;
  const namespace = 'default';
  const execution = { workflowId: 'by-grpcurl' };
  const payloads = [{ metadata: { encoding: 'anNvbi9wbGFpbg==' }, data: 'InlvdSI=' }];
  return [
    ok(`${address} list`, WORKFLOW_SERVICE, OPERATOR_SERVICE, 'grpc.health.v1.Health'),
    ok(`${address} list ${WORKFLOW_SERVICE}`, 'StartWorkflowExecution', 'DescribeWorker'),
    // All that is there, whole.
    ok(`${address} describe`, 'service WorkflowService', 'service OperatorService', 'service Health'),
    ok(`${address} describe temporal.api.common.v1.Payload`, 'map<string, bytes> metadata = 1;'),
    ok(`${address} describe google.protobuf.Value`, 'oneof kind'),
    ok(`${address} describe temporal.api.enums.v1.EventType`, 'EVENT_TYPE_UNSPECIFIED = 0;'),
    ok(`${address} grpc.health.v1.Health/Check`, 'SERVING'),
    ok(call('GetSystemInfo', {}), '"serverVersion"'),
    ok(
      call('StartWorkflowExecution', {
        ...{ namespace, workflow_id: 'by-grpcurl', workflow_type: { name: 'hello' }, task_queue: { name: taskQueue } },
        ...{ input: { payloads }, request_id: 'by-grpcurl' },
      }),
      '"started": true',
    ),
    soon(call('DescribeWorkflowExecution', { namespace, execution }), 'WORKFLOW_EXECUTION_STATUS_COMPLETED'),
    ok(call('GetWorkflowExecutionHistory', { namespace, execution }), 'EVENT_TYPE_WORKFLOW_EXECUTION_COMPLETED'),
    soon(call('ListWorkflowExecutions', { namespace, query: 'WorkflowId = "by-grpcurl"' }), 'by-grpcurl'),
    fails(
      call('DescribeWorkflowExecution', { namespace, execution: { workflowId: 'nobody' } }),
      'NotFound',
      'NotFoundFailure',
    ),
    ok(call('ListSearchAttributes', { namespace }, OPERATOR_SERVICE), 'INDEXED_VALUE_TYPE_KEYWORD'),
  ];
}
