// The coordinator's side of the process that started the cores: it keeps what Redis would keep, for as long as it lives. A new one begins empty, as
// Redis may: the cores tell it again what they know.

import type { MemoryCoordinatorServer } from '../memory/server.ts';
import type { CoordinatorAnswer, CoordinatorCall } from './messages.ts';

export function answerCoordinatorCall(server: MemoryCoordinatorServer, call: CoordinatorCall): CoordinatorAnswer {
  return { type: 'coordinatorAnswer', id: call.id, value: carryOut(server, call) };
}

function carryOut(server: MemoryCoordinatorServer, call: CoordinatorCall): unknown {
  switch (call.method) {
    case 'createCluster':
      return server.createCluster(...call.args);
    case 'restoreCluster':
      return server.restoreCluster(...call.args);
    case 'readCluster':
      return server.readCluster();
    case 'holdSession':
      return server.holdSession(...call.args);
    case 'endSession':
      return server.endSession(...call.args);
    case 'nextTerm':
      return server.nextTerm(...call.args);
    case 'publishLeaders':
      return server.publishLeaders(...call.args);
    case 'readLeaders':
      return server.readLeaders();
    case 'announce':
      return server.announce(...call.args);
    case 'withdraw':
      return server.withdraw(...call.args);
    case 'peers':
      return server.peers();
    case 'publishPlan':
      return server.publishPlan(...call.args);
    case 'readPlan':
      return server.readPlan();
  }
}
