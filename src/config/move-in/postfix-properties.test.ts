/**
 * What holds of every import from Postfix: the same mail goes the same way under no less TLS, and no
 * line is dropped silently.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { chooseOutbound } from '../../policy/choose-outbound.ts';
import type { Policy } from '../../policy/policy.ts';
import { composePolicy } from '../compose-policy.ts';
import { parseConfig } from '../load.ts';
import type { Imported } from './import-exchange.ts';
import { importPostfix } from './import-postfix.ts';

function policyOf({ objects }: Imported): Policy {
  const flow = composePolicy({}, objects).value;
  const text = JSON.stringify({
    hostName: 'mx.fabrikam.com',
    listeners: [{ name: 'mx', host: '127.0.0.1', port: 25, kind: 'mx' }],
    serverCertificates: 'own',
    domainVerification: 'off',
    ...flow,
    certificates: {
      own: { certificate: 'a', key: 'b' },
      ...(flow['certificates'] as object | undefined),
    },
  });
  const result = parseConfig(text, 'flow.yaml');
  assert.equal(
    result.kind,
    'loaded',
    JSON.stringify(result.kind === 'refused' ? result.problems : []),
  );
  return result.policy;
}

/** How much a decision demands: nothing, encryption, or a proven server. */
function strengthOf(policy: Policy, domain: string): { strength: number; hosts: string[] } {
  const decision = chooseOutbound(policy, 'fabrikam', { localPart: 'x', domain });
  const kinds = decision.requirement.clauses.map(({ kind }) => kind);
  const strength =
    kinds.includes('trust-anchors') && kinds.includes('name')
      ? 2
      : kinds.includes('encrypted')
        ? 1
        : 0;
  const { destination } = decision;
  const hosts =
    destination.kind === 'smart-hosts'
      ? destination.hosts.map(({ host, port }) => `${host}:${port}`)
      : [];
  return { strength, hosts };
}

// Postfix's own lookups, written down once more and as simply as can be.

type Table = ReadonlyMap<string, string>;

function parentsOf(domain: string): string[] {
  const labels = domain.split('.');
  return labels.slice(1).map((_, place) => `.${labels.slice(place + 1).join('.')}`);
}

function lookUp(table: Table, keys: readonly string[]): string | null {
  for (const key of keys) if (table.has(key)) return table.get(key)!;
  return null;
}

interface Source {
  readonly policies: Table;
  readonly transports: Table;
  readonly relayhost: string;
  readonly level: string;
}

function hopOf({ transports, relayhost }: Source, domain: string): string {
  const found = lookUp(transports, [domain, ...parentsOf(domain), '*']) ?? ':';
  if (found === ':') return relayhost === '' ? domain : relayhost;
  const hop = found.slice(found.indexOf(':') + 1);
  return hop === '' ? domain : hop;
}

function levelOf(source: Source, domain: string): string {
  const hop = hopOf(source, domain);
  const isDomain = !/[[\]:]/.test(hop);
  return lookUp(source.policies, isDomain ? [hop, ...parentsOf(hop)] : [hop]) ?? source.level;
}

const strengths: Readonly<Record<string, number>> = {
  '': 0,
  none: 0,
  may: 0,
  encrypt: 1,
  verify: 2,
  secure: 2,
};

const domains = [
  'a.com',
  'b.a.com',
  'c.b.a.com',
  'd.org',
  'x.d.org',
  'other.net',
  'y.x.d.org',
  'z.b.a.com',
];
const domainKey = fc.constantFrom(
  'a.com',
  '.a.com',
  'b.a.com',
  '.b.a.com',
  'c.b.a.com',
  'd.org',
  '.d.org',
  '.org',
  '.x.d.org',
  'x.d.org',
);
const hostKey = fc.constantFrom(
  '[h.a.com]',
  '[h.d.org]:587',
  'h.d.org',
  'relay.net',
  '[192.0.2.9]',
);
const level = fc.constantFrom(
  'may',
  'none',
  'encrypt',
  'secure',
  'verify match=nexthop:dot-nexthop',
  'encrypt ciphers=high',
  'dane-only',
  'secure match=mx.b.net',
);
const table = <T extends string>(
  key: fc.Arbitrary<T>,
  value: fc.Arbitrary<string>,
): fc.Arbitrary<Table> =>
  fc.array(fc.tuple(key, value), { maxLength: 8 }).map((entries) => new Map(entries));
