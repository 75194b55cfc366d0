import assert from 'node:assert/strict';
import test from 'node:test';
import * as fc from 'fast-check';
import { mxHostsMax, orderMx } from './mx-order.ts';
import type { MxAnswer, MxAnswerRecord } from './mx-order.ts';

const options = { domain: 'contoso.com', ownNames: ['mx.postern.example'], random: () => 0.5 };

function found(...records: readonly (readonly [number, string])[]): MxAnswer {
  return {
    kind: 'found',
    records: records.map(([preference, exchange]) => ({ preference, exchange })),
  };
}

function namesOf(answer: MxAnswer, random = () => 0.5): readonly string[] {
  const plan = orderMx(answer, { ...options, random });
  assert.equal(plan.kind, 'hosts');
  return plan.kind === 'hosts' ? plan.hosts.map((host) => host.hostName) : [];
}

void test('sends nothing where the only MX is the root', () => {
  assert.deepEqual(orderMx(found([0, '']), options), { kind: 'null-mx' });
  assert.deepEqual(orderMx(found([10, '']), options), { kind: 'null-mx' });
});

void test('a null MX beside hosts is no null MX and no host', () => {
  assert.deepEqual(namesOf(found([0, ''], [10, 'mx.contoso.com'])), ['mx.contoso.com']);
});

void test('drops addresses and invalid names, and never falls back to the domain for them', () => {
  const bad = found([1, '192.0.2.1'], [2, '2001:db8::1'], [3, 'a b.example'], [4, 'x\\.y.example']);
  const plan = orderMx(bad, options);
  assert.equal(plan.kind, 'unusable');
  assert.match(plan.kind === 'unusable' ? plan.reason : '', /no MX record of contoso\.com.*192/);
  assert.deepEqual(namesOf(found([1, '192.0.2.1'], [9, 'mx.contoso.com'])), ['mx.contoso.com']);
});

void test('the domain itself is the host only where it has no MX', () => {
  const implicit = { kind: 'implicit', hostName: 'contoso.com' };
  assert.deepEqual(orderMx({ kind: 'no-data' }, options), implicit);
  assert.deepEqual(orderMx(found(), options), implicit);
});

void test('cuts the list at our own host', () => {
  const answer = found(
    [30, 'c.example'],
    [20, 'mx.postern.example'],
    [20, 'b.example'],
    [10, 'a.example'],
  );
  assert.deepEqual(namesOf(answer), ['a.example']);
});

void test('knows our own host in any case and with a trailing dot', () => {
  const plan = orderMx(found([5, 'MX.Postern.Example.'], [5, 'b.example']), options);
  assert.equal(plan.kind, 'loop');
});

void test('is a loop where we are the best MX, or the domain without MX', () => {
  const plan = orderMx(found([10, 'mx.postern.example'], [20, 'b.example']), options);
  assert.deepEqual(plan, {
    kind: 'loop',
    reason: 'the best MX of contoso.com is this server itself (mx.postern.example)',
  });
  const own = { ...options, domain: 'mx.postern.example' };
  assert.equal(orderMx({ kind: 'no-data' }, own).kind, 'loop');
});

void test('our own host cuts at its best preference when it is named twice', () => {
  const answer = found([50, 'mx.postern.example'], [10, 'mx.postern.example'], [20, 'b.example']);
  assert.equal(orderMx(answer, options).kind, 'loop');
});

void test('names a host once, at its best preference', () => {
  const answer = found([20, 'a.example'], [10, 'b.example'], [5, 'A.example']);
  assert.deepEqual(namesOf(answer), ['a.example', 'b.example']);
});

void test('tries at most ten hosts, the best ones', () => {
  const records = Array.from({ length: 30 }, (_, i) => [30 - i, `h${30 - i}.example`] as const);
  const names = namesOf(found(...records));
  assert.equal(names.length, mxHostsMax);
  assert.equal(names[0], 'h1.example');
  assert.equal(names[9], 'h10.example');
});

void test('every order of equal hosts occurs about equally often', () => {
  let state = 1;
  const random = (): number => (state = (state * 48271) % 2147483647) / 2147483647;
  const answer = found([10, 'a.example'], [10, 'b.example'], [10, 'c.example']);
  const counts = new Map<string, number>();
  for (let i = 0; i < 3000; i++) {
    const order = namesOf(answer, random).join(' ');
    counts.set(order, (counts.get(order) ?? 0) + 1);
  }
  assert.equal(counts.size, 6);
  for (const count of counts.values()) assert.ok(count > 400 && count < 600, String(count));
});

const anyRecord: fc.Arbitrary<MxAnswerRecord> = fc.record({
  preference: fc.nat({ max: 65535 }),
  exchange: fc.oneof(
    fc.constantFrom('a.example', 'b.example', 'mx.postern.example', '', '192.0.2.1'),
    fc.string(),
  ),
});

void test('for any records: sorted, once each, never ourselves or a worse host than ourselves', () => {
  fc.assert(
    fc.property(
      fc.array(anyRecord),
      fc.infiniteStream(fc.double({ min: 0, max: 0.999 })),
      (r, s) => {
        const random = (): number => s.next().value as number;
        const plan = orderMx({ kind: 'found', records: r }, { ...options, random });
        if (plan.kind !== 'hosts') return;
        const names = plan.hosts.map((host) => host.hostName);
        assert.ok(names.length > 0 && names.length <= mxHostsMax);
        assert.equal(new Set(names).size, names.length);
        assert.ok(!names.includes('mx.postern.example'));
        const own = r.filter((record) => record.exchange === 'mx.postern.example');
        const limit = Math.min(Infinity, ...own.map((record) => record.preference));
        plan.hosts.forEach((host, i) => {
          assert.ok(host.preference < limit);
          assert.ok(i === 0 || plan.hosts[i - 1]!.preference <= host.preference);
        });
      },
    ),
  );
});
