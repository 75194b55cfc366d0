/**
 * What every Resolver must do, as tests: run over the real one and over the fake.
 *
 * `open` gets the data and returns a resolver that sees it; changes to the zone afterwards need not
 * be seen.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { FakeEntry, FakeZone } from './fake-zone.ts';
import { fakeZone } from './fake-zone.ts';
import type { Resolver } from './resolver.ts';

export interface OpenedResolver {
  readonly resolver: Resolver;
  close(): Promise<void>;
}

export type OpenResolver = (zone: FakeZone) => Promise<OpenedResolver>;

type Entries = Readonly<Record<string, FakeEntry>>;
type Check = (resolver: Resolver) => Promise<void>;

const mx = (preference: number, exchange: string) => ({ preference, exchange });

/** Registers the suite's tests under `title`. */
export function testResolver(title: string, open: OpenResolver): void {
  const fact = (name: string, entries: Entries, check: Check): void => {
    void test(`${title}: ${name}`, async () => {
      const opened = await open(fakeZone(entries));
      try {
        await check(opened.resolver);
      } finally {
        await opened.close();
      }
    });
  };
  testMx(fact);
  testAddresses(fact);
  testAliases(fact);
  testAbsence(fact);
  testFailures(fact);
  testSpecialNames(fact);
  testOtherTypes(fact);
}

type Fact = (name: string, entries: Entries, check: Check) => void;

function testMx(fact: Fact): void {
  const records = [mx(10, 'mx1.contoso.com'), mx(10, 'mx2.contoso.com'), mx(0, 'a.example')];
  fact('finds MX records', { 'contoso.com': { mx: records } }, async (resolver) => {
    const answer = await resolver.resolveMx('contoso.com');
    assert.deepEqual(answer, { kind: 'found', records, isAuthentic: false, ttlSeconds: 300 });
  });
  const nullMx = { 'contoso.com': { mx: [mx(0, '')] } };
  fact('shows a null MX as the empty exchange', nullMx, async (resolver) => {
    const answer = await resolver.resolveMx('contoso.com');
    assert.deepEqual(answer.kind === 'found' && answer.records, [mx(0, '')]);
  });
  const odd = { 'contoso.com': { mx: [mx(5, '192.0.2.1'), mx(6, 'a b.example')] } };
  fact('keeps an exchange that is no host name, for others to refuse', odd, async (resolver) => {
    const answer = await resolver.resolveMx('contoso.com');
    assert.equal(answer.kind === 'found' && answer.records.length, 2);
    assert.equal(answer.kind === 'found' && answer.records[0]!.exchange, '192.0.2.1');
  });
  const plain = { 'contoso.com': { mx: [mx(1, 'mx.contoso.com')] } };
  fact('takes any case, a last dot and U-labels', plain, async (resolver) => {
    assert.equal((await resolver.resolveMx('CONTOSO.com.')).kind, 'found');
    assert.equal((await resolver.resolveMx('ｃontoso.com')).kind, 'found');
  });
  const signed = { 'contoso.com': { ...plain['contoso.com'], isAuthentic: true } };
  fact('says that an answer is authentic', signed, async (resolver) => {
    const answer = await resolver.resolveMx('contoso.com');
    assert.equal(answer.kind === 'found' && answer.isAuthentic, true);
  });
  const many = Array.from({ length: 60 }, (_, i) => mx(i, `host-number-${i}.mail.example`));
  fact('finds more than a datagram holds', { 'contoso.com': { mx: many } }, async (resolver) => {
    const answer = await resolver.resolveMx('contoso.com');
    assert.deepEqual(answer.kind === 'found' && answer.records, many);
  });
  for (const [ttl, seen] of [
    [0, 5],
    [100, 100],
    [864_000, 3600],
  ] as const) {
    const entry = { ...plain['contoso.com'], ttlSeconds: ttl };
    fact(`shows a TTL of ${ttl} as ${seen}`, { 'contoso.com': entry }, async (resolver) => {
      const answer = await resolver.resolveMx('contoso.com');
      assert.equal(answer.kind === 'found' && answer.ttlSeconds, seen);
    });
  }
}

