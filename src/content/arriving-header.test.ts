/** What is added to submitted mail, and which headers are taken from nobody. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { address } from '../../test/support/policy.ts';
import type { Address } from '../mail/address.ts';
import { formatEnhancedStatus } from '../mail/enhanced-status.ts';
import type { ArrivingHeader } from './arriving-header.ts';
import { findHeaderFault, readArrivingHeader } from './arriving-header.ts';
import { submittersFamilies } from './header-firewall.ts';
import { composeReceived } from './received.ts';

const hostName = 'mx.example.test';
const rules = { hostName, forbids: submittersFamilies };
const atMs = Date.UTC(2026, 10, 22, 3, 53, 43);

function submitted(header: string, author: Address | null = address('a@example.test')) {
  const submission = { id: 'ID1', hostName, author, atMs };
  const arriving = readArrivingHeader(Buffer.from(header), rules, submission);
  const text = Buffer.concat(arriving.pieces).toString();
  return { text, changes: arriving.changes, from: arriving.facts.from };
}

function received(header: string): ArrivingHeader {
  return readArrivingHeader(Buffer.from(header), rules, null);
}

const whole = 'From: a@example.test\r\nDate: now\r\nMessage-ID: <1@a>\r\n\r\n';

test('adds Date and Message-ID to a submitted message that lacks them', () => {
  const { text, changes } = submitted('From: a@example.test\r\n\r\n');
  assert.equal(
    text,
    'Date: Sun, 22 Nov 2026 03:53:43 +0000\r\nMessage-ID: <ID1@mx.example.test>\r\n' +
      'From: a@example.test\r\n\r\n',
  );
  assert.deepEqual(changes, { removed: {}, added: ['Date', 'Message-ID'] });
});

test('adds only what is missing, and nothing beside an empty or oddly written one', () => {
  assert.deepEqual(submitted(whole), {
    text: whole,
    changes: null,
    from: { kind: 'addresses', addresses: [address('a@example.test')] },
  });
  const odd = 'FROM : a@example.test\r\nDATE:\r\nmessage-id :\r\n\r\n';
  assert.equal(submitted(odd).text, odd);
  const dated = 'From: a@example.test\r\nDate: now\r\n\r\n';
  assert.deepEqual(submitted(dated).changes?.added, ['Message-ID']);
});

test('writes From of the author that it is given', () => {
  const { text, from } = submitted('Date: now\r\nMessage-ID: <1@a>\r\n\r\n');
  assert.equal(text, 'From: a@example.test\r\nDate: now\r\nMessage-ID: <1@a>\r\n\r\n');
  assert.deepEqual(from, { kind: 'addresses', addresses: [address('a@example.test')] });
});

test('writes no From beside one that cannot be read, in a malformed header, or without an author', () => {
  for (const fields of ['From: nobody\r\n', 'Subject: x\r\nno field\r\n']) {
    const { changes, from } = submitted(`${fields}\r\n`);
    assert.deepEqual(changes?.added, ['Date', 'Message-ID']);
    assert.notEqual(from.kind, 'addresses');
  }
  assert.equal(submitted('Subject: x\r\n\r\n', null).from.kind, 'none');
});

test('adds nothing to mail of other servers', () => {
  assert.equal(received('Subject: x\r\n\r\n').changes, null);
});

function faultOf(header: string): string | null {
  const fault = findHeaderFault(received(header), { hopsMax: 50, ownHopsMax: 5 });
  return fault === null ? null : `${fault.code} ${formatEnhancedStatus(fault.status!)}`;
}

function hop(byHost: string): string {
  return composeReceived({
    heloName: 'peer.test',
    clientAddress: '192.0.2.1',
    clientName: null,
    byHost,
    protocol: 'ESMTPS',
    tls: null,
    id: '0ABCDEFGHJKM',
    recipient: null,
    atMs,
  }).toString();
}

test('a message that two gateways throw back and forth is stopped at the sixth round', () => {
  const round = hop(hostName) + hop('mx.partner.test');
  assert.equal(faultOf(round.repeat(5) + whole), null);
  assert.equal(faultOf(round.repeat(6) + whole), '554 5.4.6');
});

test('other hops count up to fifty', () => {
  const other = 'Received: from a by b; now\r\n';
  assert.equal(faultOf(other.repeat(50) + whole), null);
  assert.equal(faultOf(other.repeat(51) + whole), '554 5.4.6');
});

test('more fields than are read are refused: the last could be anything', () => {
  assert.equal(faultOf(`${'X: y\r\n'.repeat(997)}${whole}`), null);
  assert.equal(faultOf(`${'X: y\r\n'.repeat(1000)}X-OriginatorOrg: a\r\n${whole}`), '552 5.3.4');
  assert.equal(faultOf(`${'no field\r\n'.repeat(1001)}\r\n`), '552 5.3.4');
});

test('a first line that would go on from our Received field is refused', () => {
  assert.equal(faultOf(` forged\r\n${whole}`), '550 5.6.0');
  assert.equal(faultOf(`\tX-OriginatorOrg: a\r\n${whole}`), '550 5.6.0');
});

test('a content without header is taken', () => {
  assert.equal(faultOf('\r\n'), null);
  assert.equal(faultOf(''), null);
});
