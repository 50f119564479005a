// What Tenuto's own worker does for workflows and clients of other languages.

import { proxyActivities } from 'tenuto/workflow';

const { greet } = proxyActivities<{ greet(name: string): Promise<string> }>({ startToCloseTimeout: '20 seconds' });

export async function hello(name: string): Promise<string> {
  return await greet(name);
}
