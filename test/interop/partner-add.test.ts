/**
 * A partner made by the wizard on a terminal, and by options, at a running gateway: mail to it and from
 * it is forced then, and nothing is changed where somebody gives up.
 */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { after, afterEach, before, test } from 'node:test';
import { chainPem, makeCa, makeLeaf } from '../../src/testing/certificates.ts';
import type { TestCertificate } from '../../src/testing/certificates.ts';
import { startFakePartner } from '../../src/testing/fake-partner.ts';
import type { FakePartner, FakePartnerOptions } from '../../src/testing/fake-partner.ts';
import { sendAsPartner } from '../../src/testing/partner-client.ts';
import { run } from '../support/command-line.ts';
import type { CliResult } from '../support/command-line.ts';
import { mainFile, runProgram, startGateway } from '../support/gateway.ts';
import type { RunningGateway } from '../support/gateway.ts';
import { gatewaySetup, smartHost } from '../support/gateway-config.ts';
import { freePort } from '../support/ports.ts';
import { submit } from '../support/submit.ts';
import { ctrlC, ctrlD, pretendTerminal, startTerminal } from '../support/terminal.ts';
import type { Terminal } from '../support/terminal.ts';

const ca = makeCa('Clinic CA');
const right = makeLeaf(ca, ['mx.clinic.test']);
const otherName = makeLeaf(ca, ['mx.other.test']);
const sender = makeLeaf(ca, ['out.clinic.test']);
const otherSender = makeLeaf(ca, ['out.other.test']);
const partnerPort = await freePort();

let gateway: RunningGateway;
let terminal: Terminal | null = null;
let partner: FakePartner | null = null;

before(async () => {
  const old = { recipientDomains: 'old.test', smartHosts: smartHost(partnerPort) };
  const setup = await gatewaySetup({
    anchors: { clinic: [ca] },
    peerPorts: [partnerPort],
    organization: {
      rehearsalAddress: 'rehearsal@example.test',
      outboundConnectors: [
        {
          name: 'old',
          ...old,
          tlsSettings: 'CertificateValidation',
          anchors: 'tls/clinic.pem',
        },
        { name: 'wide', recipientDomains: '*.wide.test', tlsSettings: 'DomainValidation' },
      ],
    },
  });
  gateway = await startGateway(setup);
});
afterEach(async () => {
  terminal?.kill();
  terminal = null;
  await partner?.close();
  partner = null;
});
after(async () => {
  try {
    await gateway?.stop();
  } finally {
    await gateway?.remove();
  }
});

async function partnerWith(certificate: TestCertificate | null): Promise<FakePartner> {
  await partner?.close();
  const options: FakePartnerOptions =
    certificate === null ? {} : { tls: { cert: chainPem(certificate), key: certificate.keyPem } };
  partner = await startFakePartner({ port: partnerPort, ...options });
  return partner;
}

const socketWords = (): readonly string[] => [
  '--socket',
  join(gateway.dataFolder, 'run', 'api.sock'),
];

/** The program itself on a pseudo-terminal. */
function open(...words: readonly string[]): Terminal {
  terminal = startTerminal(['partner', 'add', ...words], gateway.folder);
  return terminal;
}

function openHere(...words: readonly string[]): Terminal {
  terminal = pretendTerminal(['partner', 'add', ...words, ...socketWords()]);
  return terminal;
}

/** Without a terminal. */
function add(...words: readonly string[]): Promise<CliResult> {
  return run(['partner', 'add', ...words, ...socketWords()], { input: '' });
}

/** The values of all connectors, by kind and name. */
async function connectors(): Promise<Readonly<Record<string, unknown>>> {
  const kinds = ['outbound-connector', 'inbound-connector'] as const;
  const lists = await Promise.all(
    kinds.map((kind) => gateway.api.listObjects({ kind, organization: 'example' })),
  );
  const entries = lists.flatMap(({ objects }) =>
    objects.map(({ kind, name, value }) => [`${kind} ${name}`, value] as const),
  );
  return Object.fromEntries(entries);
}

/** Each question, and what is typed. */
async function answer(to: Terminal, pairs: readonly (readonly [RegExp, string])[]): Promise<void> {
  for (const [question, keys] of pairs) {
    await to.sees(new RegExp(`${question.source}[^]*?> $`));
    to.type(`${keys}\r`);
  }
}

const clinicRoute = ['--smart-hosts', smartHost(partnerPort), '--anchors', 'tls/clinic.pem'];
const clinicNames = '--tls-domain mx.clinic.test --tls-sender-certificate-name *.clinic.test'.split(
  ' ',
);
const clinicOptions = [...clinicRoute, ...clinicNames];

