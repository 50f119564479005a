// What only a thread itself knows, preloaded (`--import`) into a process whose threads do its work: each thread tells its figures to the main thread,
// which adds them up (inside.ts). In the main thread it does nothing.

import { BroadcastChannel, isMainThread, threadId } from 'node:worker_threads';
import { collect, type FromThread, THREADS, type ToThread } from './inside.ts';

if (!isMainThread) {
  const channel = new BroadcastChannel(THREADS);
  const figures = collect();
  const tell = (message: FromThread): void => channel.postMessage(message);
  channel.onmessage = (event) => {
    // Threads hear each other, too.
    const { data } = event as { data: ToThread | FromThread };
    if ('ask' in data) tell({ thread: threadId, answers: data.ask, figures: figures() });
  };
  channel.unref();
  tell({ thread: threadId });
}
