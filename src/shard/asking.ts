// The engine's callbacks as promises, for work that is not on the hot path.

import type { Done } from '../ports/engine.ts';
import { SettingRefusal } from './settings-turns.ts';

/** An answer, or SettingRefusal. */
export function asking<T>(begin: (done: Done<T>) => void): Promise<T> {
  return new Promise((resolve, reject) => {
    begin((error, value) => {
      if (value !== undefined) resolve(value);
      else reject(error === undefined ? new Error('an engine answered nothing') : new SettingRefusal(error));
    });
  });
}
