// Where programs that were moved (moved.ts) connect to: what grpc-door.ts is to the others.

import type { Server } from 'tenuto/server';

export function addressOf({ address }: Server): string {
  if (address === undefined) throw new Error('the server has no native door');
  return address;
}
