// A task's token says which namespace it is of; a request that names another one is mistaken.

import { decodeToken } from '../../../core/workflow/token.ts';
import { invalid } from '../../validate/check.ts';
import * as rules from '../../validate/rules.ts';
import { bytes, type Rpc, text } from '../rpc.ts';

export function withOwnNamespace(method: Rpc): Rpc {
  return {
    ...method,
    run(services, caller, request, call) {
      const named = text(request, 'namespace');
      if (named !== '') {
        rules.namespace(services, caller, named);
        const token = decodeToken(bytes(request, 'taskToken'));
        if (token !== undefined && token.namespace !== named) {
          throw invalid('Operation requested with a token from a different namespace.');
        }
      }
      method.run(services, caller, request, call);
    },
  };
}
