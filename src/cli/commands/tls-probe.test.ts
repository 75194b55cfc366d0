import assert from 'node:assert/strict';
import { test } from 'node:test';
import { run } from '../../../test/support/command-line.ts';
import type { CliResult } from '../../../test/support/command-line.ts';
import type { ProbedAddress, ProbeReport } from '../../policy/probe-report.ts';
import type { ProbeQuestion } from '../offline-probe.ts';

const address: ProbedAddress = {
  hostName: 'mx.contoso.com',
  preference: 10,
  address: '192.0.2.1',
  port: 25,
  protocol: 'smtp',
  mode: 'starttls',
  steps: [
    { step: 'connect', ms: 3.2, lines: [] },
    { step: 'banner', ms: 12, lines: ['220 mx.contoso.com ESMTP'] },
    { step: 'ehlo', ms: 1, lines: ['250 mx.contoso.com', '250 SIZE 1000', '250 PIPELINING'] },
  ],
  problem: null,
  evidence: {
    formatVersion: 1,
    connectionId: 'c',
    observedAt: '2026-11-22T00:00:00.000Z',
    role: 'client',
    peer: { address: '192.0.2.1', port: 25, hostName: 'mx.contoso.com' },
    encryption: 'not-offered',
    failure: null,
    tls: null,
  },
  keyTypes: [],
  versions: [],
  settings: [
    { setting: 'Opportunistic', isMet: true, problem: null, reason: 'mail would go in CLEAR TEXT' },
    {
      setting: 'EncryptionOnly',
      isMet: false,
      problem: 'NoStartTls',
      reason: 'requires encryption; it was not',
    },
    { setting: 'Pinned', isMet: null, problem: null, reason: 'no pin to compare with' },
  ],
};

function reportOf(...addresses: readonly ProbedAddress[]): ProbeReport {
  return {
    formatVersion: 1,
    observedAt: '2026-11-22T00:00:00.000Z',
    target: 'contoso.com',
    mx: null,
    problem: null,
    addresses,
  };
}

async function probe(
  words: readonly string[],
  report = reportOf(address),
): Promise<CliResult & { readonly question: ProbeQuestion | null }> {
  let question: ProbeQuestion | null = null;
  const probeTls = async (asked: ProbeQuestion): Promise<ProbeReport> => {
    question = asked;
    return report;
  };
  const result = await run(['tls', 'probe', ...words], { offline: { probeTls } });
  return { ...result, question };
}

test('steps, and each setting with its reason', async () => {
  const { code, stdout } = await probe(['mx.contoso.com']);
  assert.equal(code, 0);
  assert.match(stdout, /^mx\.contoso\.com \[192\.0\.2\.1\]:25, MX 10, SMTP with STARTTLS$/m);
  assert.match(stdout, /^ {2}connect +3\.2 ms$/m);
  assert.match(stdout, /^ {2}EHLO +1\.0 ms {2}250 mx\.contoso\.com, SIZE 1000, PIPELINING$/m);
  assert.match(stdout, /^EncryptionOnly +NO$/m);
  assert.match(stdout, /^ {4}requires encryption; it was not$/m);
});

test('a host stands for its own name, a domain for all below it', async () => {
  const host = (await probe(['Mail.Contoso.com:2525'])).question!;
  assert.deepEqual(
    [host.target, host.port, host.mode, host.names],
    ['mail.contoso.com', 2525, 'starttls', [{ kind: 'exact', domain: 'mail.contoso.com' }]],
  );
  const domain = (await probe(['contoso.com', '--mx'])).question!;
  assert.deepEqual(domain.names, [{ kind: 'wildcard', domain: 'contoso.com' }]);
  assert.deepEqual((await probe(['192.0.2.1'])).question!.names, []);
  assert.equal((await probe(['[2001:db8::1]:465'])).question!.mode, 'implicit');
  assert.equal((await probe(['2001:db8::1'])).question!.port, 25);
  assert.equal((await probe(['a.test', '--starttls', 'none'])).question!.port, 465);
  assert.equal((await probe(['a.test', '--starttls', 'none'])).question!.protocol, 'smtp');
  const named = (await probe(['a.test', '--name', '*.b.test', '--name', 'c.test'])).question!;
  assert.equal(named.names.length, 2);
});

test('LMTP is asked for by its name, goes to port 24 and knows STARTTLS only', async () => {
  const asked = async (...words: string[]): Promise<unknown> => {
    const { target, port, protocol, mode } = (await probe([...words, '--starttls', 'lmtp']))
      .question!;
    return [target, port, protocol, mode];
  };
  assert.deepEqual(await asked('Store.test'), ['store.test', 24, 'lmtp', 'starttls']);
  assert.deepEqual(await asked('[::1]:465'), ['::1', 465, 'lmtp', 'starttls']);
  const lmtp = { ...address, port: 24, protocol: 'lmtp', preference: null } as const;
  const { stdout } = await probe(['store.test', '--starttls', 'lmtp'], reportOf(lmtp));
  assert.match(stdout, /^mx\.contoso\.com \[192\.0\.2\.1\]:24, LMTP with STARTTLS$/m);
  assert.match(stdout, /^ {2}LHLO +1\.0 ms /m);
  assert.doesNotMatch(stdout, /EHLO/);
});

