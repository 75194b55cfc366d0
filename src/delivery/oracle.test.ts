/** Against an SMTP server that others wrote: npm's smtp-server takes what we send as we meant it. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import type { AddressInfo, Server } from 'node:net';
import type { Readable } from 'node:stream';
import { after, test } from 'node:test';
import {
  delivery,
  outcomesOf,
  partnerTls,
  singleZone,
  startRig,
} from '../../test/support/delivery-rig.ts';
import { address } from '../../test/support/policy.ts';
import { removeDirectory } from '../../test/support/tls-ends.ts';
import { dialTcp } from './dial.ts';

after(removeDirectory);

interface OracleSession {
  readonly secure: boolean;
  readonly envelope: {
    readonly mailFrom: { readonly address: string } | false;
    readonly rcptTo: readonly { readonly address: string }[];
  };
}

type Done = (error?: Error | null) => void;

/** The part of smtp-server that is used; the package has no types. */
interface Oracle {
  readonly server: Server;
  on(event: 'error', listener: () => void): void;
  listen(port: number, host: string): void;
  close(done: () => void): void;
}

interface OracleOptions {
  readonly cert: string;
  readonly key: string;
  readonly disabledCommands: readonly string[];
  readonly logger: boolean;
  onRcptTo(recipient: { readonly address: string }, session: OracleSession, done: Done): void;
  onData(stream: Readable, session: OracleSession, done: Done): void;
}

const packageName: string = 'smtp-server';
const { SMTPServer } = (await import(packageName)) as {
  SMTPServer: new (options: OracleOptions) => Oracle;
};

interface Taken {
  readonly from: string;
  readonly to: readonly string[];
  readonly isTls: boolean;
  readonly text: string;
}

test('smtp-server gets every message once, as it was, under TLS and per recipient', async () => {
  const taken: Taken[] = [];
  const server = new SMTPServer({
    ...partnerTls.trusted,
    disabledCommands: ['AUTH'],
    logger: false,
    onRcptTo: ({ address: to }, _session, done) => {
      done(to.startsWith('no') ? new Error('no such user') : null);
    },
    onData: (stream, session, done) => {
      const parts: Buffer[] = [];
      stream.on('data', (part: Buffer) => parts.push(part));
      stream.on('end', () => {
        const { mailFrom, rcptTo } = session.envelope;
        taken.push({
          from: mailFrom === false ? '' : mailFrom.address,
          to: rcptTo.map((recipient) => recipient.address),
          isTls: session.secure,
          text: Buffer.concat(parts).toString('latin1'),
        });
        done();
      });
    },
  });
  server.on('error', () => undefined);
  server.listen(0, '127.0.0.1');
  await once(server.server, 'listening');
  const { port } = server.server.address() as AddressInfo;
  const rig = await startRig({
    zone: singleZone,
    services: { dial: (_to, _port, local, ms) => dialTcp('127.0.0.1', port, local, ms) },
  });
  const recipients = [address('yes@partner.test'), address('no@partner.test')];
  const texts = Array.from({ length: 40 }, (_, i) => `Subject: ${i}\r\n\r\n..\r\n.${i}\r\nend\r\n`);
  const reports = await Promise.all(
    texts.map((text) => {
      const content = { kind: 'memory', bytes: Buffer.from(text) } as const;
      return rig.room.attempt(delivery({ recipients, content }));
    }),
  );
  await rig.close();
  await new Promise<void>((resolve) => server.close(() => resolve()));
  for (const report of reports) {
    assert.deepEqual(
      outcomesOf(report).map(({ kind }) => kind),
      ['delivered', 'bounced'],
    );
  }
  assert.deepEqual(taken.map(({ text }) => text).sort(), texts.sort());
  for (const { from, to, isTls } of taken) {
    assert.deepEqual(
      { from, to, isTls },
      { from: 'user@example.test', to: ['yes@partner.test'], isTls: true },
    );
  }
});
