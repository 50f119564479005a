// What leaves a workflow without being part of it.

import { log, proxySinks, type Sinks, sleep } from '@temporalio/workflow';

export interface AlertSinks extends Sinks {
  alerter: {
    alert(message: string): void;
  };
}

const { alerter } = proxySinks<AlertSinks>();

export async function alerting(): Promise<string> {
  log.info('at work');
  alerter.alert('alerter: WARN: something is wrong');
  await sleep(1);
  return 'done';
}