function testAddresses(fact: Fact): void {
  const both = { a: ['192.0.2.1', '192.0.2.2'], aaaa: ['2001:db8::1'] };
  fact('finds A and AAAA together', { 'mx.example': both }, async (resolver) => {
    const answer = await resolver.resolveAddresses('mx.example');
    assert.deepEqual(answer.kind === 'found' && answer.records, [
      { address: '2001:db8::1', family: 6 },
      { address: '192.0.2.1', family: 4 },
      { address: '192.0.2.2', family: 4 },
    ]);
  });
  fact('finds one family alone', { 'mx.example': { a: ['192.0.2.1'] } }, async (resolver) => {
    const answer = await resolver.resolveAddresses('mx.example');
    assert.deepEqual(answer.kind === 'found' && answer.records.length, 1);
  });
  const half = { a: ['192.0.2.1'], failures: { AAAA: 'servfail' } } as const;
  fact('finds one family where the other fails', { 'mx.example': half }, async (resolver) => {
    const answer = await resolver.resolveAddresses('mx.example');
    assert.deepEqual(answer.kind === 'found' && answer.records, [
      { address: '192.0.2.1', family: 4 },
    ]);
  });
  const unknown = { failures: { A: 'servfail' } } as const;
  fact('no data beside a failure is a failure', { 'mx.example': unknown }, async (resolver) => {
    const answer = await resolver.resolveAddresses('mx.example');
    assert.equal(answer.kind === 'failed' && answer.code, 'servfail');
  });
}

function testAliases(fact: Fact): void {
  const host = { a: ['192.0.2.1'], aaaa: ['2001:db8::1'], isAuthentic: true, ttlSeconds: 60 };
  const alias = (cname: string): FakeEntry => ({ cname, isAuthentic: true });
  const chain = { 'a.example': alias('b.example'), 'b.example': alias('c.example') };
  fact('follows aliases', { ...chain, 'c.example': host }, async (resolver) => {
    const answer = await resolver.resolveAddresses('a.example');
    assert.equal(answer.kind === 'found' && answer.records.length, 2);
    assert.equal(answer.kind === 'found' && answer.isAuthentic, true);
    assert.equal(answer.kind === 'found' && answer.ttlSeconds, 60);
  });
  const unsigned = { ...chain, 'b.example': { cname: 'c.example' }, 'c.example': host };
  fact('one unsigned alias makes the answer unauthentic', unsigned, async (resolver) => {
    const answer = await resolver.resolveAddresses('a.example');
    assert.equal(answer.kind === 'found' && answer.isAuthentic, false);
  });
  const loop = { 'a.example': alias('b.example'), 'b.example': alias('a.example') };
  fact('ends an alias loop as a failure', loop, async (resolver) => {
    assert.equal((await resolver.resolveAddresses('a.example')).kind, 'failed');
    assert.equal((await resolver.resolveMx('a.example')).kind, 'failed');
  });
  const row = (length: number): Entries =>
    Object.fromEntries(
      Array.from({ length }, (_, i) => [`n${i}.example`, alias(`n${i + 1}.example`)]),
    );
  fact('follows eight aliases', { ...row(8), 'n8.example': host }, async (resolver) => {
    assert.equal((await resolver.resolveAddresses('n0.example')).kind, 'found');
  });
  fact('does not follow nine aliases', { ...row(9), 'n9.example': host }, async (resolver) => {
    assert.equal((await resolver.resolveAddresses('n0.example')).kind, 'failed');
  });
  fact('an alias to nowhere does not exist', { 'a.example': alias('b.example') }, async (r) => {
    assert.equal((await r.resolveAddresses('a.example')).kind, 'no-such-domain');
  });
  const empty = { 'a.example': alias('b.example'), 'b.example': host };
  fact('an alias to a name without such data has no data', empty, async (resolver) => {
    assert.equal((await resolver.resolveMx('a.example')).kind, 'no-data');
  });
}

