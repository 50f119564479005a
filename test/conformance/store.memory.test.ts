import type { Store } from '../../src/ports/store.ts';
import { MemoryDisk, type MemoryStore, openMemoryStore } from '../../src/store/index.ts';
import { storeConformance } from './store.ts';

storeConformance('memory', async () => {
  const disk = new MemoryDisk();
  return {
    store: () => openMemoryStore({ disk }),
    kill: async (store: Store) => {
      (store as MemoryStore).crash();
      disk.faults = {};
    },
    failWrite: (n) => {
      const at = disk.writes + n;
      disk.faults = {
        beforeWrite: (write) => {
          if (write === at) throw new Error('the disk refuses');
        },
      };
    },
    damage: async (what) => {
      const keys = disk.keys();
      const stored =
        what === 'log' ? keys.findLast((key) => key.startsWith('L')) : keys.find((key) => key === `R${what.row}`);
      return stored !== undefined && disk.flipBit(stored, 37);
    },
    remove: async () => {},
  };
});
