// What is said about signal and update handlers that still run when their workflow ends.

import { HandlerUnfinishedPolicy } from '../common/interfaces.ts';
import type { SeldomMap } from '../common/seldom-map.ts';
import { LOGGER_SINK, type SinkInvocation } from './activation.ts';

interface Running {
  name: string;
  unfinishedPolicy: HandlerUnfinishedPolicy;
}

const isMissed = ({ unfinishedPolicy }: Running): boolean =>
  unfinishedPolicy === HandlerUnfinishedPolicy.WARN_AND_ABANDON;
const WAIT = 'Wait for allHandlersFinished() before returning, or set unfinishedPolicy: ABANDON.';

/** A warning each for signals and updates, where there is something to say. Leaves nothing running behind: nobody is warned twice. */
export function unfinishedWarnings(
  signals: SeldomMap<number, Running>,
  updates: SeldomMap<string, Running>,
  replaying: boolean,
): SinkInvocation[] {
  const warnings: string[] = [];
  const names = [...signals.values()].filter(isMissed).map(({ name }) => name);
  if (names.length > 0) {
    warnings.push(`The workflow ended while signal handlers were still running: [${names.join(', ')}]. ${WAIT}`);
  }
  const cutOff = [...updates].filter(([, running]) => isMissed(running));
  if (cutOff.length > 0) {
    const named = cutOff.map(([id, { name }]) => `${name} (${id})`).join(', ');
    warnings.push(
      `[TMPRL1102] The workflow ended while update handlers were still running: [${named}]. Their clients get ` +
        `AcceptedUpdateCompletedWorkflow instead of a result. ${WAIT}`,
    );
  }
  signals.clear();
  updates.clear();
  return warnings.map((text) => ({
    iface: LOGGER_SINK,
    fn: 'warn',
    args: [text, { sdkComponent: 'worker' }],
    replaying,
  }));
}
