/** swaks's options, each with what must come of it: protocols, stages, sign-in, TLS, bodies, PROXY. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { startGateway } from '../support/gateway.ts';
import type { RunningGateway } from '../support/gateway.ts';
import { gatewaySetup, listeners, userPassword } from '../support/gateway-config.ts';
import { runSwaks, whyNoSwaks } from '../support/swaks.ts';

const noSwaks = await whyNoSwaks();

type Listener = 'mx' | 'implicit' | 'submission' | 'submissions' | 'balanced';

/** `code` is swaks's exit code; `mail` what its Received says of the protocol, null where none comes. */
interface Case {
  readonly name: string;
  readonly to: Listener;
  readonly words: readonly string[];
  readonly code: number;
  readonly says: RegExp;
  readonly mail: string | null;
}

const user = ['--auth-user', 'user', '--auth-password', userPassword];
const asUser = [...user, '--from', 'user@example.test'];

const protocols: readonly Case[] = [
  ['SMTP', 'mx', [], 'SMTP'],
  ['ESMTP', 'mx', [], 'ESMTP'],
  ['ESMTPS', 'mx', [], 'ESMTPS'],
  ['SMTPS', 'implicit', [], 'SMTP'],
  ['SSMTP', 'implicit', [], 'ESMTPS'],
  ['ESMTPSA', 'submission', asUser, 'ESMTPSA'],
  ['SSMTPA', 'submissions', asUser, 'ESMTPSA'],
].map(([protocol, to, words, mail]) => ({
  name: `protocol ${protocol as string}`,
  to: to as Listener,
  words: ['--protocol', protocol as string, ...(words as string[])],
  code: 0,
  says: /250 2\.0\.0 accepted as/,
  mail: mail as string,
}));

const refusedProtocols: readonly Case[] = [
  {
    name: 'protocol ESMTPA: no sign-in in clear',
    to: 'submission',
    words: ['--protocol', 'ESMTPA', ...asUser],
    code: 28,
    says: /Host did not advertise authentication/,
    mail: null,
  },
  {
    name: 'PRDR is not offered',
    to: 'mx',
    words: ['--prdr'],
    code: 30,
    says: /Host did not advertise PRDR support/,
    mail: null,
  },
  {
    name: 'protocol LMTP: LHLO is no command here',
    to: 'mx',
    words: ['--protocol', 'LMTP'],
    code: 22,
    says: /500 5\.5\.1/,
    mail: null,
  },
];

const stages: readonly Case[] = [
  ...['CONNECT', 'FIRST-EHLO', 'EHLO', 'MAIL', 'RCPT'].map((stage) => ({
    name: `quits after ${stage}`,
    to: 'mx' as const,
    words: ['--quit-after', stage],
    code: 0,
    says: /<- {2}221 2\.0\.0/,
    mail: null,
  })),
  ...['STARTTLS', 'EHLO', 'MAIL', 'RCPT'].map((stage) => ({
    name: `quits after ${stage} under TLS`,
    to: 'mx' as const,
    words: ['-tls', '--quit-after', stage],
    code: 0,
    says: /<~ {2}221 2\.0\.0/,
    mail: null,
  })),
  {
    name: 'quits after AUTH',
    to: 'submissions',
    words: ['-tlsc', '--auth', 'PLAIN', ...asUser, '--quit-after', 'AUTH'],
    code: 0,
    says: /235 2\.7\.0[^]*221 2\.0\.0/,
    mail: null,
  },
  {
    name: 'drops after CONNECT',
    to: 'mx',
    words: ['--drop-after', 'CONNECT'],
    code: 0,
    says: /Connected/,
    mail: null,
  },
  ...['EHLO', 'MAIL', 'RCPT', 'DATA'].flatMap((stage) =>
    ['--drop-after', '--drop-after-send'].map((drop) => ({
      name: `drops (${drop}) after ${stage}`,
      to: 'mx' as const,
      words: [drop, stage],
      code: 0,
      says: new RegExp(`-> ${stage}`),
      mail: null,
    })),
  ),
  {
    name: 'drops once the dot is answered: accepted is accepted',
    to: 'mx',
    words: ['--drop-after', 'DOT'],
    code: 0,
    says: /250 2\.0\.0 accepted as/,
    mail: 'ESMTP',
  },
  {
    name: 'drops once the dot is sent: the message is whole and is taken',
    to: 'mx',
    words: ['--drop-after-send', 'DOT'],
    code: 0,
    says: /-> \./,
    mail: 'ESMTP',
  },
];

