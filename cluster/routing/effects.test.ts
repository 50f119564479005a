// Which requests routing may send again when nobody knows what became of them.

import { describe, expect, it } from 'vitest';
import type { DeploymentChange } from '../../src/core/deployment/change.ts';
import type { NamespaceAsk } from '../../src/ports/namespaces.ts';
import {
  type Effect,
  effectOf,
  effectOfAttributes,
  effectOfDeployment,
  effectOfEndpoint,
  effectOfJob,
  effectOfNamespace,
} from './effects.ts';
import type { ForwardedMessage } from './message-checks.ts';

describe('a repeat of a message', () => {
  it.each<[ForwardedMessage['type'], object, Effect]>([
    ['signal', { requestId: 'r' }, 'once'],
    ['signal', { requestId: '' }, 'perhapsTwice'],
    ['update', {}, 'once'],
    ['query', {}, 'nothing'],
    ['completeActivityTask', {}, 'perhapsTwice'],
    ['resetActivity', {}, 'perhapsTwice'],
    // Somebody may have set others meanwhile.
    ['setFlowLimits', {}, 'perhapsTwice'],
    ['flowReserve', {}, 'once'],
  ])('%s with %o', (type, more, expected) => {
    // What is looked at of a message.
    expect(effectOf({ type, ...more } as ForwardedMessage)).toBe(expected);
  });
});

describe('a repeat of a change of settings', () => {
  it.each<[NamespaceAsk['type'], Effect]>([
    ['list', 'nothing'],
    ['register', 'once'],
    ['update', 'perhapsTwice'],
    ['deprecate', 'perhapsTwice'],
    ['delete', 'perhapsTwice'],
    ['configureQueue', 'perhapsTwice'],
  ])('of a namespace: %s', (type, expected) => {
    expect(effectOfNamespace({ type } as NamespaceAsk)).toBe(expected);
  });

  it.each<[DeploymentChange['type'], object, Effect]>([
    ['poll', {}, 'once'],
    ['drainage', {}, 'once'],
    ['create', { requestId: 'r' }, 'once'],
    ['create', { requestId: '' }, 'perhapsTwice'],
    ['createVersion', { requestId: '' }, 'perhapsTwice'],
    ['setCurrent', {}, 'perhapsTwice'],
    ['delete', {}, 'perhapsTwice'],
  ])('of a deployment: %s with %o', (type, more, expected) => {
    const change = { type, ...more } as DeploymentChange;
    expect(effectOfDeployment({ type: 'change', namespace: 'n', name: 'd', change })).toBe(expected);
  });

  it('of search attributes, jobs and endpoints', () => {
    expect(effectOfAttributes({ add: {}, remove: [] })).toBe('once');
    expect(effectOfAttributes({ add: {}, remove: ['a'] })).toBe('perhapsTwice');
    expect(effectOfAttributes({ add: {}, remove: 'everything' })).toBe('perhapsTwice');
    expect(effectOfAttributes({ add: {}, remove: [], rename: { a: 'b' } })).toBe('perhapsTwice');
    expect(effectOfJob({ type: 'describe', jobId: 'j' })).toBe('nothing');
    expect(effectOfJob({ type: 'stop', jobId: 'j', reason: '', identity: '' })).toBe('once');
    expect(effectOfEndpoint({ type: 'list' })).toBe('nothing');
    expect(effectOfDeployment({ type: 'list' })).toBe('nothing');
  });
});
