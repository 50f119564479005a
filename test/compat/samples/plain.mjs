import { sleep } from '@temporalio/workflow';

export async function plain(name) {
  await sleep(1);
  return `${name}!`;
}