const source: fc.Arbitrary<Source> = fc.record({
  policies: table(fc.oneof(domainKey, hostKey), level),
  transports: table(
    fc.oneof({ weight: 8, arbitrary: domainKey }, { weight: 1, arbitrary: fc.constant('*') }),
    fc.constantFrom(
      ':',
      'smtp:',
      'smtp:[h.a.com]',
      'relay:[h.d.org]:587',
      ':h.d.org',
      'smtp:[192.0.2.9]',
    ),
  ),
  relayhost: fc.constantFrom('', '', '[h.a.com]', 'relay.net'),
  level: fc.constantFrom('', 'may', 'none', 'encrypt', 'secure', 'verify'),
});

function toFiles({
  policies,
  transports,
  relayhost,
  level: general,
}: Source): Parameters<typeof importPostfix>[0] {
  const write = (lines: Table): string =>
    [...lines].map(([key, value]) => `${key} ${value}\n`).join('');
  const content = `mydestination = fabrikam.com
relayhost = ${relayhost}
transport_maps = hash:/etc/postfix/transport
smtp_tls_policy_maps = hash:/etc/postfix/policy
smtp_tls_CApath = /etc/ssl/certs
smtp_tls_security_level = ${general}
`;
  return {
    mainCf: { name: 'main.cf', content },
    files: [
      { name: 'transport', content: write(transports) },
      { name: 'policy', content: write(policies) },
    ],
  };
}

test('mail goes where it went, under exactly the TLS that it had, or it is said', () => {
  fc.assert(
    fc.property(source, (given) => {
      const imported = importPostfix(toFiles(given), 'fabrikam');
      const policy = policyOf(imported);
      for (const domain of domains) {
        const word = levelOf(given, domain);
        const hop = hopOf(given, domain);
        const found = strengthOf(policy, domain);
        const bare = word.split(' ')[0]!;
        const isNameless =
          /^\[\d/.test(hop) && /^(?:secure|verify)/.test(word) && !word.includes('mx.b.net');
        if (bare === 'dane-only' || isNameless) {
          assert.ok(imported.report.unprotected.length > 0, `${domain} ${word}`);
          continue;
        }
        assert.equal(found.strength, strengths[bare], `${domain}: ${word} by ${hop}`);
        const [, host, port = '25'] = /^\[?([^\]:]+)\]?(?::(\d+))?$/.exec(hop)!;
        assert.deepEqual(found.hosts, hop === domain ? [] : [`${host}:${port}`], domain);
      }
    }),
    { numRuns: 500 },
  );
});

test('every line of the tables and every parameter is told of', () => {
  fc.assert(
    fc.property(source, (given) => {
      const files = toFiles(given);
      const { report } = importPostfix(files, 'fabrikam');
      const lines = (file: string): number =>
        new Set(report.lines.filter((each) => each.file === file).map(({ line }) => line)).size;
      assert.ok(lines('transport') >= given.transports.size);
      assert.ok(lines('policy') >= given.policies.size);
      for (const name of [
        'mydestination',
        'relayhost',
        'transport_maps',
        'smtp_tls_policy_maps',
        'smtp_tls_CApath',
        'smtp_tls_security_level',
      ]) {
        assert.ok(
          report.lines.some(({ property }) => property === name),
          name,
        );
      }
    }),
    { numRuns: 200 },
  );
});

