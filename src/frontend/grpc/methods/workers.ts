// The registry of workers: the native door's methods, and a worker's goodbye. Configuration of workers by the server is not there, as on the reference
// server.

import { WorkerStatus } from '../../../wire/worker.ts';
import * as rules from '../../validate/rules.ts';
import { native, number, part, rpc, runNative, text } from '../rpc.ts';

export const RecordWorkerHeartbeat = native('recordWorkerHeartbeat');
/** A page size below zero is none, as of other lists. */
export const ListWorkers = native('listWorkers', (request) => ({
  ...request,
  pageSize: Math.max(0, number(request, 'pageSize')),
}));
export const CountWorkers = native('countWorkers');
export const DescribeWorker = native('describeWorker');

/** The worker goes: nothing waits for it, and it is shown as gone. */
export const ShutdownWorker = rpc(
  (services, caller, request, call) => {
    const namespace = text(request, 'namespace');
    rules.namespace(services, caller, namespace);
    services.pollers.shutDown(namespace, text(request, 'stickyTaskQueue'));
    const last = part(request, 'workerHeartbeat');
    if (text(last, 'workerInstanceKey') === '') {
      call.reply({});
      return;
    }
    const workerHeartbeat = [{ ...last, status: WorkerStatus.SHUTDOWN }];
    runNative('recordWorkerHeartbeat', services, caller, { namespace, workerHeartbeat }, call);
  },
  { callClass: 'worker' },
);
