// Work that needs a licence each: how many of them are in use is what the worker's tuner is about.

let busy = 0;
let peak = 0;

export async function render(_frame: number): Promise<void> {
  busy += 1;
  peak = Math.max(peak, busy);
  await new Promise((resolve) => setTimeout(resolve, 20));
  busy -= 1;
}

/** Most that ran at once, since it was asked last. */
export function peakSince(): number {
  const was = peak;
  peak = busy;
  return was;
}
