// Which clients are told that they are mistaken, and how.

import { describe, expect, it } from 'vitest';
import { StatusCode } from '../../wire/status.ts';
import { clientRefusals } from './client-version.ts';

const refusalOf = clientRefusals({ server: '1.31.2', clients: { 'temporal-go': '<2.0.0' } });
const go = (version: string, wanted = ''): Record<string, string> => ({
  ...{ 'client-name': 'temporal-go', 'client-version': version },
  'supported-server-versions': wanted,
});
const refusal = (headers: Record<string, string>) => refusalOf((name) => headers[name]);

describe('a client is refused', () => {
  it.each([
    [go('abc'), 'Unable to parse client version: No Major.Minor.Patch elements found'],
    [go('1.2'), 'Unable to parse client version: No Major.Minor.Patch elements found'],
    [go('v1.2.3'), 'Unable to parse client version: Invalid character(s) found in major number "v1"'],
    [go('1.2.3.4'), 'Unable to parse client version: Invalid character(s) found in patch number "3.4"'],
    [go('01.2.3'), 'Unable to parse client version: Major number must not contain leading zeroes "01"'],
    [go('1.2.3-'), 'Unable to parse client version: Prerelease is empty'],
    [go('1.2.3-01'), 'Unable to parse client version: Numeric PreRelease version must not contain leading zeroes "01"'],
    [go('1.2.3-a_b'), 'Unable to parse client version: Invalid character(s) found in prerelease "a_b"'],
    [go('1.2.3+'), 'Unable to parse client version: Build meta data is empty'],
    [go('1.2.3-rc+a_b'), 'Unable to parse client version: Invalid character(s) found in build meta data "a_b"'],
    [go('99999999999999999999.0.0'), 'Unable to parse client version: Invalid major version'],
    [go('1.0.0', 'foo'), 'Unable to parse supported server versions: Could not get version from string: "foo"'],
    [go('1.0.0', '>=1.0.0 ||'), "Unable to parse supported server versions: Last element in range is '||'"],
    [
      go('1.0.0', '^1.0.0'),
      'Unable to parse supported server versions: Could not parse Range "^1.0.0": Could not parse comparator "^" in "^1.0.0"',
    ],
    [
      go('1.0.0', '>=1.0'),
      'Unable to parse supported server versions: Could not parse Range ">=1.0": Could not parse version "1.0" in ">=1.0": No Major.Minor.Patch elements found',
    ],
  ])('that says %j: it is no version', (headers, message) => {
    expect(refusal(headers)).toEqual({ code: StatusCode.INVALID_ARGUMENT, message });
    // The second time it is known.
    expect(refusal(headers)?.message).toBe(message);
  });

  it('whose version is not served', () => {
    expect(refusal(go('2.0.0'))).toEqual({
      code: StatusCode.FAILED_PRECONDITION,
      message: 'Client version 2.0.0 is not supported. Server supports temporal-go versions: <2.0.0',
      detail: {
        kind: 'ClientVersionNotSupported',
        ...{ clientVersion: '2.0.0', clientName: 'temporal-go', supportedVersions: '<2.0.0' },
      },
    });
  });

  it.each([
    '>=99.0.0',
    '>=1.0.0 <1.31.0',
    '<1.0.0 || >2.0.0',
    '> 1.0.0 < 1.1.0',
    '1.30.x',
    '!1.x',
    '!=1.31.2',
    '>1.31.2+build',
    '<=1.31.2-rc.1',
    '>1.31.x',
  ])('that wants a server of %s', (wanted) => {
    expect(refusal(go('1.0.0', wanted))).toEqual({
      code: StatusCode.FAILED_PRECONDITION,
      message: `Server version 1.31.2 is not supported. Client supports server versions: ${wanted}`,
      detail: { kind: 'ServerVersionNotSupported', serverVersion: '1.31.2', wanted },
    });
  });
});

it('a range of ten thousand terms is not read', () => {
  expect(refusal(go('1.0.0', Array.from({ length: 10_000 }, () => '1.0.0').join('||')))).toMatchObject({
    code: StatusCode.INVALID_ARGUMENT,
    message: expect.stringContaining('it has more than 1000 characters'),
  });
});

describe('a client is served', () => {
  it.each([
    [{}],
    [{ 'client-name': 'somebody', 'client-version': 'abc' }],
    // Nobody that has no version or no name is asked for the rest.
    [{ 'client-name': 'temporal-go', 'client-version': '', 'supported-server-versions': '<1.0.0' }],
    [{ 'client-version': '1.0.0', 'supported-server-versions': 'whatever' }],
    [go('1.30.0-rc.1')],
    [go('2.0.0-rc1')],
    [go('1.2.3+build.7')],
    [go('1.2.3-rc.1+build-7')],
    [go('1.0.0', '>=1.0.0 <2.0.0')],
    [go('1.0.0', ' >= 1.0.0 ')],
    [go('1.0.0', '<1.0.0 || >=1.31.0')],
    [go('1.0.0', '1.x')],
    [go('1.0.0', '<=1.31.x !1.30.x')],
    [go('1.0.0', '==1.31.2')],
    [go('1.0.0', '>1.31.2-rc.1')],
  ])('that says %j', (headers) => {
    expect(refusal(headers)).toBeUndefined();
  });
});
