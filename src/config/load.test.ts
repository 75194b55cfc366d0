import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import * as fc from 'fast-check';
import {
  accepted,
  errorsOf,
  inbound,
  inOrganization,
  outbound,
  problemsOf,
} from './config-sample.ts';
import type { Config } from './config.ts';
import { loadConfig, parseConfig } from './load.ts';
import { formatProblem } from './problem.ts';
import type { Policy } from '../policy/policy.ts';

let folder = '';
before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'postern-config-'));
});
after(() => rm(folder, { recursive: true, force: true }));

async function errorsOfFile(bytes: string | Buffer): Promise<string[]> {
  const file = join(folder, 'test.yaml');
  await writeFile(file, bytes);
  const result = await loadConfig(file);
  return result.kind === 'loaded' ? [] : result.problems.map((problem) => problem.text);
}

function loaded(yaml: string): { readonly config: Config; readonly policy: Policy } {
  const result = parseConfig(yaml, '/etc/postern/postern.yaml');
  assert.ok(result.kind === 'loaded', JSON.stringify(result));
  return result;
}

test('an unknown key is refused with line, column and the nearest right key', () => {
  const yaml = outbound('enabled: true').replace('enabled: true', 'tlsSetings: EncryptionOnly');
  assert.deepEqual(errorsOf(yaml), [
    'postern.yaml:13:53: organizations[0].outboundConnectors[0].tlsSetings: unknown key; did you mean "tlsSettings"?',
  ]);
});

test('a key of another place is told where it belongs', () => {
  assert.match(
    errorsOf(inOrganization(accepted, 'tlsDomain: a.com'))[0]!,
    /tlsDomain belongs to organizations\[\]\.outboundConnectors\[\]/,
  );
  assert.match(
    errorsOf(inbound('smartHosts: a.com'))[0]!,
    /smartHosts belongs to organizations\[\]\.outboundConnectors\[\]/,
  );
});

test("Exchange's capital first letter is found", () => {
  assert.match(errorsOf(outbound('TlsSettings: EncryptionOnly'))[0]!, /did you mean "tlsSettings"/);
});

test('a key that is nowhere near lists what is legal', () => {
  assert.match(errorsOf(inOrganization(accepted, 'log: { colour: 3 }'))[0]!, /legal here: level/);
});

test('a key written twice is refused, at its second place', () => {
  const errors = problemsOf(`${inOrganization(accepted)}hostName: other.example\n`);
  assert.deepEqual(
    errors.map((problem) => [problem.key, problem.line, problem.column]),
    [['hostName', 12, 1]],
  );
  assert.match(errors[0]!.text, /written twice/);
});

test('all problems come in one pass, in the order of the file', () => {
  const yaml = `hostname: a.example
listeners:
  - { name: mx, host: nowhere, port: 70000, kind: mx }
organizations:
  - id: Fabrikam
    acceptedDomains: [{ domain: "fabrikam com", type: authoritative }]
    inboundConnectors:
      - { name: bare, senderDomains: contoso.com, requireTls: false }
      - { name: other, senderDomains: contoso.com, requireTls: no }
`;
  const problems = problemsOf(yaml);
  assert.deepEqual(
    problems.map((problem) => problem.key),
    [
      'hostName',
      'hostname',
      'listeners[0].host',
      'listeners[0].port',
      'organizations[0].id',
      'organizations[0].acceptedDomains[0].domain',
      'organizations[0].acceptedDomains[0].type',
      'organizations[0].inboundConnectors[0].requireTls',
      'organizations[0].inboundConnectors[1].requireTls',
    ],
  );
});

test('more than fifty problems end in a count of the rest', () => {
  const keys = Array.from({ length: 80 }, (_, place) => `unknown${place}: 1`).join('\n');
  const problems = problemsOf(inOrganization(accepted, keys));
  assert.equal(problems.length, 50);
  assert.equal(problems.at(-1)!.text, 'and 31 more problems');
});

test('a mistake draws no complaint about its consequences', () => {
  const yaml = outbound('tlsSettings: DomainValidatio, tlsDomain: mail.contoso.com');
  assert.deepEqual(
    problemsOf(yaml).map((problem) => problem.key),
    ['organizations[0].outboundConnectors[0].tlsSettings'],
  );
});

test('numbers without a unit are answered with likely ones', () => {
  assert.match(
    errorsOf(inOrganization(accepted, 'queue: { retryFirst: 10 }'))[0]!,
    /needs a unit .* such as 10m or 10s/,
  );
  assert.match(
    errorsOf(inOrganization(accepted, 'limits: { messageSize: 50 }'))[0]!,
    /such as 50MB/,
  );
});

test('switches are true and false, in that spelling', () => {
  for (const word of ['yes', 'on', '"true"', '1', 'True', 'TRUE', '$true']) {
    const errors = errorsOf(outbound(`enabled: ${word}`));
    assert.equal(errors.length, 1, word);
    assert.match(errors[0]!, /true/);
  }
});

