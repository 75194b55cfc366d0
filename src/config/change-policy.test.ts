import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import type { PlacedObject } from './change-policy.ts';
import { changePolicy, replacePolicy } from './change-policy.ts';
import { numberInOrder } from './object-order.ts';
import type { PolicyObject } from './policy-object.ts';

function rule(name: string, value: Record<string, unknown> = {}): PolicyObject {
  return { kind: 'rule', organization: 'contoso', name, value: { name, ...value } };
}

function placed(...names: string[]): readonly PlacedObject[] {
  return names.map((name, place) => ({ ...rule(name), position: place + 1, revision: 1 }));
}

const names = (objects: readonly PolicyObject[]) => objects.map(({ name }) => name);

test('what is added comes last, what is changed keeps its place, what moves moves alone', () => {
  const before = placed('a', 'b', 'c');
  const change = (name: string, place: number | null, value: object | null = { x: 1 }) =>
    changePolicy(
      before,
      [{ key: rule(name), value: value === null ? null : { name, ...value }, place }],
      2,
    );
  assert.deepEqual(names(change('d', null).objects), ['a', 'b', 'c', 'd']);
  assert.deepEqual(names(change('a', null).objects), ['a', 'b', 'c']);
  assert.deepEqual(names(change('c', 0, {}).objects), ['c', 'a', 'b']);
  assert.deepEqual(names(change('a', 1, {}).objects), ['b', 'a', 'c']);
  assert.deepEqual(names(change('a', 9, {}).objects), ['b', 'c', 'a']);
  assert.deepEqual(names(change('b', null, null).objects), ['a', 'c']);
  for (const moved of [change('c', 0, {}), change('a', 1, {}), change('b', null, null)]) {
    assert.equal(moved.versions.length, 1);
  }
  assert.deepEqual(change('a', null, {}).versions, []);
  assert.deepEqual(change('zzz', null, null).versions, []);
});

test('a thousand objects that move among thousands take no seconds', () => {
  const before = placed(...Array.from({ length: 4000 }, (_, each) => `r${each}`));
  const moves = before.slice(0, 1000).map((key) => ({ key, value: { name: key.name }, place: 0 }));
  const startedMs = performance.now();
  const { objects } = changePolicy(before, moves, 2);
  const tookMs = performance.now() - startedMs;
  assert.deepEqual(names(objects).slice(0, 3), ['r999', 'r998', 'r997']);
  // Nothing else is served meanwhile, and who may only look can ask for it. It was some 8 s.
  assert.ok(tookMs < 2000, `took ${tookMs} ms`);
});

test('a rule can be moved between the same two again and again', () => {
  let objects = placed('a', 'b', 'c');
  for (let turn = 0; turn < 200; turn++) {
    const name = turn % 2 === 0 ? 'c' : 'b';
    const change = { key: rule(name), value: { name }, place: 1 };
    ({ objects } = changePolicy(objects, [change], turn + 2));
    assert.deepEqual(names(objects).slice(0, 2), ['a', name]);
  }
});

test('replacing gives what is wanted in its order, and what is the same keeps its version', () => {
  const word = fc.constantFrom('a', 'b', 'c', 'd', 'e', 'f', 'g');
  const list = fc.uniqueArray(word, { maxLength: 7 });
  fc.assert(
    fc.property(fc.array(list, { minLength: 2, maxLength: 6 }), (steps) => {
      let objects: readonly PlacedObject[] = [];
      steps.forEach((step, at) => {
        const wanted = step.map((name) => rule(name));
        const next = replacePolicy(objects, wanted, at + 1);
        assert.deepEqual(names(next.objects), step);
        for (const object of next.objects) {
          const isWritten = next.versions.some(({ key }) => key.name === object.name);
          assert.equal(object.revision === at + 1, isWritten);
        }
        assert.deepEqual(replacePolicy(next.objects, wanted, at + 2).versions, []);
        objects = next.objects;
      });
    }),
  );
});

test('numbers rise, and as many as can be stay', () => {
  assert.deepEqual(numberInOrder([1, 2, 3]), [1, 2, 3]);
  assert.deepEqual(numberInOrder([3, 1, 2]), [0, 1, 2]);
  assert.deepEqual(numberInOrder([null, null]), [1, 2]);
  assert.deepEqual(numberInOrder([1, null, 2]), [1, 1.5, 2]);
  fc.assert(
    fc.property(fc.array(fc.option(fc.integer({ min: -50, max: 50 }))), (old) => {
      const numbers = numberInOrder(old);
      assert.equal(numbers.length, old.length);
      assert.ok(numbers.every((each, at) => at === 0 || each > numbers[at - 1]!));
    }),
  );
});
