/** With a real Postfix on both sides: 8-bit and SMTPUTF8 mail both ways, and DSN parameters passed on. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { createTransport } from 'nodemailer';
import { startGateway } from '../support/gateway.ts';
import type { RunningGateway } from '../support/gateway.ts';
import { gatewaySetup, listeners, smartHost, userPassword } from '../support/gateway-config.ts';
import { bodyHash, hardBody, messageWith } from '../support/hard-message.ts';
import { freePort, waitFor } from '../support/ports.ts';
import { startPostfix, whyNoPostfix } from '../support/postfix.ts';
import type { Postfix } from '../support/postfix.ts';
import { queueIdIn } from '../support/submit.ts';

const reason = await whyNoPostfix();
const skip = reason ?? false;
let gateway: RunningGateway;
/** Keeps partner.test and relay.test; without SMTPUTF8 the other one keeps plain.test. */
let receiver: Postfix;
let plain: Postfix;
/** Sends all it gets to the gateway. */
let sender: Postfix;

before(async () => {
  if (reason !== null) return;
  const mxPort = await freePort();
  const utf8 = { smtputf8_enable: 'yes', relayhost: `[127.0.0.1]:${mxPort}` };
  receiver = await startPostfix({ domains: ['partner.test', 'relay.test'], main: utf8 });
  plain = await startPostfix({ domains: ['plain.test'], main: { smtputf8_enable: 'no' } });
  sender = await startPostfix({ main: utf8 });
  const to = (domain: string, port: number) => ({
    name: `to ${domain}`,
    connectorType: 'OnPremises',
    recipientDomains: domain,
    smartHosts: smartHost(port),
  });
  const [, ...others] = listeners;
  gateway = await startGateway(
    await gatewaySetup({
      listeners: [{ name: 'mx', host: '127.0.0.1', port: mxPort, kind: 'mx' }, ...others],
      peerPorts: [receiver.port, plain.port],
      organization: {
        acceptedDomains: [
          { domain: 'example.test' },
          { domain: 'relay.test', type: 'InternalRelay' },
        ],
        outboundConnectors: [
          to('partner.test', receiver.port),
          to('relay.test', receiver.port),
          to('plain.test', plain.port),
        ],
      },
    }),
  );
});
after(async () => {
  try {
    await gateway?.stop();
  } finally {
    await gateway?.remove();
    await Promise.all([receiver, plain, sender].map((server) => server?.stop()));
  }
});

interface Mail {
  readonly from?: string;
  readonly to: string;
  readonly raw: Buffer;
  readonly dsn?: object;
}

/** Through a submission of ours; gives the queue id. */
async function submitted({ from = 'user@example.test', to, raw, dsn }: Mail): Promise<string> {
  const transport = createTransport({
    host: '127.0.0.1',
    port: gateway.port('submission'),
    requireTLS: true,
    auth: { user: 'user', pass: userPassword },
    tls: { rejectUnauthorized: false },
  });
  try {
    const envelope = { from, to: [to], use8BitMime: true };
    const { response } = await transport.sendMail({
      envelope,
      raw,
      ...(dsn === undefined ? {} : { dsn }),
    });
    return queueIdIn(response);
  } finally {
    transport.close();
  }
}

/** Through Postfix, which sends it to the gateway. */
async function throughPostfix({ from = 'teller@partner.test', to, raw }: Mail): Promise<void> {
  const transport = createTransport({ host: '127.0.0.1', port: sender.port, ignoreTLS: true });
  await transport.sendMail({ envelope: { from, to: [to], use8BitMime: true }, raw });
  transport.close();
}

function atReceiver(part: string): Promise<Buffer> {
  return waitFor(`${part} at Postfix`, async () => {
    const found = (await receiver.messages()).find((each) => each.includes(part));
    return found === undefined ? null : Buffer.from(found, 'latin1');
  });
}

function inMailbox(part: string): Promise<Buffer> {
  return waitFor(`${part} in the mailbox`, async () => {
    return (await gateway.mailbox('user')).find((each) => each.includes(part)) ?? null;
  });
}

/** A header in UTF-8 beside an 8-bit body. */
function utf8Message(subject: string, from = 'user@example.test'): Buffer {
  const raw = messageWith(subject, hardBody(), from).toString('utf8');
  return Buffer.from(
    raw.replace('To: <somebody@anywhere.test>', 'To: Jürgen <δοκιμή@anywhere.test>'),
  );
}

