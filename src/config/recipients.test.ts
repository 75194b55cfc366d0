/** Delivery targets, recipients, catch-all and delay notices: what is refused, and what they become. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { errorsOf, inOrganization, problemsOf } from './config-sample.ts';
import { parseConfig } from './load.ts';
import { formatProblem } from './problem.ts';

const domain = (keys: string, rest = ''): string =>
  inOrganization(`acceptedDomains: [{ domain: fabrikam.com, ${keys} }]\n${rest}`);
const target = (keys: string): string =>
  domain(
    'deliveryTarget: store',
    `deliveryTargets:\n  - { name: store, protocol: lmtp, ${keys} }\n`,
  );
const unix = 'deliveryTargets: [{ name: store, protocol: lmtp, address: "unix:/run/lmtp" }]\n';
const there = 'organizations[0].deliveryTargets[0]';
const here = 'organizations[0].acceptedDomains[0]';

/** What is written, the key that is named, and words that say what would be right. */
const refusals: readonly (readonly [string, string, string, RegExp])[] = [
  [
    'a target that does not exist',
    domain('deliveryTarget: stoer', unix),
    `${here}.deliveryTarget`,
    /there are: store; did you mean "store"\?/,
  ],
  [
    'clear text to another machine without a reason',
    target('address: "10.0.0.7", tlsSettings: Opportunistic'),
    `${there}.tlsSettings`,
    /clearTextReason/,
  ],
  [
    'a reason for clear text where TLS is forced',
    target('address: "10.0.0.7", clearTextReason: because'),
    `${there}.clearTextReason`,
    /EncryptionOnly never sends in clear/,
  ],
  [
    'a reason for clear text on loopback',
    target('address: "127.0.0.1", clearTextReason: because'),
    `${there}.clearTextReason`,
    /loopback/,
  ],
  [
    'TLS on a Unix socket',
    target('address: "unix:/run/lmtp", tlsSettings: EncryptionOnly'),
    `${there}.tlsSettings`,
    /no effect on a Unix socket/,
  ],
  [
    'tlsDomain with EncryptionOnly',
    target('address: mail.inner.test, tlsDomain: mail.inner.test'),
    `${there}.tlsDomain`,
    /only with tlsSettings: DomainValidation, not with EncryptionOnly/,
  ],
  [
    'DomainValidation without a name',
    target('address: mail.inner.test, tlsSettings: DomainValidation'),
    `${there}.tlsSettings`,
    /needs tlsDomain/,
  ],
  [
    'Pinned without pins',
    target('address: mail.inner.test, tlsSettings: Pinned'),
    `${there}.tlsSettings`,
    /needs pins/,
  ],
  [
    'LMTP on the port of SMTP',
    target('address: "mail.inner.test:25"'),
    `${there}.address`,
    /never for LMTP/,
  ],
  ['a bare path', target('address: /run/lmtp'), `${there}.address`, /mean "unix:\/run\/lmtp"/],
  ['a relative socket', target('address: "unix:lmtp"'), `${there}.address`, /absolute path/],
  [
    'a socket that no system can have',
    target(`address: "unix:/${'a'.repeat(107)}"`),
    `${there}.address`,
    /longer than 107 bytes/,
  ],
  [
    'a client certificate that is unknown',
    target('address: mail.inner.test, clientCertificate: mian'),
    `${there}.clientCertificate`,
    /mean "main"/,
  ],
  [
    'two targets of one name',
    domain(
      'deliveryTarget: a',
      'deliveryTargets: [{ name: a, protocol: lmtp, address: "unix:/a" }, { name: A, protocol: lmtp, address: "unix:/b" }]',
    ),
    'organizations[0].deliveryTargets[1].name',
    /another delivery target/,
  ],
  [
    'a target for an InternalRelay domain',
    domain('type: InternalRelay, deliveryTarget: store', unix),
    `${here}.deliveryTarget`,
    /Keep one of the two/,
  ],
  ['verify without anybody to ask', domain('recipients: verify'), `${here}.recipients`, /needs a/],
  ['any without a keeper', domain('recipients: any'), `${here}.recipients`, /needs a/],
  ['a list without a keeper', domain('recipients: [ann]'), `${here}.recipients`, /a list needs/],
  [
    'none beside a target',
    domain('recipients: none, deliveryTarget: store', unix),
    `${here}.recipients`,
    /contradicts deliveryTarget/,
  ],
  [
    'none in an InternalRelay domain',
    domain('recipients: none, type: InternalRelay'),
    `${here}.recipients`,
    /write Authoritative/,
  ],
  ['an empty list', domain('recipients: []'), `${here}.recipients`, /empty list/],
  [
    'a recipient twice, whatever its case',
    domain('recipients: [ann, ANN], deliveryTarget: store', unix),
    `${here}.recipients`,
    /names "ann" twice/,
  ],
  [
    'a recipient of another domain',
    domain('recipients: [ann@contoso.com], deliveryTarget: store', unix),
    `${here}.recipients`,
    /list of fabrikam\.com/,
  ],
  [
    'what is no local-part',
    domain('recipients: ["a b"], deliveryTarget: store', unix),
    `${here}.recipients`,
    /entry 1 is no local-part/,
  ],
  ['an unknown word', domain('recipients: verfy'), `${here}.recipients`, /must be none, verify/],
  [
    'a catch-all elsewhere',
    domain('catchAll: ann@contoso.com'),
    `${here}.catchAll`,
    /in no accepted domain/,
  ],
  [
    'a catch-all where every address exists',
    domain('recipients: any, deliveryTarget: store, catchAll: ann@fabrikam.com', unix),
    `${here}.catchAll`,
    /no effect with recipients: any/,
  ],
  [
    'a catch-all beside verification',
    domain('deliveryTarget: store, catchAll: ann@fabrikam.com', unix),
    `${here}.catchAll`,
    /list the recipients instead/,
  ],
  [
    'a notice after the message was returned',
    inOrganization(
      'acceptedDomains: [{ domain: fabrikam.com }]\ndelayNotices: { tls: 24h }',
      'queue: { expiry: 2h }',
    ),
    'organizations[0].delayNotices.tls',
    /would never be sent/,
  ],
  [
    'an extension of two characters',
    inOrganization('acceptedDomains: [{ domain: fabrikam.com }]\naddressExtension: "++"'),
    'organizations[0].addressExtension',
    /must be \+/,
  ],
];