function testAbsence(fact: Fact): void {
  const entries = { 'contoso.com': { a: ['192.0.2.1'] }, 'a.b.example': { a: ['192.0.2.1'] } };
  fact('tells no data from no such domain', entries, async (resolver) => {
    const none = { isAuthentic: false };
    assert.deepEqual(await resolver.resolveMx('contoso.com'), { kind: 'no-data', ...none });
    assert.deepEqual(await resolver.resolveMx('b.example'), { kind: 'no-data', ...none });
    const missing = await resolver.resolveMx('fabrikam.com');
    assert.deepEqual(missing, { kind: 'no-such-domain', ...none });
    assert.equal((await resolver.resolveAddresses('fabrikam.com')).kind, 'no-such-domain');
    assert.equal((await resolver.resolveAddresses('b.example')).kind, 'no-data');
  });
  const signed = { 'contoso.com': { isAuthentic: true } };
  fact('says that a denial is authentic', signed, async (resolver) => {
    const answer = await resolver.resolveMx('contoso.com');
    assert.deepEqual(answer, { kind: 'no-data', isAuthentic: true });
    const addresses = await resolver.resolveAddresses('contoso.com');
    assert.deepEqual(addresses, { kind: 'no-data', isAuthentic: true });
  });
}

function testFailures(fact: Fact): void {
  for (const code of ['servfail', 'refused', 'timeout'] as const) {
    const entries = { 'contoso.com': { failures: { MX: code, A: code, AAAA: code } } };
    fact(`${code} is a failure, never an absence`, entries, async (resolver) => {
      const answer = await resolver.resolveMx('contoso.com');
      assert.equal(answer.kind === 'failed' && answer.code, code);
      assert.match(answer.kind === 'failed' ? answer.reason : '', /^MX of contoso\.com: .*[^.]$/);
      const addresses = await resolver.resolveAddresses('contoso.com');
      assert.equal(addresses.kind === 'failed' && addresses.code, code);
    });
  }
  fact('a text that is no name is a failure of its own', {}, async (resolver) => {
    for (const text of [
      '',
      '.',
      'a..b',
      'a b.example',
      '-a.example',
      `${'a'.repeat(64)}.example`,
    ]) {
      const answer = await resolver.resolveMx(text);
      assert.equal(answer.kind === 'failed' && answer.code, 'bad-name', text);
    }
  });
}

function testSpecialNames(fact: Fact): void {
  const trap = { localhost: { a: ['192.0.2.66'], mx: [mx(1, 'evil.example')] } };
  fact('localhost is loopback whatever DNS says', trap, async (resolver) => {
    for (const name of ['localhost', 'LOCALHOST.', 'mail.localhost']) {
      const answer = await resolver.resolveAddresses(name);
      const addresses = answer.kind === 'found' ? answer.records.map((r) => r.address) : [];
      assert.deepEqual(addresses, ['::1', '127.0.0.1']);
      assert.equal((await resolver.resolveMx(name)).kind, 'no-data');
    }
  });
  fact('an address is its own answer', {}, async (resolver) => {
    for (const [text, address, family] of [
      ['192.0.2.1', '192.0.2.1', 4],
      ['[192.0.2.1]', '192.0.2.1', 4],
      ['2001:DB8:0::1', '2001:db8::1', 6],
      ['[IPv6:2001:db8::1]', '2001:db8::1', 6],
    ] as const) {
      const answer = await resolver.resolveAddresses(text);
      assert.deepEqual(answer.kind === 'found' && answer.records, [{ address, family }]);
      assert.equal((await resolver.resolveMx(text)).kind, 'no-data');
    }
  });
}

function testOtherTypes(fact: Fact): void {
  const txt = ['v=spf1 -all', 'x'.repeat(700), 'grüße'];
  fact('joins the strings of a TXT record', { 'contoso.com': { txt } }, async (resolver) => {
    const answer = await resolver.resolveTxt('contoso.com');
    assert.deepEqual(answer.kind === 'found' && answer.records, txt);
  });
  const tlsa = [{ usage: 3, selector: 1, matchingType: 1, data: 'ab'.repeat(32) }];
  const name = '_25._tcp.mx.contoso.com';
  fact('finds TLSA records', { [name]: { tlsa, isAuthentic: true } }, async (resolver) => {
    const answer = await resolver.resolveTlsa(name);
    assert.deepEqual(answer.kind === 'found' && answer.records, tlsa);
    assert.equal(answer.kind === 'found' && answer.isAuthentic, true);
  });
}
