// Callers of a Nexus service, and the workflow behind one of its operations.

import * as wf from '@temporalio/workflow';
import { helloService } from './nexus-service.ts';

export const ENDPOINT = 'samples-hello';

export async function nexusEcho(message: string): Promise<string> {
  const client = wf.createNexusServiceClient({ service: helloService, endpoint: ENDPOINT });
  return (await client.executeOperation('echo', { message }, { scheduleToCloseTimeout: '10s' })).message;
}

export async function nexusHello(name: string): Promise<string> {
  const client = wf.createNexusServiceClient({ service: helloService, endpoint: ENDPOINT });
  const handle = await client.startOperation('hello', { name, language: 'es' }, { scheduleToCloseTimeout: '10s' });
  return (await handle.result()).message;
}

export async function greetingOf(input: { name: string; language: 'en' | 'es' }): Promise<{ message: string }> {
  return { message: input.language === 'es' ? `¡Hola! ${input.name}` : `Hello, ${input.name}` };
}