async function sendFromPartner(certificate: TestCertificate | null): Promise<string> {
  const shown = certificate === null ? {} : { cert: certificate.pem, key: certificate.keyPem };
  const visited = await sendAsPartner({
    port: gateway.port('mx'),
    heloName: 'out.clinic.test',
    tls: { ...shown, rejectUnauthorized: false },
    from: 'ann@clinic.test',
    to: 'user@example.test',
    content: 'Subject: from the clinic\r\n\r\nHello.\r\n',
  });
  assert.equal(visited.kind, 'answered');
  return visited.kind === 'answered' ? visited.reply.text : '';
}

test('who gives up changes nothing, at any question, and is told so', async () => {
  const before = await connectors();
  for (const [at, keys] of [
    [/Which way/, ctrlC],
    [/Which way/, ctrlD],
    [/called\?/, ctrlC],
  ] as const) {
    const to = openHere('clinic.test', '--look', 'false');
    if (at.source.startsWith('called')) await answer(to, [[/Which way/, '']]);
    await to.sees(new RegExp(`${at.source}[^]*?> $`));
    to.type(keys);
    assert.equal(await to.code, 75, to.text());
    assert.match(to.text(), /(?:given up|the input ended): nothing was changed/);
  }
  const to = openHere('clinic.test', ...clinicOptions, '--look', 'false');
  for (const question of [/Which way/, /called/, /Mail to which/, /Mail from which/, /criteria/]) {
    await answer(to, [[question, '']]);
  }
  for (const question of [/over TLS/, /which certificate/, /servers only/, /IP addresses/]) {
    await answer(to, [[question, '']]);
  }
  await answer(to, [
    [/from now on/, ''],
    [/Why is it made/, ''],
    [/Put this in force\?/, 'n'],
  ]);
  assert.equal(await to.code, 75, to.text());
  assert.match(to.text(), /nothing was changed/);
  assert.deepEqual(await connectors(), before);
});

