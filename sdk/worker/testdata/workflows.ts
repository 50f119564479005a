// Workflows for the worker's tests with real threads.

import { proxyLocalActivities, sleep } from '../../workflow/index.ts';

const { double } = proxyLocalActivities<{ double(value: number): Promise<number> }>({ startToCloseTimeout: '10s' });

export async function greet(name: string): Promise<string> {
  return `Hello, ${name}`;
}

export async function loopForEver(): Promise<never> {
  for (;;);
}

export async function waitThenReturn(): Promise<string> {
  await sleep('1 hour');
  return 'waited';
}

export async function doubleLocally(value: number): Promise<number> {
  return await double(value);
}
