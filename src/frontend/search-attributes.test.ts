// What a door knows of a namespace's search attributes: looked up when something is missing or old, once for all who wait.
import { describe, expect, it } from 'vitest';
import { FakeEngine } from '../../test/support/fake-engine.ts';
import { VirtualTime } from '../../test/support/matching-world.ts';
import type { AttributeTypes } from '../core/visibility/index.ts';
import { IndexedValueType } from '../wire/enums.ts';
import { type Status, StatusCode } from '../wire/status.ts';
import { AttributeDirectory, covers } from './search-attributes.ts';

const payload = { metadata: {}, data: new Uint8Array() };
const naming = (...names: string[]) =>
  covers({ indexedFields: Object.fromEntries(names.map((name) => [name, payload])) });

class Fixture {
  readonly engine = new FakeEngine();
  readonly time = new VirtualTime();
  readonly directory = new AttributeDirectory(this.engine, this.time);
  answers: (Status | string[])[] = [];

  ask(suffices: (types: AttributeTypes) => boolean): void {
    this.directory.with('ns', suffices, (error, types) => this.answers.push(error ?? [...types.keys()]));
  }

  /** Look-ups since the last time. */
  get lookUps(): number {
    return this.engine.asked.splice(0).length;
  }

  answer(...names: string[]): void {
    const types = Object.fromEntries(names.map((name) => [name, IndexedValueType.KEYWORD]));
    this.engine.last.done(undefined, types);
  }
}

describe('a door', () => {
  it('asks nobody about attributes that every namespace has', () => {
    const f = new Fixture();
    f.ask(naming());
    f.ask(naming('TemporalChangeVersion', 'BuildIds', 'WorkflowType'));
    expect(f.lookUps).toBe(0);
    expect(f.answers).toEqual([[], []]);
  });

  it('looks up what it does not know, once for all who wait, and remembers it', () => {
    const f = new Fixture();
    f.ask(naming('City'));
    f.ask(naming('City', 'Amount'));
    f.answer('City');
    expect(f.lookUps).toBe(1);
    expect(f.answers).toEqual([['City'], ['City']]);
    f.ask(naming('City'));
    expect(f.lookUps).toBe(0);
    // Registered since, perhaps at another node.
    f.ask(naming('Amount'));
    f.answer('City', 'Amount');
    expect(f.lookUps).toBe(1);
    expect(f.answers.at(-1)).toEqual(['City', 'Amount']);
  });

  it('does not take for granted what it looked up long ago: it may have been removed', () => {
    const f = new Fixture();
    f.ask(naming('City'));
    f.answer('City');
    f.time.advance(5_000);
    f.ask(naming('City'));
    f.answer();
    expect(f.lookUps).toBe(2);
    expect(f.answers).toEqual([['City'], []]);
  });

  it('knows at once what was registered through itself, and says when nobody answers', () => {
    const f = new Fixture();
    f.directory.learn('ns', { City: IndexedValueType.KEYWORD });
    f.ask(naming('City'));
    expect(f.lookUps).toBe(0);
    f.ask(naming('Other'));
    f.engine.last.done({ code: StatusCode.UNAVAILABLE, message: 'no owner' });
    expect(f.answers).toEqual([['City'], { code: StatusCode.UNAVAILABLE, message: 'no owner' }]);
  });
});