test('a mapping, or a list of them, where a switch belongs is answered like any other value', () => {
  for (const value of ['[{ a: b }]', '{ a: b }', '[[]]', '~']) {
    const errors = errorsOf(outbound(`enabled: ${value}`));
    assert.equal(errors.length, 1, value);
    assert.match(errors[0]!, /must be true or false|has no value/);
  }
});

test('a word that every object has is a wrong word like any other', () => {
  for (const word of ['valueOf', 'constructor', '__proto__', 'toString']) {
    const errors = errorsOf(outbound(`tlsSettings: ${word}`));
    assert.equal(errors.length, 1, word);
    assert.match(errors[0]!, new RegExp(`must be .*, not "${word}"`));
  }
});

test('an empty section is a section, an empty value is none', () => {
  assert.deepEqual(errorsOf(inOrganization(`${accepted}\nmailboxes:`, 'limits:\ndns:')), []);
  assert.match(errorsOf(inOrganization(accepted, 'dataFolder:'))[0]!, /has no value/);
});

for (const [what, bytes, words] of [
  ['an empty file', '', /is empty/],
  ['a file of comments', '# nothing\n', /is empty/],
  ['a list', '- a\n', /must be a mapping/],
  ['a plain word', 'postern\n', /must be a mapping/],
  ['a tab as indentation', 'dns:\n\ttimeout: 5s\n', /only spaces/],
  ['two documents', 'a: 1\n---\nb: 2\n', /second document/],
  ['a tag', 'hostName: !secret x\n', /tags are not supported/],
  ['an open bracket', 'listeners: [\n', /not valid YAML|wrong indentation/],
  ['UTF-16', Buffer.from('\ufeffhostName: a\n', 'utf16le'), /UTF-16/],
  ['Latin-1', Buffer.from('hostName: m\xfcller\n', 'latin1'), /not UTF-8/],
  ['an alias without anchor', 'hostName: *nobody\n', /no anchor &nobody/],
  ['a key that is no text', '1: 2\n', /keys must be text/],
  ['a file of more than 4 MiB', Buffer.alloc(4 * 1024 * 1024 + 1, 35), /larger than 4 MiB/],
  ['lists a hundred thousand deep', '['.repeat(100_000), /./],
  ['mappings thirty deep', `a: ${'{a: '.repeat(30)}1${'}'.repeat(30)}\n`, /too deep/],
] as const) {
  test(`refuses ${what} in words`, async () => {
    const errors = await errorsOfFile(bytes);
    assert.ok(errors.length > 0);
    assert.match(errors.join('\n'), words);
  });
}

test('aliases cannot blow a small file up', () => {
  const lines = ['a: &a [x, x, x, x, x, x, x, x, x, x]'];
  for (let level = 1; level < 12; level++) {
    const previous = String.fromCharCode(96 + level);
    const name = String.fromCharCode(97 + level);
    lines.push(`${name}: &${name} [${Array(10).fill(`*${previous}`).join(', ')}]`);
  }
  const before = process.cpuUsage();
  assert.match(errorsOf(lines.join('\n')).join('\n'), /too large or too deep/);
  assert.match(errorsOf('a: &a { b: *a }\n').join('\n'), /too deep/);
  assert.ok(process.cpuUsage(before).user < 2_000_000);
});

test('a hundred aliases are read, more are refused', () => {
  const yaml = (count: number): string => `a: &a 1\nb: [${Array(count).fill('*a').join(', ')}]\n`;
  assert.doesNotMatch(errorsOf(yaml(100)).join('\n'), /too large/);
  assert.match(errorsOf(yaml(101)).join('\n'), /too large/);
});

test('an alias stands for what its anchor holds', () => {
  const { policy } = loaded(
    inOrganization(
      `${accepted}\noutboundConnectors:\n  - { name: a, recipientDomains: &d [a.com, b.com], tlsSettings: EncryptionOnly }\ninboundConnectors:\n  - { name: b, senderDomains: *d }`,
    ),
  );
  assert.equal(policy.organizations[0]!.inboundConnectors[0]!.senderDomains.length, 2);
});

test('a merge key is refused by name', () => {
  assert.match(
    errorsOf(inOrganization(accepted, 'log: { <<: 1 }'))[0]!,
    /merge keys are not supported/,
  );
});

test('a file that is not there is a problem like any other', async () => {
  const result = await loadConfig(join(folder, 'absent.yaml'));
  assert.equal(result.kind, 'refused');
  assert.match(
    result.kind === 'refused' ? formatProblem(result.problems[0]!) : '',
    /absent\.yaml:1:1: there is no such file/,
  );
  const ofFolder = await loadConfig(folder);
  assert.equal(ofFolder.kind, 'refused');
});

test('a byte order mark before UTF-8 text does no harm', async () => {
  assert.deepEqual(await errorsOfFile(`\ufeff${inOrganization(accepted)}`), []);
});

