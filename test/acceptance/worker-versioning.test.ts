// A rolling deploy with real worker processes, as the guide tells it: docs/guides/worker-versioning.md.
import { expect, it } from 'vitest';
import { run } from '../../examples/worker-versioning/main.ts';

it('a rolling deploy: pinned workflows stay, others move, a ramp takes a tenth, the old version drains, no task times out', async () => {
  const answers = await run({ visits: 800, running: 20 });
  // Ten percent, within three points.
  expect(Math.abs(Number(answers.share) - 10)).toBeLessThanOrEqual(3);
  expect(answers.workers).toEqual(['v1', 'v2']);
  expect(answers.draining).toBe(true);
  const orders = answers.orders as string[][];
  // A new one may begin on the version that ramps later; whatever began on one version ends there.
  expect(orders.every((versions) => versions.every((version) => version === 'v1'))).toBe(true);
  const subscriptions = answers.subscriptions as string[][];
  expect(subscriptions.every((versions) => versions[0] === 'v1' && versions[2] === 'v2')).toBe(true);
  expect(answers.left).toEqual(['v2']);
  expect(answers.timeOuts).toEqual([]);
}, 120_000);
