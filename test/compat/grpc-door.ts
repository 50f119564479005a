// Where these programs connect to. Beside it native-door.ts, which the same programs get in its place once they are moved (moved.ts).

import type { Server } from 'tenuto/server';

export function addressOf({ grpcAddress }: Server): string {
  if (grpcAddress === undefined) throw new Error('the server has no gRPC door');
  return grpcAddress;
}
