// Reads every frame that enters or leaves the native door, and has what it says held against what is durable (answers.ts).

import { decodeAll } from '../../src/wire/codec.ts';
import { FrameKind } from '../../src/wire/frame.ts';
import type { Status } from '../../src/wire/status.ts';
import type { AnswerWatch, Asked } from './answers.ts';
import type { Kernel } from './kernel.ts';
import type { Link, Tap } from './network.ts';

export class Observer implements Tap {
  readonly #kernel: Kernel;
  readonly #answers: AnswerWatch;
  readonly #asked = new Map<Link, Map<number, Asked>>();
  messages = 0;

  constructor(kernel: Kernel, answers: AnswerWatch) {
    this.#kernel = kernel;
    this.#answers = answers;
  }

  received(link: Link, message: Uint8Array): void {
    for (const frame of decodeAll(message)) {
      if (!Array.isArray(frame) || frame[0] !== FrameKind.REQUEST) continue;
      const [, id, method, , body] = frame as [number, number, string, number, { workflowId?: string; runId?: string }];
      this.#kernel.note(`${link.client.name} asks ${method}#${id} ${body.workflowId ?? ''}`);
      let asked = this.#asked.get(link);
      if (asked === undefined) this.#asked.set(link, (asked = new Map()));
      asked.set(id, this.#answers.asked(link, method, body));
    }
  }

  left(link: Link, message: Uint8Array): void {
    this.messages += 1;
    try {
      for (const frame of decodeAll(message)) if (Array.isArray(frame)) this.#frame(link, frame);
    } catch (error) {
      this.#kernel.fail(error);
    }
  }

  closed(link: Link): void {
    this.#asked.delete(link);
  }

  #frame(link: Link, [kind, first, second]: unknown[]): void {
    if (kind === FrameKind.PUSH) {
      this.#answers.pushed(link, String(first), second);
      return;
    }
    if (kind !== FrameKind.RESPONSE && kind !== FrameKind.ERROR) return;
    const asked = this.#asked.get(link)?.get(Number(first));
    if (asked === undefined) return;
    this.#asked.get(link)?.delete(Number(first));
    const what = `${asked.method}#${String(first)}`;
    if (kind === FrameKind.ERROR) {
      const status = second as Status;
      this.#kernel.note(`${link.client.name} is refused ${what}: ${status.code} ${status.message}`);
      this.#answers.refused(asked, status);
    } else {
      this.#kernel.note(`${link.client.name} is answered ${what}`);
      this.#answers.answered(asked, second);
    }
  }
}