test('who gives up while the gateway looks does not wait for it, and changes nothing', async () => {
  const before = await connectors();
  partner = await startFakePartner({ port: partnerPort, greetingDelayMs: 30_000 });
  const to = open('clinic.test', ...clinicOptions, '--direction', 'outbound', '--name', 'slow');
  await answer(to, [
    [/Mail to which/, ''],
    [/look at the partner's servers/, 'y'],
  ]);
  await to.sees(/ok +connect/);
  to.type(ctrlC);
  const code = await Promise.race([to.code, wait(10_000, 'still runs')]);
  assert.equal(code, 75, to.text());
  assert.match(to.text(), /given up: nothing was changed/);
  assert.deepEqual(await connectors(), before);
});

test('without a terminal what must be said and is not is a wrong command line, at once', async () => {
  const before = await connectors();
  const cases: readonly (readonly [readonly string[], RegExp])[] = [
    [['--yes'], /--tls-domain is needed/],
    [['--yes', '--tls-domain', 'mx.clinic.test'], /--tls-sender-certificate-name is needed/],
    [['--yes', '--tls-settings', 'Pinned'], /--pins is needed/],
    [['--yes', '--tls-domain', '*'], /--tls-domain: .*accept any name/],
    [
      ['--yes', ...clinicOptions, '--sender-pins', 'x'],
      /--tls-sender-certificate-name has no effect|--sender-pins: /,
    ],
    [
      ['--yes', '--direction', 'outbound', '--tls-domain', 'a.test', '--ip', '192.0.2.1'],
      /--ip has no effect/,
    ],
    [[...clinicOptions], /nobody is there to be asked/],
  ];
  for (const [words, text] of cases) {
    const { code, stderr, stdout } = await add('clinic.test', ...words);
    assert.match(stderr, text, `${words.join(' ')}\n${stdout}`);
    assert.equal(code, 64, `${words.join(' ')}\n${stderr}`);
  }
  const unknown = await add('clinic.test', '--yes', '--organization', 'exampel');
  assert.match(unknown.stderr, /no organization exampel; did you mean example/);
  assert.equal((await add('clinic@test', '--yes')).code, 64);
  assert.equal((await add('*', '--yes')).code, 64);
  assert.deepEqual(await connectors(), before);
});

test('--look makes nothing where the mail would wait, and says why and what to do', async () => {
  const before = await connectors();
  await partnerWith(otherName);
  const { code, stderr } = await add('clinic.test', ...clinicOptions, '--look', '--yes');
  assert.equal(code, 69, stderr);
  assert.match(stderr, /FAILED +name .*mx\.other\.test/);
  assert.match(stderr, /To do: /);
  assert.match(stderr, /the partner's servers do not meet clinic\.test: .*nothing was changed/);
  assert.deepEqual(await connectors(), before);
});

test('a dry run shows what would be made, and changes nothing', async () => {
  const before = await connectors();
  const { code, stdout } = await add('clinic.test', ...clinicOptions, '--dry-run');
  assert.equal(code, 0, stdout);
  assert.match(stdout, /^ {2}- id: example\n {4}inboundConnectors:\n {6}- name: clinic\.test$/m);
  assert.match(stdout, /^2 added; nothing else changes$/m);
  assert.match(stdout, /^ {2}postern New-OutboundConnector -Name clinic\.test /m);
  assert.deepEqual(await connectors(), before);
});

test('on a terminal: bad answers are asked again, both connectors are one revision, and mail is forced', async () => {
  await partnerWith(right);
  const { revision } = (await gateway.api.listRevisions({ limit: 1 })).revisions[0]!;
  const to = open('clinic.test');
  await answer(to, [
    [/Which way shall mail be protected\?/, 'sideways'],
    [/Not so: the answer is one of both, outbound, inbound/, ''],
    [/How shall the connectors be called\?/, 'Old'],
    [/there is an outbound connector "old" already/, ''],
    [/Mail to which domains/, '*'],
    [/"\*" is everybody/, 'old.test'],
    [/the outbound connector "old" is for old\.test already/, ''],
    [/Mail from which domains/, ''],
    [/Which servers take the mail\?/, smartHost(partnerPort)],
    [/Which CAs are trusted/, 'tls/clinic.pem'],
    [/look at the partner's servers now\?/, ''],
    [/certificate for mx\.clinic\.test[^]*criteria\?/, ''],
    [/1\) mx\.clinic\.test/, '*.com'],
    [/anybody can register/, '1'],
    [/over TLS\?/, ''],
    [/which certificate/, ''],
    [/Which name does that certificate carry/, '*.clinic.test'],
    [/meant for servers only\?/, ''],
    [/IP addresses\?/, ''],
    [/bind from now on\?/, ''],
    [/Why is it made\?/, 'the clinic joins'],
    [/SUCCEEDED[^]*New-InboundConnector[^]*2 added; nothing else changes/, 'y'],
  ]);
  assert.equal(await to.code, 0, to.text());
  assert.match(to.text(), /Both connectors are in force as revision/);
  assert.match(to.text(), /send any mail to rehearsal@example\.test/);
  const [newest] = (await gateway.api.listRevisions({ limit: 1 })).revisions;
  assert.equal(newest!.revision, revision + 1);
  assert.equal(newest!.reason, 'the clinic joins');
  const made = await connectors();
  assert.deepEqual(made['outbound-connector clinic.test'], {
    name: 'clinic.test',
    recipientDomains: ['clinic.test'],
    smartHosts: [smartHost(partnerPort)],
    tlsSettings: 'DomainValidation',
    tlsDomain: ['mx.clinic.test'],
    anchors: 'tls/clinic.pem',
  });
  assert.deepEqual(made['inbound-connector clinic.test'], {
    name: 'clinic.test',
    senderDomains: ['clinic.test'],
    requireTls: true,
    restrictDomainsToCertificate: true,
    tlsSenderCertificateName: ['*.clinic.test'],
    anchors: 'tls/clinic.pem',
  });
});

test('mail to the partner goes under the right certificate, and waits without STARTTLS or with another name', async () => {
  for (const certificate of [null, otherName]) {
    const server = await partnerWith(certificate);
    const id = await submit(gateway, { to: 'doctor@clinic.test', text: 'secret' });
    const row = await gateway.waitForRow(id);
    assert.equal(row.state, 'queued');
    assert.equal(server.messages.length, 0);
    for (const { clear } of server.connections) assert.ok(!clear.includes('secret'));
    await gateway.api.orderQueue({ action: 'delete', match: { id }, by: 'test' });
  }
  const server = await partnerWith(right);
  await submit(gateway, { to: 'doctor@clinic.test', text: 'secret' });
  await server.waitUntil(({ messages }) => messages.length > 0, 20_000);
  for (const { clear } of server.connections) assert.ok(!clear.includes('secret'));
});

test('mail from the partner needs its certificate', async () => {
  assert.match(await sendFromPartner(null), /^[45]\d\d|certificate/i);
  assert.doesNotMatch(await sendFromPartner(null), /accepted as/);
  assert.doesNotMatch(await sendFromPartner(otherSender), /accepted as/);
  assert.equal((await gateway.mailbox('user')).length, 0);
  assert.match(await sendFromPartner(sender), /accepted as/);
  await gateway.waitForMail('user');
});

test('what asks for less wants a reason, which is asked for', async () => {
  const before = await connectors();
  const words = ['a.wide.test', '--direction', 'outbound', '--tls-settings', 'EncryptionOnly'];
  const refused = await add(...words, '--yes');
  assert.equal(refused.code, 64, refused.stderr);
  assert.match(refused.stderr, /there is the outbound connector "wide" for \*\.wide\.test/);
  assert.match(refused.stderr, /--reason is needed, since it asks for less: /);
  const to = openHere(...words, '--look', 'false', '--name', 'less', '--mode', 'enforce');
  await answer(to, [
    [/Mail to which/, ''],
    [/Which servers/, ''],
    [/Why is it made/, ''],
    [/asks for less: [^]*than what is in force\. Why\?/, ''],
    [/Not so: the answer is empty/, 'until they renew'],
    [/Put this in force/, ''],
  ]);
  assert.equal(await to.code, 75, to.text());
  assert.deepEqual(await connectors(), before);
  assert.equal((await add(...words, '--yes', '--reason', 'until they renew')).code, 0);
  assert.equal(
    (await gateway.api.listRevisions({ limit: 1 })).revisions[0]!.reason,
    'until they renew',
  );
});

test('what the gateway refuses is told in the words of the options, and no answer is lost', async () => {
  const before = await connectors();
  const words = [
    'new.test',
    '--anchors',
    'tls/none.pem',
    '--look',
    'false',
    '--direction',
    'inbound',
  ];
  const names = ['--tls-sender-certificate-name', '*.new.test', '--accept-server-auth-only'];
  const refused = await add(...words, ...names, '--yes');
  assert.match(refused.stderr, /--look has no effect here/);
  const rest = words.filter((word) => word !== '--look' && word !== 'false');
  const to = openHere(...rest, ...names);
  await answer(to, [
    [/called/, ''],
    [/Mail from which/, ''],
    [/over TLS/, ''],
    [/which certificate/, ''],
    [/IP addresses/, ''],
    [/from now on/, ''],
    [/Why is it made/, ''],
  ]);
  assert.notEqual(await to.code, 0, to.text());
  assert.match(to.text(), /postern: --anchors .*none\.pem/);
  assert.match(to.text(), /postern partner add new\.test .*--anchors tls\/none\.pem/);
  assert.deepEqual(await connectors(), before);
});

test('a partner that is there is told and left as it is', async () => {
  const before = await connectors();
  const whole = await add('clinic.test', '--yes', '--tls-domain', 'evil.test');
  assert.equal(whole.code, 65);
  assert.match(
    whole.stderr,
    /clinic\.test is a partner already: the outbound connector "clinic\.test"/,
  );
  const half = await add('old.test', ...clinicOptions, '--yes');
  assert.equal(half.code, 64);
  assert.match(
    half.stderr,
    /--direction: the outbound connector "old" .* inbound is still to be made/,
  );
  const name = await add('new.test', ...clinicOptions, '--name', 'clinic.test', '--yes');
  assert.equal(name.code, 64);
  assert.match(name.stderr, /--name: there is an outbound connector "clinic\.test" already/);
  assert.deepEqual(await connectors(), before);
});

test('the one command that was shown makes the same', async () => {
  const words = ['lab.test', ...clinicRoute, '--ip', '192.0.2.0/24,2001:db8::/32'];
  const names = ['--tls-domain', '*.lab.test', '--tls-sender-certificate-name', '*.lab.test'];
  const all = [...words, ...names, '--mode', 'warn', '--accept-server-auth-only', '--json'];
  const would = await add(...all, '--dry-run');
  const { objects, commands } = JSON.parse(would.stdout) as {
    readonly objects: readonly { readonly kind: string; readonly value: object }[];
    readonly commands: { readonly partner: string };
  };
  const [, line = ''] = /^postern (.*)$/.exec(commands.partner) ?? [];
  const script = `exec ${process.execPath} ${mainFile} ${line}`;
  const done = await runProgram(['sh', '-c', script], { cwd: gateway.folder });
  assert.equal(done.code, 0, done.stderr);
  const made = await connectors();
  for (const { kind, value } of objects) assert.deepEqual(made[`${kind} lab.test`], value);
});
