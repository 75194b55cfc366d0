import assert from 'node:assert/strict';
import dgram from 'node:dgram';
import net from 'node:net';
import test from 'node:test';
import type { Packet } from 'dns-packet';
import { encode } from 'dns-packet';
import { testResolver } from './conformance.ts';
import type { FakeEntry } from './fake-zone.ts';
import { fakeZone } from './fake-zone.ts';
import type { LoopbackQuery, LoopbackServer, Respond } from './loopback-server.ts';
import { startLoopbackServer } from './loopback-server.ts';
import type { StubResolver, StubResolverSettings } from './stub-resolver.ts';
import { createStubResolver, isTrustedServer } from './stub-resolver.ts';

const mx = [{ preference: 10, exchange: 'mx.contoso.com' }];
const contoso: Readonly<Record<string, FakeEntry>> = { 'contoso.com': { mx, isAuthentic: true } };

testResolver('the stub', async (zone) => {
  const server = await startLoopbackServer(zone);
  const resolver = createStubResolver({ servers: [server], timeoutMs: 500, rounds: 1 });
  return {
    resolver,
    close: async () => {
      resolver.close();
      await server.close();
    },
  };
});

/** For tests in which the time-out is what must happen. */
const quick = { timeoutMs: 100 };

interface Setting {
  readonly entries?: Readonly<Record<string, FakeEntry>>;
  readonly respond?: Respond;
  readonly settings?: Partial<StubResolverSettings>;
}

/** One server with a vice, and a resolver that asks it. */
async function withServer(
  { entries = contoso, respond, settings = {} }: Setting,
  check: (resolver: StubResolver, server: LoopbackServer) => Promise<void>,
): Promise<void> {
  const options = respond === undefined ? {} : { respond };
  const server = await startLoopbackServer(fakeZone(entries), options);
  const defaults = { servers: [server], timeoutMs: 5000, rounds: 1 };
  const resolver = createStubResolver({ ...defaults, ...settings });
  try {
    await check(resolver, server);
  } finally {
    resolver.close();
    await server.close();
  }
}

function packetOf(bytes: Buffer, changes: (copy: Buffer) => void): Buffer {
  const copy = Buffer.from(bytes);
  changes(copy);
  return copy;
}

const wrongId = (honest: Packet): Packet => ({
  ...honest,
  id: (honest.id! + 1) & 0xffff,
  answers: [],
});

async function codeOf(resolver: StubResolver): Promise<string> {
  const answer = await resolver.resolveMx('contoso.com');
  return answer.kind === 'failed' ? answer.code : answer.kind;
}

void test('the stub passes over answers with a wrong id and takes the right one after them', async () => {
  const respond: Respond = (_query, honest) => [wrongId(honest), wrongId(honest), honest];
  await withServer({ respond }, async (resolver) => {
    const answer = await resolver.resolveMx('contoso.com');
    assert.deepEqual(answer.kind === 'found' && answer.records, mx);
  });
});

void test('the stub takes no answer with a wrong id alone', async () => {
  const respond: Respond = (_query, honest) => [wrongId(honest)];
  await withServer({ respond, settings: quick }, async (r) => {
    assert.equal(await codeOf(r), 'timeout');
  });
});

void test('the stub takes no answer to another question', async () => {
  const other: readonly Partial<Packet>[] = [
    { questions: [{ type: 'MX', name: 'fabrikam.com' }] },
    { questions: [{ type: 'A', name: 'contoso.com' }] },
    { questions: [] },
    {
      questions: [
        { type: 'MX', name: 'contoso.com' },
        { type: 'A', name: 'contoso.com' },
      ],
    },
    { type: 'query' },
  ];
  for (const change of other) {
    const respond: Respond = (_query, honest) => [{ ...honest, ...change }];
    await withServer({ respond, settings: quick }, async (r) => {
      assert.equal(await codeOf(r), 'timeout');
    });
  }
});

void test('the stub takes records of the asked name only', async () => {
  const respond: Respond = (_query, honest) => [
    { ...honest, answers: [{ type: 'MX', name: 'evil.example', data: mx[0]! }] },
  ];
  await withServer({ respond }, async (r) => assert.equal(await codeOf(r), 'no-data'));
});

