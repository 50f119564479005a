// Calls to a provider that minds how many come at a time.

let running = 0;

/** How many ran when it began, itself included. */
export async function call(_number: number): Promise<number> {
  running += 1;
  const together = running;
  await new Promise((resolve) => setTimeout(resolve, 30));
  running -= 1;
  return together;
}
