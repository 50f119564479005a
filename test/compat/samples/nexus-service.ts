// The contract between caller and handler.

import * as nexus from 'nexus-rpc';

export const helloService = nexus.service('hello', {
  echo: nexus.operation<{ message: string }, { message: string }>(),
  hello: nexus.operation<{ name: string; language: 'en' | 'es' }, { message: string }>(),
});
