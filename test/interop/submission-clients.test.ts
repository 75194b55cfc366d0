/** Other people's clients submit mail, and it arrives as it was sent. */
import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { runProgram, startGateway } from '../support/gateway.ts';
import type { RunningGateway } from '../support/gateway.ts';
import { gatewaySetup, userPassword } from '../support/gateway-config.ts';
import { bodyHash, hardBody, largeBody, messageWith } from '../support/hard-message.ts';
import { waitFor } from '../support/ports.ts';
import { connectRaw } from '../../src/testing/raw-client.ts';
import { queueIdIn } from '../support/submit.ts';
import { runSwaks, whyNoSwaks } from '../support/swaks.ts';

const noSwaks = await whyNoSwaks();
const python = await runProgram(['python3', '--version']);
const noPython = python.code === 0 ? null : 'Python is missing: apt-get install python3';

let gateway: RunningGateway;
let folder: string;

before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'postern-clients-'));
  gateway = await startGateway(await gatewaySetup());
});
after(async () => {
  await gateway?.stop();
  await gateway?.remove();
  await rm(folder, { recursive: true, force: true });
});

/** The message with this Subject in the user's mailbox. */
function findMail(subject: string): Promise<Buffer> {
  return waitFor(`${subject} in the mailbox`, async () => {
    const messages = await gateway.mailbox('user');
    return messages.find((message) => message.includes(`Subject: ${subject}\r\n`)) ?? null;
  });
}

const ways = [
  { listener: 'submission', tls: '--tls' },
  { listener: 'submissions', tls: '--tls-on-connect' },
] as const;

for (const { listener, tls } of ways) {
  for (const auth of ['PLAIN', 'LOGIN']) {
    for (const pipelining of [[], ['--pipeline']]) {
      const how = pipelining.length === 0 ? 'one command at a time' : 'pipelining';
      test(
        `swaks submits by ${listener} with AUTH ${auth}, ${how}`,
        { skip: noSwaks ?? false },
        async () => {
          const subject = `swaks-${listener}-${auth}-${pipelining.length}`;
          const file = join(folder, subject);
          await writeFile(file, messageWith(subject, hardBody()));
          const sent = await runSwaks(
            gateway.port(listener),
            tls,
            '--auth',
            auth,
            '--auth-user',
            'user',
            '--auth-password',
            userPassword,
            '--from',
            'user@example.test',
            '--to',
            'user@example.test',
            '--data',
            `@${file}`,
            ...pipelining,
          );
          assert.equal(sent.code, 0, sent.transcript);
          queueIdIn(sent.transcript);
          const message = await findMail(subject);
          assert.match(message.toString('latin1'), /\bwith\s+ESMTPSA\b/);
          // swaks adds an empty line at the end.
          const sentBody = Buffer.concat([hardBody(), Buffer.from('\r\n')]);
          assert.equal(bodyHash(message), bodyHash(messageWith(subject, sentBody)));
        },
      );
    }
  }
}

test(
  'swaks with a wrong password is refused, and is told no more than that',
  { skip: noSwaks ?? false },
  async () => {
    const sent = await runSwaks(
      gateway.port('submissions'),
      '--tls-on-connect',
      '--auth',
      'PLAIN',
      '--auth-user',
      'user',
      '--auth-password',
      'wrong',
      '--to',
      'user@example.test',
    );
    assert.notEqual(sent.code, 0);
    assert.match(sent.transcript, /535 5\.7\.8 authentication unsuccessful/);
  },
);

const bodies = { hard: hardBody(), large: largeBody(20_000_000) };

for (const mode of ['starttls', 'implicit'] as const) {
  for (const [name, body] of Object.entries(bodies)) {
    const fact = `smtplib submits by ${mode}, and the body arrives byte for byte: ${name}, ${body.length} bytes`;
    test(fact, { skip: noPython ?? false, timeout: 60_000 }, async () => {
      const subject = `python-${mode}-${name}`;
      const raw = messageWith(subject, body);
      const file = join(folder, subject);
      await writeFile(file, raw);
      const port = gateway.port(mode === 'implicit' ? 'submissions' : 'submission');
      const program = new URL('../support/submit.py', import.meta.url).pathname;
      const bodyType = name === 'hard' ? '8BITMIME' : '7BIT';
      const sent = await runProgram([
        'python3',
        program,
        mode,
        String(port),
        userPassword,
        bodyType,
        file,
      ]);
      assert.equal(sent.code, 0, sent.stderr);
      const { code, text } = JSON.parse(sent.stdout) as { code: number; text: string };
      assert.equal(code, 250, text);
      assert.equal(bodyHash(await findMail(subject)), bodyHash(raw));
    });
  }
}

/** Content as it goes over the wire: dots doubled, a final dot. */
function stuffed(raw: Buffer): Buffer {
  const text = raw.toString('latin1').replaceAll(/^\./gm, '..');
  return Buffer.from(`${text}.\r\n`, 'latin1');
}

for (const pieceBytes of [1, 2, 3, 7, 64]) {
  test(`content in pieces of ${pieceBytes} bytes arrives as it was sent`, async () => {
    const subject = `pieces-${pieceBytes}`;
    const raw = messageWith(subject, hardBody());
    const client = await connectRaw({ port: gateway.port('submissions'), implicitTls: {} });
    await client.expect(220);
    await client.command('EHLO client.test', 250);
    const token = Buffer.from(`\0user\0${userPassword}`).toString('base64');
    await client.command(`AUTH PLAIN ${token}`, 235);
    await client.send(
      'MAIL FROM:<user@example.test> BODY=8BITMIME\r\nRCPT TO:<user@example.test>\r\nDATA\r\n',
    );
    await client.expect(250);
    await client.expect(250);
    await client.expect(354);
    const wire = stuffed(raw);
    for (let at = 0; at < wire.length; at += pieceBytes) {
      await client.send(wire.subarray(at, at + pieceBytes));
    }
    await client.expect(250);
    client.close();
    assert.equal(bodyHash(await findMail(subject)), bodyHash(raw));
  });
}
