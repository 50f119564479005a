import { IpcCoordinator } from '../../cluster/ownership/ipc/client.ts';
import { answerCoordinatorCall } from '../../cluster/ownership/ipc/serve.ts';
import { MemoryCoordinatorServer } from '../../cluster/ownership/memory/server.ts';
import { VirtualTime } from '../support/matching-world.ts';
import { type CoordinatorMedium, coordinatorConformance } from './coordinator.ts';

/** The channel between two processes: what is said arrives in a later turn, as a copy. */
async function newMedium(): Promise<CoordinatorMedium> {
  const time = new VirtualTime();
  const server = new MemoryCoordinatorServer(time);
  let way: 'open' | 'gone' | 'silent' = 'open';
  return {
    connect: () => {
      const coordinator: IpcCoordinator = new IpcCoordinator({
        clock: time,
        scheduler: time,
        callTimeoutMs: 400,
        send: (call) => {
          if (way === 'gone') return false;
          const copy = structuredClone(call);
          if (way === 'open')
            queueMicrotask(() => coordinator.receive(structuredClone(answerCoordinatorCall(server, copy))));
          return true;
        },
      });
      return coordinator;
    },
    cutOff: async () => {
      way = 'gone';
    },
    hang: async () => {
      way = 'silent';
    },
    heal: async () => {
      way = 'open';
    },
    wipe: async () => server.wipe(),
    pass: async (ms) => time.advance(ms),
    pastDeadlineMs: 500,
    remove: async () => {},
  };
}

coordinatorConformance('a core asks the process that started it', newMedium);