const signIn: readonly Case[] = [
  ...['PLAIN', 'LOGIN', 'CRAM-MD5,PLAIN'].map((types) => ({
    name: `auth ${types}`,
    to: 'submission' as const,
    words: ['-tls', '--auth', types, ...asUser],
    code: 0,
    says: /235 2\.7\.0/,
    mail: 'ESMTPSA',
  })),
  ...['CRAM-MD5', 'CRAM-SHA1'].map((type) => ({
    name: `auth ${type} is not offered`,
    to: 'submission' as const,
    words: ['-tls', '--auth', type, ...asUser],
    code: 28,
    says: /\*\*\* No auth types supported|\*\*\* Host did not advertise|\*\*\* Auth/,
    mail: null,
  })),
  {
    name: 'auth with a wrong password',
    to: 'submissions',
    words: ['-tlsc', '--auth', 'LOGIN', '--auth-user', 'user', '--auth-password', 'wrong'],
    code: 28,
    says: /535 5\.7\.8/,
    mail: null,
  },
  {
    name: 'auth is optional to swaks and not to us',
    to: 'submission',
    words: ['-tls', '--auth-optional', 'CRAM-MD5', ...asUser],
    code: 23,
    says: /530 5\.7\.57/,
    mail: null,
  },
  {
    name: 'another sender than the account',
    to: 'submissions',
    words: ['-tlsc', '--auth', 'PLAIN', ...user, '--from', 'chief@example.test'],
    code: 23,
    says: /550 5\.7\.60/,
    mail: null,
  },
];

const tls: readonly Case[] = [
  ...[
    ['tlsv1_3', 'TLSv1.3'],
    ['tlsv1_2', 'TLSv1.2'],
    ['tlsv1,tlsv1_1,tlsv1_2', 'TLSv1.2'],
    ['no_sslv3', 'TLSv1.3'],
  ].map(([protocol, version]) => ({
    name: `TLS of ${protocol!}`,
    to: 'mx' as const,
    words: ['-tls', '--tls-protocol', protocol!],
    code: 0,
    says: new RegExp(`TLS started with cipher ${version!.replace('.', '\\.')}`),
    mail: 'ESMTPS',
  })),
  ...['tlsv1', 'tlsv1_1', 'tlsv1,tlsv1_1'].map((protocol) => ({
    name: `TLS of ${protocol} alone: no handshake, and no mail in clear behind it`,
    to: 'mx' as const,
    words: ['-tls', '--tls-protocol', protocol],
    code: 29,
    says: /TLS startup failed/,
    mail: null,
  })),
  ...['ECDHE-ECDSA-AES128-GCM-SHA256', 'ECDHE-ECDSA-CHACHA20-POLY1305'].map((cipher) => ({
    name: `TLS with ${cipher}`,
    to: 'mx' as const,
    words: ['-tls', '--tls-protocol', 'tlsv1_2', '--tls-cipher', cipher],
    code: 0,
    says: new RegExp(`TLSv1\\.2:${cipher}`),
    mail: 'ESMTPS',
  })),
  ...[
    'AES128-SHA',
    'AES256-GCM-SHA384',
    'ECDHE-ECDSA-AES128-SHA',
    'NULL-SHA256',
    'ADH-AES128-SHA',
  ].map((cipher) => ({
    name: `TLS with ${cipher}: no forward secrecy or no safe mode, no handshake`,
    to: 'mx' as const,
    words: ['-tls', '--tls-protocol', 'tlsv1_2', '--tls-cipher', `${cipher}:@SECLEVEL=0`],
    code: 29,
    says: /TLS startup failed/,
    mail: null,
  })),
  {
    name: 'TLS optional, offered and used',
    to: 'mx',
    words: ['-tlso'],
    code: 0,
    says: /TLS started/,
    mail: 'ESMTPS',
  },
  {
    name: 'TLS on connect where STARTTLS is spoken',
    to: 'mx',
    words: ['-tlsc'],
    code: 29,
    says: /TLS startup failed/,
    mail: null,
  },
];

const bodies: readonly Case[] = [
  ['pipelined', 'mx', ['--pipeline'], 'ESMTP'],
  ['pipelined under TLS', 'mx', ['-tls', '--pipeline'], 'ESMTPS'],
  ['a body of its own', 'mx', ['--body', 'A body.\\n.\\n..dots\\n'], 'ESMTP'],
  [
    'an attachment',
    'mx',
    ['--attach-type', 'text/plain', '--attach', 'text', '--attach-body', 'b'],
    'ESMTP',
  ],
  ['header and more header', 'mx', ['--header', 'X-One: 1', '--add-header', 'X-Two: 2'], 'ESMTP'],
  ['data of its own, empty', 'mx', ['--data', 'Subject: e\\n\\n'], 'ESMTP'],
  ['the null sender', 'mx', ['--from', '<>'], 'ESMTP'],
].map(([name, to, words, mail]) => ({
  name: name as string,
  to: to as Listener,
  words: words as string[],
  code: 0,
  says: /250 2\.0\.0 accepted as/,
  mail: mail as string,
}));

