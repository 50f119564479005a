// What a core (a node in a process of its own) and the process that started it say to each other. Both are the same build of the same program, so
// nothing here is checked again. Sockets travel beside the messages.

import type { CoordinatorAnswer, CoordinatorCall } from '../../cluster/ownership/ipc/messages.ts';
import type { NodeConfig } from '../config/config.ts';

export type ToCore =
  | {
      readonly type: 'start';
      /** From 1. */
      readonly core: number;
      readonly config: NodeConfig;
      /** Where the sockets come from that it is handed. */
      readonly address: string;
      readonly grpcAddress: string | undefined;
    }
  /** With a socket: a connection, of which `head` (base64) was read. */
  | { readonly type: 'socket'; readonly id: number; readonly door: Door; readonly head: string }
  /** Why the other cores do not serve; undefined: they do. */
  | { readonly type: 'others'; readonly notReady: string | undefined }
  | { readonly type: 'metrics'; readonly id: number }
  /** The metrics of all cores, which it asked for. */
  | { readonly type: 'allMetrics'; readonly id: number; readonly body: string }
  | { readonly type: 'stop' }
  | CoordinatorAnswer;

export type FromCore =
  | { readonly type: 'started' }
  | {
      readonly type: 'startFailed';
      readonly kind: string;
      readonly message: string;
      readonly hint: string;
    }
  /** Whenever it changes. */
  | { readonly type: 'standing'; readonly notReady: string | undefined }
  /** The connection of this number was received: it need not be kept for it. */
  | { readonly type: 'socketTaken'; readonly id: number }
  | { readonly type: 'metricsAre'; readonly id: number; readonly body: string }
  /** Somebody asks this core for metrics: those of all. */
  | { readonly type: 'askMetrics'; readonly id: number; readonly own: string }
  | CoordinatorCall;

export type Door = 'native' | 'grpc';
