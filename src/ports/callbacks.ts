// What the engine asks of the world to call a callback: one HTTP request. The adapter (src/runtime/callback-sender.ts) signs it and sees that the
// address is allowed; the simulator has one of its own.

export interface CallbackRequest {
  /** The same for every attempt: who is called can know a repeat by it. */
  callbackId: string;
  attempt: number;
  url: string;
  headers: Readonly<Record<string, string>>;
  body: Uint8Array;
  timeoutMs: number;
}

/** `failure` absent: answered with a status of success. */
export interface CallbackAnswer {
  failure?: { message: string; retryable: boolean } | undefined;
}

export interface CallbackSender {
  /** `done` once, never before this returns. */
  send(request: CallbackRequest, done: (answer: CallbackAnswer) => void): void;
}