for (const [what, yaml, key, words] of refusals) {
  test(`refuses ${what}`, () => {
    const errors = errorsOf(yaml);
    const found = errors.find((text) => text.includes(` ${key}: `));
    assert.ok(found !== undefined, errors.join('\n') || 'no error at all');
    assert.match(found, words);
  });
}

const warnings: readonly (readonly [string, string, RegExp])[] = [
  ['any', domain('recipients: any, deliveryTarget: store', unix), /backscatter/],
  [
    'a target that no domain names',
    domain('', `${unix}mailboxes: [{ account: a, addresses: a@fabrikam.com }]\n`).replace(
      ', }',
      ' }',
    ),
    /used by no accepted domain/,
  ],
  ['a postmaster without a place', domain('matchSubDomains: false'), /postmaster@fabrikam\.com/],
];

for (const [what, yaml, words] of warnings) {
  test(`warns of ${what}`, () => {
    const problems = problemsOf(yaml);
    assert.ok(problems.every(({ severity }) => severity === 'warning'));
    assert.match(problems.map(formatProblem).join('\n'), words);
  });
}

function policyOf(yaml: string) {
  const result = parseConfig(yaml, '/etc/postern/postern.yaml');
  assert.ok(result.kind === 'loaded', JSON.stringify(result));
  return result.policy;
}

test('what is not written follows from where the server is', () => {
  const of = (keys: string) => policyOf(target(keys)).organizations[0]!.deliveryTargets[0]!;
  assert.equal(of('address: "unix:/run/lmtp"').tlsSettings, null);
  assert.equal(of('address: "localhost"').tlsSettings, null);
  assert.equal(of('address: "10.0.0.7"').tlsSettings, 'EncryptionOnly');
  assert.deepEqual(of('address: "10.0.0.7"').address, { kind: 'host', host: '10.0.0.7', port: 24 });
  assert.deepEqual(of('address: "[2001:db8::1]:2424"').address, {
    kind: 'host',
    host: '2001:db8::1',
    port: 2424,
  });
  assert.deepEqual(of('address: "2001:db8::1"').address, {
    kind: 'host',
    host: '2001:db8::1',
    port: 24,
  });
  const smtp = target('address: mail.inner.test').replace('protocol: lmtp', 'protocol: smtp');
  const { address } = policyOf(smtp).organizations[0]!.deliveryTargets[0]!;
  assert.deepEqual(address, { kind: 'host', host: 'mail.inner.test', port: 25 });
});

test('unless it is said, the server that keeps the recipients is asked', () => {
  const of = (yaml: string) => policyOf(yaml).organizations[0]!.acceptedDomains[0]!.recipients;
  assert.deepEqual(of(domain('type: Authoritative')), { kind: 'none' });
  assert.deepEqual(of(domain('type: InternalRelay')), { kind: 'verify' });
  assert.deepEqual(of(target('address: "unix:/run/lmtp"')), { kind: 'verify' });
  const listed = domain('recipients: [Ann, bob@fabrikam.com], deliveryTarget: store', unix);
  assert.deepEqual(of(listed), { kind: 'list', localParts: ['ann', 'bob'] });
});

test('the revision covers every part of it', () => {
  const base = target('address: "127.0.0.1"');
  const changes: readonly (readonly [string, string])[] = [
    ['address: "127.0.0.1"', 'address: "127.0.0.2"'],
    ['lmtp', 'smtp'],
    ['deliveryTarget: store', 'deliveryTarget: store, recipients: [ann]'],
    ['deliveryTargets:', 'addressExtension: "+"\n    deliveryTargets:'],
    ['deliveryTargets:', 'delayNotices: { tls: never }\n    deliveryTargets:'],
    [
      'deliveryTargets:',
      'aliases: [{ address: a@fabrikam.com, to: a@x.test }]\n    deliveryTargets:',
    ],
  ];
  const revisions = [base, ...changes.map(([from, to]) => base.replace(from, to))].map(
    (yaml) => policyOf(yaml).revision,
  );
  assert.equal(new Set(revisions).size, changes.length + 1);
});

test('a hundred thousand recipients load', () => {
  const names = Array.from({ length: 100_000 }, (_, i) => `user${i}`).join(', ');
  const policy = policyOf(domain(`deliveryTarget: store, recipients: [${names}]`, unix));
  const { recipients } = policy.organizations[0]!.acceptedDomains[0]!;
  assert.ok(recipients.kind === 'list' && recipients.localParts.length === 100_000);
});