test('8-bit mail comes in from Postfix and lies in the mailbox as it was', { skip }, async () => {
  const raw = messageWith('in-8bit', hardBody(), 'teller@partner.test');
  await throughPostfix({ to: 'user@example.test', raw });
  const kept = await inMailbox('Subject: in-8bit');
  assert.equal(bodyHash(kept), bodyHash(raw));
  assert.equal(kept.toString('latin1').match(/^Return-Path:/gm)?.length, 1);
});

test('8-bit mail goes out to Postfix as it was', { skip }, async () => {
  const raw = messageWith('out-8bit', hardBody());
  await submitted({ to: 'clerk@partner.test', raw });
  assert.equal(bodyHash(await atReceiver('Subject: out-8bit')), bodyHash(raw));
});

test('UTF-8 header and sender come in from Postfix and lie in the mailbox', { skip }, async () => {
  const raw = utf8Message('in-utf8', 'teller@partner.test');
  await throughPostfix({ from: 'δοκιμή@partner.test', to: 'user@example.test', raw });
  const kept = await inMailbox('Subject: in-utf8');
  assert.equal(bodyHash(kept), bodyHash(raw));
  assert.match(kept.toString('utf8'), /^Return-Path: <δοκιμή@partner\.test>\r\n/);
  assert.match(kept.toString('utf8'), /^To: Jürgen <δοκιμή@anywhere\.test>\r$/m);
  assert.match(kept.toString('utf8'), /\bwith UTF8SMTP\b/);
});

test('UTF-8 header and recipient go out to Postfix', { skip }, async () => {
  const raw = utf8Message('out-utf8');
  await submitted({ to: 'δοκιμή@partner.test', raw });
  const kept = await atReceiver('Subject: out-utf8');
  assert.equal(bodyHash(kept), bodyHash(raw));
  assert.match(kept.toString('utf8'), /^Delivered-To: δοκιμή@partner\.test$/m);
});

test('UTF-8 mail passes from Postfix through the gateway to Postfix', { skip }, async () => {
  const raw = utf8Message('through-utf8', 'teller@partner.test');
  await throughPostfix({ from: 'отправитель@partner.test', to: '用户@relay.test', raw });
  const kept = (await atReceiver('Subject: through-utf8')).toString('utf8');
  assert.equal(bodyHash(Buffer.from(kept)), bodyHash(raw));
  assert.match(kept, /^Return-Path: <отправитель@partner\.test>$/m);
  assert.match(kept, /^Delivered-To: 用户@relay\.test$/m);
});

test('UTF-8 mail to a Postfix without SMTPUTF8 bounces with the reason', { skip }, async () => {
  const id = await submitted({ to: 'δοκιμή@plain.test', raw: utf8Message('no-utf8') });
  await gateway.waitUntilGone(id);
  const attempt = (await gateway.trace(id)).events.find(({ kind }) => kind === 'attempt');
  assert.ok(attempt?.kind === 'attempt');
  const outcome = attempt.routes[0]!.outcomes[0]!;
  assert.equal(outcome.kind, 'bounced');
  assert.equal(outcome.status, '5.6.7');
  assert.match(outcome.reason, /does not offer SMTPUTF8/);
  assert.deepEqual(await plain.messages(), []);
});

test('Postfix is told what DSN is wanted, and its success DSN comes back', { skip }, async () => {
  const dsn = {
    id: 'QQ314',
    return: 'headers',
    notify: 'success',
    recipient: 'Clerk@partner.test',
  };
  const raw = messageWith('dsn-success', hardBody());
  const id = await submitted({ to: 'clerk@partner.test', raw, dsn });
  const report = (await inMailbox('Original-Envelope-Id: QQ314')).toString('utf8');
  assert.match(report, /^Reporting-MTA: dns; mx\.partner\.test\r$/m);
  assert.match(report, /^Action: delivered\r$/m);
  assert.match(report, /^Original-Recipient: rfc822;\s?Clerk@partner\.test\r$/m);
  // RET=HDRS: the body is not sent back.
  assert.doesNotMatch(report, /From here a mailbox format/);
  const attempt = (await gateway.trace(id)).events.find(({ kind }) => kind === 'attempt');
  assert.ok(attempt?.kind === 'attempt');
  assert.equal(attempt.routes[0]!.outcomes[0]!.kind, 'delivered');
});
