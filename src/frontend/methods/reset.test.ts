// What a reset leaves behind, by its two fields.

import { expect, it } from 'vitest';
import { ResetReapplyExcludeType as Kind, ResetReapplyType } from '../../wire/enums.ts';
import { excludedOf } from './reset.ts';

it.each([
  ['nothing is said', {}, []],
  // Temporal's web UI: boxes that are not ticked.
  ['kinds are unspecified', { resetReapplyExcludeTypes: [Kind.UNSPECIFIED, Kind.UNSPECIFIED] }, []],
  ['one is named', { resetReapplyExcludeTypes: [Kind.UPDATE, Kind.UNSPECIFIED] }, [Kind.UPDATE]],
  [
    'signals alone come along',
    { resetReapplyType: ResetReapplyType.SIGNAL },
    [Kind.UPDATE, Kind.NEXUS, Kind.CANCEL_REQUEST],
  ],
])('%s', (_, request, excluded) => {
  expect(excludedOf(request)).toEqual(excluded);
});
