// The workflows the bench runs.
import { proxyActivities, sleep } from 'tenuto/workflow';

const { echo } = proxyActivities<{ echo(value: unknown): Promise<unknown> }>({ startToCloseTimeout: '1 minute' });

export async function oneActivity(value: string): Promise<unknown> {
  return echo(value);
}

export async function noActivity(value: string): Promise<string> {
  return value;
}

export async function sleeper(ms: number): Promise<string> {
  await sleep(ms);
  return 'awake';
}
