// What a connection asks of what carries its messages: a WebSocket (listener.ts) or two queues in one process (in-process.ts).

export interface Wire {
  /** Bytes are the wire's from then on. */
  send(message: Uint8Array): void;
  /** Says goodbye with a WebSocket close code, and is gone soon after whatever the peer does. */
  close(code: number, reason: string): void;
  /** Bytes sent and not yet taken by the peer's machine. */
  readonly bufferedAmount: number;
  /** Stops and resumes reading; the peer feels it as back-pressure. */
  pause(): void;
  resume(): void;
  /** Asks for a sign of life; absent where the peer cannot be away. */
  ping?(): void;
  /** For logs: who is at the other end. */
  readonly peer: string;
}

/** WebSocket close codes this door uses; docs/protocol.md says when. */
export const CloseCode = {
  NORMAL: 1000,
  GOING_AWAY: 1001,
  PROTOCOL_ERROR: 1002,
  UNSUPPORTED: 1003,
  INVALID_DATA: 1007,
  POLICY: 1008,
  TOO_BIG: 1009,
  TRY_AGAIN_LATER: 1013,
} as const;