void test('the stub takes the question in any case', async () => {
  const respond: Respond = (_query, honest) => [
    { ...honest, questions: [{ type: 'MX', name: 'CoNtOsO.CoM' }] },
  ];
  await withServer({ respond }, async (r) => assert.equal(await codeOf(r), 'found'));
});

void test('the stub changes to TCP when datagrams that do not match pour in', async () => {
  const respond: Respond = (query, honest) =>
    query.transport === 'tcp' ? [honest] : Array.from({ length: 9 }, () => wrongId(honest));
  await withServer({ respond }, async (resolver, server) => {
    assert.equal(await codeOf(resolver), 'found');
    assert.deepEqual(
      server.queries.map((query) => query.transport),
      ['udp', 'tcp'],
    );
  });
});

void test('the stub hears no datagram from another sender', async () => {
  // The server stays silent; another socket that knows id and port answers in its place.
  const spoofer = dgram.createSocket('udp4');
  const silent = dgram.createSocket('udp4');
  const heard = new Promise<void>((resolve) => {
    silent.on('message', (bytes, from) => {
      const forged = packetOf(bytes, (copy) => copy.writeUInt16BE(0x8180, 2));
      spoofer.send(forged, from.port, from.address, () => resolve());
    });
  });
  await new Promise<void>((resolve) => silent.bind(0, '127.0.0.1', resolve));
  const servers = [{ address: '127.0.0.1', port: silent.address().port }];
  const resolver = createStubResolver({ servers, timeoutMs: 100, rounds: 1 });
  const [code] = await Promise.all([codeOf(resolver), heard]);
  assert.equal(code, 'timeout');
  resolver.close();
  spoofer.close();
  silent.close();
});

void test('the stub asks with a new id and a new source port each time', async () => {
  const ports = new Set<number>();
  const ids = new Set<number>();
  const server = dgram.createSocket('udp4', (bytes, from) => {
    ports.add(from.port);
    ids.add(bytes.readUInt16BE());
    server.send(
      packetOf(bytes, (copy) => copy.writeUInt16BE(0x8182, 2)),
      from.port,
      from.address,
    );
  });
  await new Promise<void>((resolve) => server.bind(0, '127.0.0.1', resolve));
  const servers = [{ address: '127.0.0.1', port: server.address().port }];
  const resolver = createStubResolver({ servers, rounds: 1 });
  for (let i = 0; i < 20; i++) await resolver.resolveTxt(`n${i}.example`);
  assert.ok(ports.size > 10, `${ports.size} ports`);
  assert.ok(ids.size > 15, `${ids.size} ids`);
  resolver.close();
  server.close();
});

void test('the stub asks for DNSSEC and AD, and repeats the question over TCP when cut', async () => {
  const exchange = 'a-long-host-name.of-some.length.contoso.com';
  const many = Array.from({ length: 80 }, (_, i) => ({
    preference: i,
    exchange: `${i}.${exchange}`,
  }));
  await withServer({ entries: { 'contoso.com': { mx: many } } }, async (resolver, server) => {
    assert.equal(await codeOf(resolver), 'found');
    assert.deepEqual(
      server.queries.map((query) => query.transport),
      ['udp', 'tcp'],
    );
    const { bytes, hasEdns } = server.queries[0]!;
    assert.ok(hasEdns);
    assert.equal(bytes.readUInt16BE(2), 0x0120);
    assert.ok(
      bytes.subarray(-11).equals(Buffer.from('00002904d00000800000 00'.replace(' ', ''), 'hex')),
    );
  });
});

void test('the stub asks without EDNS a server that does not know it', async () => {
  const respond: Respond = (query, honest) => {
    const { id } = query;
    return query.hasEdns ? [{ id, type: 'response', flags: 1, questions: [] }] : [honest];
  };
  await withServer({ respond }, async (resolver, server) => {
    assert.equal(await codeOf(resolver), 'found');
    assert.deepEqual(
      server.queries.map((query) => query.hasEdns),
      [true, false],
    );
  });
});

