/** Content by route: what of its header leaves, and that every other byte is the same. */
import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import {
  delivery,
  onlyRoute,
  outcomesOf,
  partnerTls,
  singleZone,
  startRig,
  toPartner,
} from '../../test/support/delivery-rig.ts';
import { address, deliveryTarget, policy } from '../../test/support/policy.ts';
import type { Content } from '../mail/content.ts';
import { chooseOutbound } from '../policy/choose-outbound.ts';
import type { OutboundDecision } from '../policy/decision.ts';
import type { OutboundConnector } from '../policy/policy.ts';
import { outgoingBody } from './outgoing-body.ts';

const folder = await mkdtemp(join(tmpdir(), 'postern-outgoing-'));
after(() => rm(folder, { recursive: true }));

function decide(part: Partial<OutboundConnector> | null): OutboundDecision {
  const outboundConnectors = part === null ? [] : [toPartner(part)];
  return chooseOutbound(policy({ outboundConnectors }), 'org', address('b@partner.test'));
}

const toStranger = decide(null);
const toOtherSide = decide({ cloudServicesMailEnabled: true });

let files = 0;
async function spooled(text: string): Promise<Content> {
  const path = join(folder, `${++files}`);
  await writeFile(path, `MAGIC${text}`, 'latin1');
  return { kind: 'spool', path, offset: 5, sizeBytes: text.length };
}
const inMemory = (text: string): Content => ({
  kind: 'memory',
  bytes: Buffer.from(text, 'latin1'),
});
const kinds = [
  ['in memory', inMemory],
  ['in the spool', spooled],
] as const;

/** What would go over the wire; its size is what is announced. */
async function read(content: Content, decision: OutboundDecision): Promise<string> {
  const body = await outgoingBody(content, decision, 'mx.example.test');
  assert.notEqual(body.kind, 'unreadable');
  if (body.kind === 'memory') return body.bytes.toString('latin1');
  if (body.kind === 'unreadable') return '';
  const chunks: Buffer[] = [];
  for await (const chunk of body.open()) chunks.push(chunk);
  const bytes = Buffer.concat(chunks);
  assert.equal(bytes.length, body.sizeBytes);
  return bytes.toString('latin1');
}

const internal = 'X-MS-Exchange-Organization-AuthAs: Internal\r\n';
const mark = 'X-CrossPremisesHeadersFilteredBySendConnector: mx.example.test\r\n';
const long = `Subject: x\r\n\r\n${internal}${'.line \xff\r\n'.repeat(50_000)}`;
const wide = `X-Wide: ${'w'.repeat(15 * 1024)}\r\n`;

describe('content', () => {
  for (const [place, make] of kinds) {
    test(`${place}: what is internal stays here, and the body is untouched`, async () => {
      assert.equal(await read(await make(internal + long), toStranger), mark + long);
    });

    test(`${place}: crosses to the other side under other names`, async () => {
      const crossed = internal.replace('Organization', 'CrossPremises');
      assert.equal(
        await read(await make(internal + long), toOtherSide),
        'X-OrganizationHeadersPreserved: mx.example.test\r\n' +
          `X-OriginatorOrg: example.test\r\n${crossed}${long}`,
      );
    });

    test(`${place}: goes as it is where there is nothing internal`, async () => {
      const content = await make(long);
      assert.equal(await read(content, toStranger), long);
      const body = await outgoingBody(content, toStranger, 'mx.example.test');
      if (content.kind === 'memory') assert.equal(body, content);
    });

    test(`${place}: an end of the header anywhere near the end of a block is found`, async () => {
      for (let more = 0; more < 6; more++) {
        const filler = `${wide}X: ${'y'.repeat(1024 - 8 - 2 - 5 - 2 - 46 + more)}\r\n`;
        const text = `${filler}${internal}\r\n${internal}body\r\n`;
        const expected = `${mark}${filler}\r\n${internal}body\r\n`;
        assert.equal(await read(await make(text), toStranger), expected);
      }
    });

    test(`${place}: a content of header alone, and one without`, async () => {
      assert.equal(await read(await make(`A: b\r\n${internal}`), toStranger), `${mark}A: b\r\n`);
      assert.equal(
        await read(await make(`${wide}${wide}${internal}`), toStranger),
        `${mark}${wide}${wide}`,
      );
      assert.equal(await read(await make(`\r\n${internal}`), toStranger), `\r\n${internal}`);
    });
  }
});

test('a spool file that is cut or gone is unreadable, not sent short', async () => {
  const content = await spooled(internal + long);
  const cut = { ...content, sizeBytes: 10_000_000 } as Content;
  const body = await outgoingBody(
    { ...cut, path: join(folder, 'none') } as Content,
    toStranger,
    'h',
  );
  assert.equal(body.kind, 'unreadable');
  await assert.rejects(read(cut, toStranger), /another size/);
});

test('the server that keeps the mailboxes is inside: it gets all', async () => {
  const handOver = {
    ...toStranger,
    destination: { kind: 'hand-over', target: deliveryTarget('dovecot') },
  } as const;
  assert.equal(await read(inMemory(internal + long), handOver), internal + long);
});

test('one message to both: each next hop gets the header that is for it', async () => {
  const connectors = [toPartner({ cloudServicesMailEnabled: true })];
  const zone = {
    ...singleZone,
    'other.test': { mx: [{ preference: 1, exchange: 'mx2.partner.test' }] },
    'mx2.partner.test': { a: ['192.0.2.2'] },
  };
  const rig = await startRig({ connectors, zone });
  try {
    const otherSide = await rig.partner('192.0.2.1', { tls: partnerTls.trusted });
    const stranger = await rig.partner('192.0.2.2');
    const recipients = [address('b@partner.test'), address('c@other.test')];
    const content = inMemory(`${internal}Subject: x\r\n\r\n.dots\r\n${internal}`);
    const report = await rig.room.attempt(delivery({ recipients, content }));
    assert.deepEqual(
      outcomesOf(report).map(({ kind }) => kind),
      ['delivered', 'delivered'],
    );
    assert.match(
      otherSide.messages[0]!.content.toString(),
      /^X-OrganizationHeadersPreserved: mx\.example\.test\r\nX-OriginatorOrg: example\.test\r\nX-MS-Exchange-CrossPremises-AuthAs: Internal\r\nSubject: x\r\n\r\n\.dots\r\nX-MS-Exchange-Organization-AuthAs: Internal\r\n$/,
    );
    assert.equal(
      stranger.messages[0]!.content.toString(),
      `${mark}Subject: x\r\n\r\n.dots\r\n${internal}`,
    );
    const decisions = report.routes.map(({ decision }) => decision);
    assert.deepEqual(
      decisions.map(({ cloudServicesMailEnabled, originatorOrg }) => [
        cloudServicesMailEnabled,
        originatorOrg,
      ]),
      [
        [true, 'example.test'],
        [false, null],
      ],
    );
  } finally {
    await rig.close();
  }
});

test('a content that cannot be read is deferred before anybody is asked', async () => {
  const rig = await startRig({ zone: singleZone });
  try {
    const partner = await rig.partner('192.0.2.1');
    const content = { kind: 'spool', path: join(folder, 'gone'), offset: 5, sizeBytes: 9 } as const;
    const report = await rig.room.attempt(delivery({ content }));
    const { outcome } = onlyRoute(report).outcomes[0]!;
    assert.equal(outcome.kind, 'deferred');
    assert.match(outcome.reason, /the content could not be read/);
    assert.equal(partner.messages.length, 0);
  } finally {
    await rig.close();
  }
});
