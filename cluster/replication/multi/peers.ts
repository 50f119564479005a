// The other nodes, each with what is to be said to it this tick: messages of all shards go out together, heartbeats as one beat per node, and
// answers to a beat as one reply. Called by the driver, which flushes once per tick.

import type { ShardId } from '../../../src/ports/ids.ts';
import type { DirectoryId } from '../core/ids.ts';
import type { Message } from '../core/message.ts';
import { BeatReceiver, type BeatReply, BeatSender, type ShardBeat } from './beats.ts';
import { encodeFrame, type Frame, type ShardMessage } from './frame.ts';

/** Messages are cut into frames of about this size. */
const FRAME_BYTES = 4 * 1024 * 1024;
/** Besides its entries or chunk. */
const MESSAGE_BYTES = 64;

class Peer {
  readonly sender = new BeatSender();
  receiver = new BeatReceiver();
  session: number | undefined;
  messages: ShardMessage[] = [];
  /** The beat that is being answered, and who has not answered yet. */
  answering: { to: number; round: number; version: number; silent: Set<ShardId> } | undefined;
  unknown: { to: number; round: number } | undefined;
}

export class Peers {
  readonly #session: number;
  readonly #send: (to: DirectoryId, frame: Uint8Array) => void;
  readonly #peers = new Map<DirectoryId, Peer>();
  frames = 0;

  /** `session`: a number no other start of this node has. */
  constructor(session: number, send: (to: DirectoryId, frame: Uint8Array) => void) {
    this.#session = session;
    this.#send = send;
  }

  add(to: DirectoryId, shard: ShardId, message: Message): void {
    const peer = this.#peer(to);
    if (message.type === 'heartbeat') {
      peer.sender.collect({ shard, term: message.term, commit: message.commit }, message.round);
    } else if (message.type === 'heartbeatReply' && peer.answering?.round === message.round) {
      peer.answering.silent.delete(shard);
    } else peer.messages.push({ shard, message });
  }

  /** A frame's beat: which shards beat, to be stepped before the next flush. */
  beaten(from: DirectoryId, { session, beat }: Frame): { beats: readonly ShardBeat[]; round: number } | undefined {
    const peer = this.#peer(from);
    if (peer.session !== session) {
      peer.session = session;
      peer.receiver = new BeatReceiver();
      peer.sender.reset();
    }
    if (beat === undefined) return undefined;
    const beats = peer.receiver.received(beat);
    const { round, next } = beat;
    if (beats === undefined) {
      peer.unknown = { to: session, round };
      return undefined;
    }
    // A beat overtaken before it was answered needs no answer.
    peer.answering = { to: session, round, version: next, silent: new Set(beats.map(({ shard }) => shard)) };
    return { beats, round };
  }

  /** A frame's reply: the heartbeats that are confirmed. */
  confirmed(from: DirectoryId, reply: NonNullable<Frame['reply']>): readonly ShardBeat[] {
    return reply.to === this.#session ? this.#peer(from).sender.answered(reply) : [];
  }

  /** `scope` of the beats collected. */
  flush(scope: 'all' | 'listed'): void {
    for (const [to, peer] of this.#peers) {
      let beat = peer.sender.take(scope);
      let reply = replyOf(peer);
      let messages: ShardMessage[] = [];
      let size = 0;
      const cut = (): void => {
        this.frames += 1;
        this.#send(to, encodeFrame({ session: this.#session, messages, beat, reply }));
        beat = undefined;
        reply = undefined;
        messages = [];
        size = 0;
      };
      for (const one of peer.messages.splice(0)) {
        messages.push(one);
        size += sizeOf(one.message);
        if (size >= FRAME_BYTES) cut();
      }
      if (messages.length > 0 || beat !== undefined || reply !== undefined) cut();
    }
  }

  #peer(id: DirectoryId): Peer {
    let peer = this.#peers.get(id);
    if (peer === undefined) {
      peer = new Peer();
      this.#peers.set(id, peer);
    }
    return peer;
  }
}

function replyOf(peer: Peer): (BeatReply & { to: number }) | undefined {
  const { answering, unknown } = peer;
  peer.answering = undefined;
  peer.unknown = undefined;
  if (unknown !== undefined) return { ...unknown, version: 0, state: 'unknown', silent: [] };
  if (answering === undefined) return undefined;
  const { to, round, version, silent } = answering;
  return { to, round, version, state: 'taken', silent: [...silent] };
}

function sizeOf(message: Message): number {
  if (message.type === 'append') return message.entries.reduce((sum, { entry }) => sum + entry.length, MESSAGE_BYTES);
  return MESSAGE_BYTES + (message.type === 'snapshotChunk' ? message.chunk.bytes.length : 0);
}
