// Updates of one execution: requests come as messages of a live task, or from the history on replay; what the code decides goes back as messages,
// acceptance and completion each with a command that gives it its place.

import type { UpdateOutcome, UpdateRequest } from '../../../src/wire/common.ts';
import { CommandType, EventType } from '../../../src/wire/enums.ts';
import type { HistoryEvent } from '../../../src/wire/event.ts';
import type { Failure } from '../../../src/wire/failure.ts';
import { MessageType, type ProtocolMessage } from '../../../src/wire/protocol-message.ts';
import { SeldomMap } from '../../common/seldom-map.ts';
import type { Job } from '../../workflow/activation.ts';
import { acceptanceId, type Drafts, responseId } from './drafts.ts';

interface Known {
  request: UpdateRequest;
  messageId: string;
  eventId: number | undefined;
}

export class Updates {
  readonly #drafts: Drafts;
  /** By update id, until they are completed or rejected. */
  readonly #known = new SeldomMap<string, Known>();
  /** Requests that the history has from before they were accepted (after a reset). */
  readonly #admitted = new SeldomMap<string, UpdateRequest>();
  #rejections: ProtocolMessage[] = [];

  constructor(drafts: Drafts) {
    this.#drafts = drafts;
  }

  /** What the messages of a live task tell the code. */
  jobsOf(messages: readonly ProtocolMessage[]): Job[] {
    const jobs: Job[] = [];
    for (const { id: messageId, protocolInstanceId: id, eventId, body } of messages) {
      if (body.type !== MessageType.REQUEST) continue;
      this.#known.set(id, { request: body.value, messageId, eventId });
      jobs.push(jobOf(id, body.value, 'validate'));
    }
    return jobs;
  }

  /** What a replayed task was told: the updates that it accepted, as its events say. */
  replayedJobs(events: Iterable<HistoryEvent>): Job[] {
    const jobs: Job[] = [];
    for (const event of events) {
      if (event.eventType !== EventType.WORKFLOW_EXECUTION_UPDATE_ACCEPTED) continue;
      const { protocolInstanceId: id = '', acceptedRequest, acceptedRequestMessageId } = event.attributes;
      const request = acceptedRequest ?? this.#admitted.get(id) ?? {};
      const eventId = event.attributes.acceptedRequestSequencingEventId;
      this.#known.set(id, { request, messageId: acceptedRequestMessageId ?? '', eventId });
      jobs.push(jobOf(id, request, 'trust'));
    }
    return jobs;
  }

  admitted(request: UpdateRequest | undefined): void {
    const id = request?.meta?.updateId;
    if (request !== undefined && id !== undefined) this.#admitted.set(id, request);
  }

  accept(id: string): void {
    const { messageId, eventId, request } = this.#of(id);
    this.#answer(id, acceptanceId(id), {
      type: MessageType.ACCEPTANCE,
      value: {
        acceptedRequestMessageId: messageId,
        acceptedRequestSequencingEventId: eventId,
        // The server may have lost its own with its process.
        acceptedRequest: request,
      },
    });
  }

  complete(id: string, outcome: UpdateOutcome): void {
    const { meta } = this.#of(id).request;
    this.#known.delete(id);
    this.#answer(id, responseId(id), { type: MessageType.RESPONSE, value: { meta, outcome } });
  }

  reject(id: string, failure: Failure): void {
    const { messageId, eventId } = this.#of(id);
    this.#known.delete(id);
    this.#rejections.push({
      id: `${id}/reject`,
      protocolInstanceId: id,
      body: {
        type: MessageType.REJECTION,
        value: { rejectedRequestMessageId: messageId, rejectedRequestSequencingEventId: eventId, failure },
      },
    });
  }

  takeRejections(): ProtocolMessage[] {
    const rejections = this.#rejections;
    this.#rejections = [];
    return rejections;
  }

  #of(id: string): Known {
    const known = this.#known.get(id);
    if (known === undefined) throw new RangeError(`nothing is known of update ${id}`);
    return known;
  }

  #answer(id: string, messageId: string, body: ProtocolMessage['body']): void {
    this.#drafts.add(
      { commandType: CommandType.PROTOCOL_MESSAGE, attributes: { messageId } },
      {},
      { message: { id: messageId, protocolInstanceId: id, body } },
    );
  }
}

const jobOf = (id: string, { input }: UpdateRequest, how: 'validate' | 'trust'): Job => ({
  kind: 'update',
  id,
  name: input?.name ?? '',
  input: input?.args,
  header: input?.header,
  validates: how === 'validate',
});