const garbage: readonly (readonly [string, (query: LoopbackQuery, honest: Packet) => Buffer])[] = [
  [
    'ends in the header',
    (query) => packetOf(query.bytes, (b) => b.writeUInt16BE(0x8180, 2)).subarray(0, 12),
  ],
  ['ends in a record', (_query, honest) => encode(honest).subarray(0, -3)],
  [
    'promises more records',
    (_query, honest) => packetOf(encode(honest), (b) => b.writeUInt16BE(9, 6)),
  ],
  [
    'promises 65535 records',
    (_query, honest) => packetOf(encode(honest), (b) => b.writeUInt16BE(65535, 6)),
  ],
  [
    'points to itself',
    (_query, honest) => packetOf(encode(honest), (b) => b.writeUInt16BE(0xc00c, 12)),
  ],
  [
    'has a label of an unknown kind',
    (_query, honest) => packetOf(encode(honest), (b) => b.writeUInt8(0x80, 12)),
  ],
];

for (const [name, make] of garbage) {
  void test(`the stub fails without throwing on an answer that ${name}`, async () => {
    const respond: Respond = (query, honest) => [make(query, honest)];
    await withServer({ respond }, async (r) => assert.equal(await codeOf(r), 'malformed'));
  });
}

void test('the stub takes no oversized answer over TCP', async () => {
  const respond: Respond = (query, honest) => {
    if (query.transport === 'udp') return [{ ...honest, flags: 0x8380, answers: [] }];
    return [Buffer.concat([encode(honest), Buffer.alloc(20_000)])];
  };
  await withServer({ respond }, async (r) => assert.equal(await codeOf(r), 'malformed'));
});

void test('the stub takes no cut answer over TCP', async () => {
  const respond: Respond = (_query, honest) => [{ ...honest, flags: 0x0200, answers: [] }];
  await withServer({ respond }, async (r) => assert.equal(await codeOf(r), 'malformed'));
});

void test('the stub ends a TCP exchange in which nothing comes', async () => {
  const respond: Respond = (query, honest) =>
    query.transport === 'udp' ? [{ ...honest, flags: 0x8380, answers: [] }] : [];
  await withServer({ respond, settings: quick }, async (r) => {
    assert.equal(await codeOf(r), 'timeout');
  });
});

void test('the stub asks on by itself where a message stops at an alias', async () => {
  const entries = {
    'a.example': { cname: 'b.example', isAuthentic: true },
    'b.example': { a: ['192.0.2.1'], isAuthentic: true },
  };
  const respond: Respond = (query, honest) => {
    if (query.name !== 'a.example') return [honest];
    return [{ ...honest, answers: [honest.answers![0]!], authorities: [] }];
  };
  await withServer({ entries, respond }, async (resolver, server) => {
    const answer = await resolver.resolveAddresses('a.example');
    assert.equal(answer.kind === 'found' && answer.records[0]!.address, '192.0.2.1');
    assert.equal(answer.kind === 'found' && answer.isAuthentic, true);
    assert.equal(server.queries.length, 4);
  });
});

void test('an unsigned alias in one message is not made good by a signed answer in the next', async () => {
  const entries = {
    'a.example': { cname: 'b.example' },
    'b.example': { mx, isAuthentic: true },
  };
  const respond: Respond = (query, honest) => {
    if (query.name !== 'a.example') return [honest];
    return [{ ...honest, answers: [honest.answers![0]!], authorities: [] }];
  };
  await withServer({ entries, respond }, async (resolver) => {
    const answer = await resolver.resolveMx('a.example');
    assert.equal(answer.kind === 'found' && answer.isAuthentic, false);
  });
});

void test('aliases count together over all messages', async () => {
  const alias = (i: number) => ({
    type: 'CNAME' as const,
    name: i === 0 ? 'contoso.com' : `n${i}.example`,
    data: `n${i + 1}.example`,
  });
  const host = { type: 'MX' as const, name: 'n9.example', data: mx[0]! };
  const respond: Respond = (query, honest) => {
    const isFirst = query.name === 'contoso.com';
    const answers = isFirst ? Array.from({ length: 8 }, (_, i) => alias(i)) : [alias(8), host];
    return [{ ...honest, flags: 0x8180, answers, authorities: [] }];
  };
  await withServer({ respond }, async (resolver, server) => {
    assert.equal(await codeOf(resolver), 'alias-loop');
    assert.equal(server.queries.length, 2);
  });
});