test('the exit code is that of what was demanded, of every address', async () => {
  const met = { ...address, settings: [{ ...address.settings[1]!, isMet: true }] };
  const unreached = { ...address, evidence: null, settings: [] };
  const demand = ['contoso.com', '--require', 'EncryptionOnly'];
  assert.equal((await probe(demand)).code, 69);
  assert.equal((await probe(demand, reportOf(met))).code, 0);
  assert.equal((await probe(demand, reportOf(met, address))).code, 69);
  assert.equal((await probe(demand, reportOf(met, unreached))).code, 69);
  assert.equal((await probe(demand, reportOf())).code, 69);
  assert.equal((await probe(['contoso.com', '--require', 'Pinned'])).code, 69);
  assert.equal((await probe(['contoso.com'], reportOf(unreached))).code, 69);
  assert.equal((await probe(['contoso.com'], reportOf(unreached, address))).code, 0);
});

test('wrong words are refused before anything is dialled', async () => {
  const cases: [readonly string[], RegExp][] = [
    [['a b'], /is not a host name/],
    [['a.test:0'], /PORT: "0" is not a port/],
    [['a.test:70000'], /is not a port/],
    [['192.0.2.1', '--mx'], /an address has no MX/],
    [['a.test', '--mx', '--starttls', 'lmtp'], /MX hosts speak SMTP; name the LMTP server/],
    [['a.test', '--name', '*'], /--name "\*" would accept any name/],
    [['a.test', '--name', '*.co.uk'], /anybody can register/],
    [['a.test', '--pin', 'zz'], /--pin must be the base64/],
    [['a.test', '--client-key', 'k'], /--client-key needs --client-cert/],
    [['a.test', '--timeout', '0'], /--timeout: "0"/],
    [['a.test', '--require', 'domainvalidation'], /Allowed choices/],
  ];
  for (const [words, text] of cases) {
    const { code, stderr, question } = await probe(words);
    assert.equal(code, 64, words.join(' '));
    assert.match(stderr, text);
    assert.equal(question, null);
  }
});

test('what could be tried stands once, below what would not hold for want of it', async () => {
  type Setting = ProbedAddress['settings'][number];
  const row = (setting: Setting['setting'], isMet: boolean | null, problem: string | null) =>
    ({ setting, isMet, problem, reason: 'why' }) as const;
  const encrypted = { ...address.evidence!, encryption: 'established' } as const;
  const hints = async (...settings: Setting[]): Promise<string> => {
    const probed = { ...address, evidence: encrypted, settings };
    const { stdout } = await probe(['contoso.com'], reportOf(probed));
    return stdout.split('\nTo try: ')[1] ?? '';
  };
  const untrusted = [
    row('CertificateValidation', false, 'UntrustedRoot'),
    row('DomainValidation', false, 'UntrustedRoot'),
  ];
  assert.equal(
    await hints(...untrusted, row('Pinned', null, null)),
    [
      '--ca FILE      trust the CAs of a PEM file instead (a connector: anchors)\n',
      '        --pin PIN      compare its key with a pin as above (a connector: pins)\n',
    ].join(''),
  );
  assert.match(
    await hints(row('DomainValidation', null, null)),
    /^--name DOMAIN {2}say whose certificate it must be \(a connector: tlsDomain\)\n$/,
  );
  assert.match(
    await hints(row('DomainValidation', false, 'SubjectMismatch')),
    /^--name DOMAIN {2}compare with another name/,
  );
  const others = [row('DomainValidation', false, 'Expired'), row('Pinned', false, 'PinMismatch')];
  assert.equal(await hints(...others), '');
  assert.equal(await hints(row('DomainValidation', true, null)), '');
  // Without TLS there is nothing to compare a name or a pin with.
  assert.doesNotMatch((await probe(['contoso.com'])).stdout, /To try/);
});

test('JSON is the report itself', async () => {
  const { stdout } = await probe(['contoso.com', '--json']);
  assert.deepEqual(JSON.parse(stdout), reportOf(address));
});

test('text of the server cannot drive the terminal', async () => {
  const steps = [{ step: 'banner', ms: 1, lines: ['220 \u001b[2Jevil\u202e'] }];
  const { stdout } = await probe(['contoso.com'], reportOf({ ...address, steps }));
  assert.doesNotMatch(stdout, /[\u001b\u202e]/);
});
