import { proxyActivities } from 'tenuto/workflow';
import type * as activities from './activities.js';

const { render } = proxyActivities<typeof activities>({ startToCloseTimeout: '1 minute' });

/** All frames at once, as far as the workers have slots. */
export async function film(frames: number): Promise<number> {
  await Promise.all(Array.from({ length: frames }, (_, frame) => render(frame)));
  return frames;
}