const names = [
  'smtp_tls_policy_maps',
  'transport_maps',
  'relayhost',
  'mydestination',
  'relay_domains',
  'mynetworks',
  'virtual_mailbox_domains',
  'virtual_transport',
  'smtp_tls_security_level',
  'smtpd_tls_security_level',
  'smtpd_relay_restrictions',
  'relay_clientcerts',
  'smtpd_tls_cert_file',
  'smtp_tls_chain_files',
  'smtp_tls_CAfile',
  'smtp_tls_mandatory_protocols',
  'default_transport',
  'relay_transport',
  'x',
  'mydomain',
  'myhostname',
];
const pieces = [
  '$x',
  '${x?{a}:{b}}',
  '${{$x} == {b} ? {c} : {d}}',
  'hash:/t',
  'inline:{a.com=secure}',
  'pcre:/t',
  'cidr:/t',
  '/t',
  '[::1]/128',
  '192.0.2.0/24',
  'a.com',
  '.b.com',
  '[h.a.com]:25',
  'smtp:[h]',
  'lmtp:unix:private/l',
  'encrypt',
  'dane',
  'permit_mynetworks',
  'check_ccert_access',
  'permit_tls_clientcerts',
  '{',
  '}',
  '$',
  ',',
  '!',
  '>=TLSv1.3',
];
const value = fc
  .array(fc.constantFrom(...pieces), { maxLength: 5 })
  .map((words) => words.join(' '));
const mainCf = fc
  .array(fc.tuple(fc.constantFrom(...names), value), { maxLength: 12 })
  .map((settings) => settings.map(([name, text]) => `${name} = ${text}\n`).join(''));
const tableText = fc
  .array(
    fc.tuple(
      fc.oneof(
        domainKey,
        hostKey,
        fc.constantFrom('/a\\.com$/', 'u@a.com', '192.0.2.0/24', 'AA:'.repeat(31) + 'AA'),
      ),
      fc.oneof(level, value),
    ),
    { maxLength: 6 },
  )
  .map((lines) => lines.map((line) => line.join(' ')).join('\n'));

test('whatever stands in main.cf, each parameter is told of, and what comes out loads', () => {
  fc.assert(
    fc.property(mainCf, tableText, (main, text) => {
      const { report } = importPostfix(
        { mainCf: { name: 'main.cf', content: main }, files: [{ name: '/t', content: text }] },
        'fabrikam',
      );
      const told = new Set(
        report.lines
          .filter(({ file }) => file === 'main.cf')
          .map(({ property, line }) => `${property} ${line}`),
      );
      for (const [place, line] of main.split('\n').entries()) {
        if (line !== '') assert.ok(told.has(`${line.split(' ')[0]} ${place + 1}`), line);
      }
    }),
    { numRuns: 500 },
  );
});

test('whatever the octets, nothing throws', () => {
  const octets = fc.oneof(
    fc.uint8Array({ maxLength: 300 }),
    fc.string({ unit: 'binary', maxLength: 300 }),
    mainCf,
    tableText,
  );
  fc.assert(
    fc.property(octets, octets, (main, text) => {
      importPostfix({
        mainCf: { name: 'main.cf', content: main },
        files: [{ name: '/t', content: text }],
      });
    }),
    { numRuns: 500 },
  );
});

test('values that lead to themselves or grow without end are cut', () => {
  const bomb = Array.from(
    { length: 40 },
    (_, place) => `v${place} = $v${place + 1}$v${place + 1}\n`,
  ).join('');
  const content = `${bomb}v40 = aaaa\nmydestination = $v0\nmynetworks = $mynetworks\n`;
  const { report } = importPostfix({ mainCf: { name: 'main.cf', content }, files: [] });
  const problems = report.lines.filter(({ text }) =>
    /grows without end|leads to itself/.test(text),
  );
  assert.ok(problems.some(({ property }) => property === 'mynetworks'));
  assert.ok(problems.some(({ property }) => property === 'mydestination'));
});