test('no text makes it throw, and every problem has a place in the file', () => {
  const sound = outbound('tlsSettings: DomainValidation, tlsDomain: a.contoso.com');
  const mutated = fc
    .tuple(fc.nat(sound.length), fc.nat(12), fc.string({ maxLength: 8 }))
    .map(([at, cut, put]) => sound.slice(0, at) + put + sound.slice(at + cut));
  fc.assert(
    fc.property(fc.oneof(mutated, fc.string({ maxLength: 200 })), (text) => {
      const result = parseConfig(text, 'f.yaml');
      const problems = result.kind === 'loaded' ? result.warnings : result.problems;
      const lineCount = text.split('\n').length;
      for (const problem of problems) {
        assert.ok(problem.line >= 1 && problem.line <= lineCount + 1);
        assert.ok(problem.column >= 1);
        assert.ok(
          problem.text.length > 3 && !/undefined|\[object/.test(problem.text),
          problem.text,
        );
      }
      assert.ok(result.kind === 'loaded' || problems.length > 0);
    }),
    { numRuns: 400 },
  );
});

test('units stand at the end of keys, paths are absolute, defaults are filled in', () => {
  const { config, policy } = loaded(
    inOrganization(
      accepted,
      'dataFolder: data\ndns: { timeout: 2s, servers: ["::1", "127.0.0.1:5353"] }',
    ),
  );
  assert.equal(config.dns.timeoutMs, 2000);
  assert.deepEqual(config.dns.servers, ['::1', '127.0.0.1:5353']);
  assert.equal(config.limits.messageSizeBytes, 50_000_000);
  assert.equal(config.limits.connectionsPerDestination, 5);
  assert.equal(config.timeouts.client.dataTerminationMs, 600_000);
  assert.equal(config.trace.retentionMs, 30 * 86_400_000);
  assert.equal(config.dataFolder, '/etc/postern/data');
  assert.deepEqual(config.certificates['main'], {
    certificateFile: '/etc/postern/a.pem',
    keyFile: '/etc/postern/a.key',
  });
  assert.deepEqual(config.listeners[0]!.serverCertificates, ['main']);
  assert.equal(config.listeners[0]!.requestClientCertificate, true);
  assert.deepEqual(policy.organizations[0]!.retry, {
    firstRetryMs: 900_000,
    maxRetryMs: 3_600_000,
    expiryMs: 86_400_000,
  });
});

test('policy and configuration cross process boundaries unchanged', () => {
  const { config, policy } = loaded(
    outbound('tlsSettings: DomainValidation, tlsDomain: "*.contoso.com"'),
  );
  assert.deepEqual(structuredClone(policy), policy);
  assert.deepEqual(structuredClone(config), config);
});

test('no password hash is in the policy', () => {
  const hash = `$argon2id$v=19$m=19456,t=2,p=1$${'A'.repeat(22)}$${'B'.repeat(43)}`;
  const { config, policy } = loaded(
    inOrganization(
      `${accepted}\nmailboxes: [{ account: ada, addresses: [ada@fabrikam.com, a@fabrikam.com], passwordHash: "${hash}" }]`,
    ),
  );
  assert.doesNotMatch(JSON.stringify(policy), /argon2id/);
  assert.deepEqual(config.credentials, [
    {
      organization: 'fabrikam',
      account: 'ada',
      addresses: ['ada@fabrikam.com', 'a@fabrikam.com'],
      passwordHash: hash,
    },
  ]);
});

test('the revision is that of what decides about mail', () => {
  const plain = loaded(outbound('tlsSettings: EncryptionOnly')).policy.revision;
  assert.match(plain, /^[0-9a-f]{12}$/);
  const commented = loaded(
    `# a comment\n${outbound('tlsSettings:   EncryptionOnly')}log: { level: debug }\n`,
  );
  assert.equal(commented.policy.revision, plain);
  assert.notEqual(loaded(outbound('tlsSettings: CertificateValidation')).policy.revision, plain);
});

test('a connector becomes the policy that it says', () => {
  const { policy } = loaded(
    outbound(
      'tlsSettings: DomainValidation, tlsDomain: ["*.contoso.com", mx.contoso.net], smartHosts: ["[2001:db8::1]:26", a.contoso.com], anchors: ca.pem, clientCertificate: main',
    ),
  );
  const connector = policy.organizations[0]!.outboundConnectors[0]!;
  assert.deepEqual(connector.route, {
    kind: 'smart-hosts',
    hosts: [
      { host: '2001:db8::1', port: 26 },
      { host: 'a.contoso.com', port: 25 },
    ],
  });
  assert.deepEqual(connector.tlsDomains, [
    { kind: 'wildcard', domain: 'contoso.com' },
    { kind: 'exact', domain: 'mx.contoso.net' },
  ]);
  assert.equal(connector.anchors, 'file:/etc/postern/ca.pem');
  assert.equal(connector.clientCertificate, 'main');
});

test('Opportunistic and null are the same, and the default', () => {
  for (const keys of ['enabled: true', 'tlsSettings: null', 'tlsSettings: Opportunistic']) {
    assert.equal(
      loaded(outbound(keys)).policy.organizations[0]!.outboundConnectors[0]!.tlsSettings,
      null,
    );
  }
});

test('an inbound connector demands TLS unless the opposite is written', () => {
  const connector = loaded(inbound('enabled: true')).policy.organizations[0]!.inboundConnectors[0]!;
  assert.equal(connector.requireTls, true);
  assert.equal(connector.requireTlsTemporaryMs, 3_600_000);
});
