// The handshake: which version both sides speak, and what the token opens. Refusals travel as an error for request 0, then a close.

import { FrameKind, type Hello } from '../../wire/frame.ts';
import { type Status, StatusCode } from '../../wire/status.ts';
import { newestCommon, rangeText, VERSIONS } from '../../wire/versions.ts';
import type { Access, Namespaces } from '../namespaces.ts';
import { unauthenticated } from '../statuses.ts';
import { type Check, checked, defaulted, integer, list, object, optional, Refused, string } from '../validate/check.ts';

const hello: Check<Hello> = object<Hello>({
  // Shorter or longer lists are refused below.
  protocol: list(integer) as Check<unknown> as Check<[number, number]>,
  client: defaulted(string, ''),
  identity: defaulted(string, ''),
  token: optional(string),
  capabilities: defaulted(list(string), []),
});

export type HelloResult = { hello: Hello; protocol: number; access: Access } | { refusal: Status };

function refused(code: StatusCode, message: string): HelloResult {
  return { refusal: { code, message } };
}

/** @param frame the connection's first, decoded. @param ours versions this side speaks */
export function helloOf(frame: unknown, namespaces: Namespaces, ours = VERSIONS.spoken.client): HelloResult {
  if (!Array.isArray(frame) || frame[0] !== FrameKind.HELLO) {
    return refused(StatusCode.FAILED_PRECONDITION, 'The first frame of a connection must be hello.');
  }
  let said: Hello;
  try {
    said = checked(hello, frame[1]);
  } catch (error) {
    if (error instanceof Refused) return { refusal: error.status };
    throw error;
  }
  const [min, max] = said.protocol;
  if (said.protocol.length !== 2 || min === undefined || max === undefined || min > max) {
    return refused(StatusCode.INVALID_ARGUMENT, 'Invalid request: protocol must be [min, max].');
  }
  const protocol = newestCommon(ours, { min, max });
  if (protocol === undefined) {
    const supported: [number, number] = [ours.min, ours.max];
    const older = max < ours.min ? 'the client' : 'the server';
    return {
      refusal: {
        code: StatusCode.FAILED_PRECONDITION,
        message: `This server speaks protocol ${rangeText(ours)}, the client ${rangeText({ min, max })}: they may be one version apart. Upgrade ${older} first.`,
        detail: { kind: 'IncompatibleVersion', supported },
      },
    };
  }
  const access = namespaces.access(said.token);
  if (access !== undefined) return { hello: said, protocol, access };
  const message =
    said.token === undefined
      ? 'This server asks for a token: none was sent.'
      : 'The token is not one of this server: check it, and that it is meant for this server.';
  return { refusal: unauthenticated(message) };
}
