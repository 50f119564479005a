// Golden histories: the scenarios recorded from the reference server, driven through our own SDK against our own server.
import { readdirSync, readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { firstDifference } from './normalise.ts';
import { IN_SCOPE, LATER, MADE_BY_SECOND_DOOR, ON_PURPOSE } from './scope.ts';
import { loadScenarios, Session } from './session.ts';

const files = readdirSync(new URL('../scenarios/', import.meta.url)).filter(
  (file) => file.endsWith('.mjs') && file !== 'activities.mjs',
);
const scenarios = await loadScenarios(files.sort());
const recording = (name: string): { histories: { events: { eventType: string }[] }[] } =>
  JSON.parse(readFileSync(new URL(`../recorded/${name}.json`, import.meta.url), 'utf8'));

describe('histories are those of the reference server', { concurrent: true }, () => {
  let session: Session;
  beforeAll(async () => {
    session = await Session.open();
  });
  afterAll(() => session.close());

  it.each([...IN_SCOPE])('%s', { timeout: 60_000 }, async (name) => {
    const scenario = scenarios.get(name);
    if (!scenario) throw new Error(`there is no scenario ${name}`);
    const expected = recording(name);
    const got = JSON.parse(JSON.stringify(await session.run(scenario)));
    const difference = firstDifference(expected, got, [
      ...scenario.ignore,
      ...MADE_BY_SECOND_DOOR,
      ...(ON_PURPOSE[name]?.paths ?? []),
    ]);
    const outline = () =>
      got.histories.map((history: (typeof expected.histories)[0]) => history.events.map(({ eventType }) => eventType));
    expect(
      difference,
      difference && JSON.stringify({ outline: outline(), outcome: got.outcome }, null, 1),
    ).toBeUndefined();
  });
});

it('every scenario is either compared or belongs to a named later feature', () => {
  const accounted = new Set<string>([...IN_SCOPE, ...Object.keys(LATER)]);
  expect([...scenarios.keys()].filter((name) => !accounted.has(name))).toEqual([]);
  expect([...accounted].filter((name) => !scenarios.has(name))).toEqual([]);
});

it('every difference on purpose is explained where decisions are', () => {
  const decision = readFileSync(
    new URL('../../../docs/decisions/0072-native-door-differs.md', import.meta.url),
    'utf8',
  );
  const explained = [...decision.matchAll(/^\| `([a-z-]+)` /gm)].map(([, name]) => name);
  expect(explained.sort()).toEqual(Object.keys(ON_PURPOSE).sort());
});