void test('the stub ends an alias loop that goes on from message to message', async () => {
  let asked = 0;
  const respond: Respond = (query, honest) => {
    const data = `n${++asked}.example`;
    return [
      {
        ...honest,
        flags: 0x8180,
        answers: [{ type: 'CNAME', name: query.name, data }],
        authorities: [],
      },
    ];
  };
  await withServer({ respond }, async (resolver) => {
    assert.equal(await codeOf(resolver), 'alias-loop');
    assert.ok(asked <= 9, `${asked} questions`);
  });
});

void test('an alias to localhost ends on loopback without a question', async () => {
  const respond: Respond = (query, honest) => {
    const answers = [{ type: 'CNAME' as const, name: query.name, data: 'localhost' }];
    return [{ ...honest, flags: 0x8180, answers, authorities: [] }];
  };
  await withServer({ respond }, async (resolver, server) => {
    const answer = await resolver.resolveAddresses('contoso.com');
    assert.equal(answer.kind === 'found' && answer.records.length, 2);
    assert.ok(server.queries.every((query) => query.name === 'contoso.com'));
  });
});

void test('an alias to what is no name is a failure', async () => {
  const respond: Respond = (query, honest) => [
    { ...honest, answers: [{ type: 'CNAME', name: query.name, data: 'a b' }], authorities: [] },
  ];
  await withServer({ respond }, async (r) => assert.equal(await codeOf(r), 'malformed'));
});

void test('AD counts from loopback and from trusted servers, from no other', () => {
  const none = { trustsLoopback: true, trustedServers: [] };
  for (const address of ['127.0.0.1', '127.0.0.53', '::1']) {
    assert.ok(isTrustedServer(address, none));
    assert.ok(!isTrustedServer(address, { ...none, trustsLoopback: false }));
  }
  for (const address of ['192.0.2.53', '10.0.0.1', '2001:db8::1', 'fe80::1%eth0', '128.0.0.1']) {
    assert.ok(!isTrustedServer(address, none), address);
    assert.ok(isTrustedServer(address, { ...none, trustedServers: [address] }), address);
  }
});

void test('the AD bit of a server without our trust is left out of answer and denial', async () => {
  const entries = { ...contoso, 'none.example': { isAuthentic: true } };
  for (const trustsLoopback of [true, false]) {
    await withServer({ entries, settings: { trustsLoopback } }, async (resolver) => {
      for (const name of ['contoso.com', 'none.example']) {
        const answer = await resolver.resolveMx(name);
        assert.equal(answer.kind !== 'failed' && answer.isAuthentic, trustsLoopback);
      }
    });
  }
});

void test('the stub goes to the next server when one is silent, broken or gone', async () => {
  const broken = await startLoopbackServer(
    fakeZone({ 'contoso.com': { failures: { MX: 'servfail' } } }),
  );
  const silent = await startLoopbackServer(
    fakeZone({ 'contoso.com': { failures: { MX: 'timeout' } } }),
  );
  const gone = await startLoopbackServer(fakeZone({}));
  await gone.close();
  const settings = { timeoutMs: 300, rounds: 2 };
  await withServer({}, async (_resolver, good) => {
    for (const first of [broken, silent, gone]) {
      const resolver = createStubResolver({ ...settings, servers: [first, good] });
      assert.equal(await codeOf(resolver), 'found');
      resolver.close();
    }
  });
  const resolver = createStubResolver({ ...settings, servers: [gone, silent, broken] });
  const answer = await resolver.resolveMx('contoso.com');
  assert.match(
    answer.kind === 'failed' ? answer.reason : '',
    /^MX of contoso\.com: 127\S+ port \d+ could not be reached \(ECONNREFUSED\), .*did not answer within 300 ms, .*answered SERVFAIL$/,
  );
  assert.equal(broken.queries.length, 2, 'a server that said SERVFAIL is asked once per question');
  resolver.close();
  await broken.close();
  await silent.close();
});

