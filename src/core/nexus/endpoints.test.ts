import { describe, expect, it } from 'vitest';
import { specProblem } from './endpoints.ts';

const worker = { namespace: 'billing', taskQueue: 'nexus' };

describe('a Nexus endpoint', () => {
  it.each([
    { name: 'payments', target: { worker } },
    { name: 'Pay-2', target: { external: { url: 'https://example.test/nexus' } } },
  ])('may be $name', (spec) => {
    expect(specProblem(spec)).toBeUndefined();
  });

  it.each([
    [{ name: '', target: { worker } }, 'name not set'],
    [{ name: 'has space', target: { worker } }, 'letters, digits and hyphens'],
    [{ name: '2pay', target: { worker } }, 'beginning with a letter'],
    [{ name: 'pay-', target: { worker } }, 'not ending with a hyphen'],
    [{ name: 'x'.repeat(201), target: { worker } }, 'exceeds 200'],
    [{ name: 'pay', target: {} }, 'must be a worker or a URL'],
    [{ name: 'pay', target: { worker, external: { url: 'https://a.test' } } }, 'must be a worker or a URL'],
    [{ name: 'pay', target: { worker: { ...worker, namespace: '' } } }, 'namespace not set'],
    [{ name: 'pay', target: { worker: { ...worker, taskQueue: '' } } }, 'task queue not set'],
    [{ name: 'pay', target: { external: { url: 'nonsense' } } }, 'must be http'],
    [{ name: 'pay', target: { external: { url: 'file:///etc/passwd' } } }, 'must be http'],
    [{ name: 'pay', target: { worker }, description: { data: new Uint8Array(20_001) } }, 'description exceeds'],
  ])('%j is refused: %s', (spec, why) => {
    expect(specProblem(spec)).toContain(why);
  });
});