const balancers: readonly Case[] = [
  ...[
    ['AF_INET', '192.0.2.7', '192.0.2.1'],
    ['AF_INET6', '2001:db8::7', '2001:db8::1'],
  ].map(([family, source, destination]) => ({
    name: `PROXY version 2 of ${family!}`,
    to: 'balanced' as const,
    words: ['--proxy-version', '2', '--proxy-family', family!, '--proxy-source', source!, '--proxy-source-port', '4321', '--proxy-dest', destination!, '--proxy-dest-port', '25'],
    code: 0,
    says: /250 2\.0\.0 accepted as/,
    mail: `\\[(?:IPv6:)?${source!}\\]`,
  })),
  {
    name: 'PROXY version 2, and TLS behind it',
    to: 'balanced',
    words: ['-tls', '--proxy-version', '2', '--proxy-family', 'AF_INET', '--proxy-source', '192.0.2.8', '--proxy-source-port', '4321', '--proxy-dest', '192.0.2.1', '--proxy-dest-port', '25'],
    code: 0,
    says: /250 2\.0\.0 accepted as/,
    mail: '\\[192\\.0\\.2\\.8\\]',
  },
  {
    name: 'PROXY version 1, a text that looks like SMTP, is not believed',
    to: 'balanced',
    words: ['--proxy-version', '1', '--proxy-family', 'TCP4', '--proxy-source', '192.0.2.7', '--proxy-source-port', '4321', '--proxy-dest', '192.0.2.1', '--proxy-dest-port', '25'],
    code: 6,
    says: /Remote host closed connection unexpectedly/,
    mail: null,
  },
  {
    name: 'no PROXY header from a listed address',
    to: 'balanced',
    words: ['--timeout', '3'],
    code: 6,
    says: /Timeout|closed/i,
    mail: null,
  },
  {
    name: 'XCLIENT is nobody’s right',
    to: 'mx',
    words: ['--xclient', 'ADDR=192.0.2.7'],
    code: 33,
    says: /XCLIENT/,
    mail: null,
  },
]; // prettier-ignore

const cases = [
  ...protocols,
  ...refusedProtocols,
  ...stages,
  ...signIn,
  ...tls,
  ...bodies,
  ...balancers,
];

let gateway: RunningGateway;

before(async () => {
  if (noSwaks !== null) return;
  const on = { host: '127.0.0.1', port: 0, kind: 'mx' };
  gateway = await startGateway(
    await gatewaySetup({
      listeners: [
        ...listeners,
        { ...on, name: 'implicit', tls: 'implicit' },
        { ...on, name: 'balanced', proxyProtocol: '127.0.0.1' },
      ],
      top: {
        timeouts: { server: { greetingDelay: '0', proxyHeader: '1s' } },
        limits: { messagesPerAccountPerHour: 10_000, recipientsPerAccountPerHour: 10_000 },
      },
    }),
  );
});
after(async () => {
  await gateway?.stop();
  await gateway?.remove();
});

for (const { name, to, words, code, says } of cases) {
  test(`swaks: ${name}`, { skip: noSwaks ?? false, timeout: 30_000 }, async () => {
    const sender = words.includes('--from') ? [] : ['--from', 'a@sender.test'];
    const { code: seen, transcript } = await runSwaks(
      gateway.port(to),
      '--to',
      'user@example.test',
      '--ehlo',
      'client.sender.test',
      '--add-header',
      `X-Case: ${name}`,
      ...sender,
      ...words,
    );
    assert.match(transcript, says);
    assert.equal(seen, code, transcript);
  });
}

/** By exit code: swaks reads the greeting first, then the answer to EHLO. */
const refusalsOfProxyHeader: ReadonlyMap<number | null, RegExp> = new Map([
  [21, /<\*\* 554 5\.5\.1 you spoke before the greeting/],
  [22, /<\*\* 500 5\.5\.1 /],
]);

// What is there before the greeting is talk before the greeting; a little later it is no command.
test(
  'swaks: a PROXY header from an address that is not listed is refused',
  { skip: noSwaks ?? false, timeout: 30_000 },
  async () => {
    const header = '--proxy-version 2 --proxy-family AF_INET --proxy-source 192.0.2.7';
    const rest = '--proxy-source-port 4321 --proxy-dest 192.0.2.1 --proxy-dest-port 25';
    const words = ['--to', 'user@example.test', ...`${header} ${rest}`.split(' ')];
    const { code, transcript } = await runSwaks(gateway.port('mx'), ...words);
    assert.match(transcript, refusalsOfProxyHeader.get(code) ?? /no such exit code/, transcript);
  },
);

test(
  'swaks: what was accepted is in the mailbox, and nothing else',
  { skip: noSwaks ?? false },
  async () => {
    const expected = cases.filter(({ mail }) => mail !== null);
    const messages = (await gateway.waitForMail('user', expected.length)).map(String);
    const received = messages.map((message) => /^Received: [^]*?(?=^\S)/m.exec(message)![0]);
    const named = messages.flatMap((message) => /^X-Case: (.*)\r$/m.exec(message)?.[1] ?? []);
    const wanted = expected.map(({ name }) => name);
    assert.deepEqual(named.sort(), wanted.sort());
    assert.equal(messages.length, expected.length);
    for (const { name, mail } of expected) {
      const place = messages.findIndex((message) => message.includes(`X-Case: ${name}\r\n`));
      assert.notEqual(place, -1, `no message of: ${name}`);
      const says = mail!.startsWith('\\[') ? mail! : `\\bwith\\s+${mail!}\\b`;
      assert.match(received[place]!, new RegExp(says), name);
    }
  },
);
