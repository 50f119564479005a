// The contract between caller and handler, as users of nexus-rpc write it.

import * as nexus from 'nexus-rpc';

export const payments = nexus.service('payments', {
  greet: nexus.operation<string, string>(),
  pay: nexus.operation<string, string>(),
  wait: nexus.operation<string, string>(),
  fail: nexus.operation<string, string>(),
  broken: nexus.operation<string, string>(),
  slow: nexus.operation<string, string>(),
});