void test('the stub asks a silent server again in the next round', async () => {
  let asked = 0;
  const respond: Respond = (_query, honest) => (++asked === 1 ? [] : [honest]);
  await withServer({ respond, settings: { timeoutMs: 300, rounds: 2 } }, async (resolver) => {
    assert.equal(await codeOf(resolver), 'found');
  });
});

void test('the deadline ends a question whatever rounds are left', async () => {
  const settings = { timeoutMs: 40, rounds: 1000, deadlineMs: 100 };
  await withServer({ respond: () => [], settings }, async (resolver, server) => {
    assert.equal(await codeOf(resolver), 'timeout');
    assert.ok(server.queries.length <= 3);
  });
});

void test('the stub remembers answers, denials and failures for as long as they live', async () => {
  let now = 0;
  const entries: Record<string, FakeEntry> = {
    'contoso.com': { mx, ttlSeconds: 60 },
    'none.example': { ttlSeconds: 20 },
    'broken.example': { failures: { MX: 'servfail' } },
  };
  await withServer({ entries, settings: { now: () => now } }, async (resolver, server) => {
    const asksAt = async (name: string, atMs: number): Promise<boolean> => {
      now = atMs;
      const before = server.queries.length;
      await resolver.resolveMx(name);
      return server.queries.length > before;
    };
    for (const [name, lifeMs] of [
      ['contoso.com', 60_000],
      ['none.example', 20_000],
      ['broken.example', 5000],
    ] as const) {
      assert.equal(await asksAt(name, 0), true, name);
      assert.equal(await asksAt(name, lifeMs - 1), false, name);
      assert.equal(await asksAt(name, lifeMs), true, name);
    }
    now = 1_000_000;
    await resolver.resolveMx('contoso.com');
    now += 15_000;
    const answer = await resolver.resolveMx('contoso.com');
    assert.equal(answer.kind === 'found' && answer.ttlSeconds, 45);
  });
});

void test('the same question asked many times at once goes out once', async () => {
  await withServer({}, async (resolver, server) => {
    const asked = Array.from({ length: 50 }, () => resolver.resolveMx('contoso.com'));
    const answers = await Promise.all(asked);
    assert.ok(answers.every((answer) => answer.kind === 'found'));
    assert.equal(server.queries.length, 1);
    assert.deepEqual(resolver.counts(), { outstanding: 0, cached: 1 });
  });
});

void test('questions beyond the bound are busy, and work again afterwards', async () => {
  await withServer({ settings: { outstandingMax: 4 } }, async (resolver) => {
    const names = Array.from({ length: 10 }, (_, i) => `n${i}.example`);
    const answers = await Promise.all(names.map((name) => resolver.resolveMx(name)));
    const busy = answers.filter((answer) => answer.kind === 'failed' && answer.code === 'busy');
    assert.equal(busy.length, 6);
    assert.equal((await resolver.resolveMx('n9.example')).kind, 'no-such-domain');
  });
});

void test('the cache stays within its bound', async () => {
  await withServer({ settings: { cacheEntriesMax: 3 } }, async (resolver) => {
    for (let i = 0; i < 10; i++) await resolver.resolveMx(`n${i}.example`);
    assert.equal(resolver.counts().cached, 3);
  });
});

void test('close ends what is under way at once, and later questions too', async () => {
  const settings = { timeoutMs: 60_000 };
  await withServer({ respond: () => [], settings }, async (resolver) => {
    const asked = codeOf(resolver);
    resolver.close();
    assert.equal(await asked, 'closed');
    assert.equal(await codeOf(resolver), 'closed');
  });
});

void test('a server on an address that cannot be reached is a network failure', async () => {
  const free = net.createServer();
  await new Promise<void>((resolve) => free.listen(0, '127.0.0.1', () => resolve()));
  const { port } = free.address() as net.AddressInfo;
  await new Promise((resolve) => free.close(resolve));
  const resolver = createStubResolver({ servers: [{ address: '127.0.0.1', port }], rounds: 2 });
  assert.equal(await codeOf(resolver), 'network');
  resolver.close();
});
