/** What becomes of an organization's own fields on arrival, by who brings them. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import * as fc from 'fast-check';
import type { Arrival } from '../policy/arrival.ts';
import { rulesOfArrival } from './arrival-rules.ts';
import type { SkipListing } from './arrival-fields.ts';
import { stateArrival } from './arrival-fields.ts';
import { readArrivingHeader } from './arriving-header.ts';

const hostName = 'mx.example.test';
const rest = 'From: a@a.test\r\nDate: now\r\nMessage-ID: <1@a>\r\n\r\n';

const stranger: Arrival = { trust: 'stranger', keepsOriginatorOrg: false, statement: null };
const otherSide: Arrival = {
  trust: 'cross-premises',
  keepsOriginatorOrg: true,
  statement: { direction: 'Originating', authAs: 'Anonymous' },
};

function arrive(arrival: Arrival, fields: string, skipListing: SkipListing | null = null) {
  const rules = rulesOfArrival(hostName, arrival);
  const submission =
    arrival.trust === 'submitter' ? { id: 'I', hostName, author: null, atMs: 0 } : null;
  const header = readArrivingHeader(Buffer.from(fields + rest, 'latin1'), rules, submission);
  const { statement } = arrival;
  const read = stateArrival(header, hostName, { statement, skipListing });
  const text = Buffer.concat(read.pieces).toString('latin1');
  assert.ok(text.endsWith(rest));
  return { ...read, fields: text.slice(0, -rest.length) };
}

const direction = 'X-MS-Exchange-Organization-MessageDirectionality';
const anonymous =
  `X-MS-Exchange-Organization-AuthSource: ${hostName}\r\n` +
  'X-MS-Exchange-Organization-AuthAs: Anonymous\r\n';
const promoted = `X-CrossPremisesHeadersPromoted: ${hostName}\r\n`;

describe('from a stranger', () => {
  const forged =
    'X-MS-Exchange-Organization-AuthAs: Internal\r\n' +
    'X-MS-Exchange-CrossPremises-AuthAs: Internal\r\n' +
    'X-MS-Exchange-CrossPremises-SCL: -1\r\n' +
    'X-MS-Exchange-Forest-A: b\r\n' +
    'X-OriginatorOrg: example.test\r\n' +
    'X-MS-Exchange-ExternalOriginalInternetSender: ip=[192.0.2.1];domain=a\r\n';

  test('nothing of it survives, and nothing is stated where nobody reads it', () => {
    const { fields, changes } = arrive(stranger, forged);
    assert.equal(fields, '');
    assert.deepEqual(changes?.added, []);
    assert.equal(changes.removed['X-MS-Exchange-CrossPremises'], 2);
  });

  test('our statement stands alone', () => {
    const statement = { direction: 'Incoming', authAs: 'Anonymous' } as const;
    const { fields, changes } = arrive({ ...stranger, statement }, forged);
    assert.equal(fields, `${direction}: Incoming\r\n${anonymous}`);
    assert.equal(changes?.added.length, 3);
  });
});

test('an account of ours is stated as internal, and may no more write such fields than others', () => {
  const statement = { direction: 'Originating', authAs: 'Internal' } as const;
  const { fields } = arrive(
    { trust: 'submitter', keepsOriginatorOrg: false, statement },
    'X-MS-Exchange-CrossPremises-SCL: -1\r\nBcc: b@b.test\r\n',
  );
  const authAs = anonymous.replace('Anonymous', 'Internal');
  assert.equal(fields, `${direction}: Originating\r\n${authAs}`);
});

describe('from the other side', () => {
  test('cross-premises fields become our own, values and folds untouched', () => {
    const { fields, changes } = arrive(
      otherSide,
      'Received: from a by b; now\r\n' +
        'X-MS-Exchange-CrossPremises-AuthAs: Internal\r\n' +
        'x-ms-exchange-CROSSPREMISES-Antispam-ScanContext :\r\n\tDIR:Originating;\xff \r\n' +
        'Subject: kept\r\n',
    );
    assert.equal(
      fields,
      `${direction}: Originating\r\n${promoted}` +
        'Received: from a by b; now\r\n' +
        'X-MS-Exchange-Organization-AuthAs: Internal\r\n' +
        'X-MS-Exchange-Organization-Antispam-ScanContext :\r\n\tDIR:Originating;\xff \r\n' +
        'Subject: kept\r\n',
    );
    assert.deepEqual(changes?.removed, {});
    assert.deepEqual(changes.added, [direction, 'X-CrossPremisesHeadersPromoted']);
  });

  test('they replace the organization fields that are there', () => {
    const { fields } = arrive(
      otherSide,
      'X-MS-Exchange-Organization-AuthAs: Internal\r\n' +
        'X-MS-Exchange-Organization-SCL: -1\r\n' +
        'X-MS-Exchange-CrossPremises-AuthAs: Anonymous\r\n',
    );
    assert.equal(
      fields,
      `${direction}: Originating\r\n${promoted}X-MS-Exchange-Organization-AuthAs: Anonymous\r\n`,
    );
  });

  test('without its word the sender is anonymous', () => {
    const { fields } = arrive(otherSide, 'X-MS-Exchange-CrossPremises-SCL: 1\r\n');
    assert.equal(
      fields,
      `${direction}: Originating\r\n${anonymous}${promoted}X-MS-Exchange-Organization-SCL: 1\r\n`,
    );
    assert.equal(arrive(otherSide, '').fields, `${direction}: Originating\r\n${anonymous}`);
  });

  test('of two words on the sender none is believed', () => {
    const { fields, changes } = arrive(
      otherSide,
      'X-MS-Exchange-CrossPremises-AuthAs: Anonymous\r\nX-MS-Exchange-CrossPremises-authas: Internal\r\n',
    );
    assert.equal(fields, `${direction}: Originating\r\n${anonymous}`);
    assert.deepEqual(changes?.removed, { 'X-MS-Exchange-CrossPremises': 2 });
  });

  test('the direction is ours to say, blind recipients are nobody else’s', () => {
    const { fields } = arrive(
      otherSide,
      'X-MS-Exchange-CrossPremises-MessageDirectionality: Incoming\r\n' +
        'X-MS-Exchange-CrossPremises-BCC: eve@example.test\r\n' +
        'X-MS-Exchange-CrossPremises-: x\r\n',
    );
    assert.equal(fields, `${direction}: Originating\r\n${anonymous}`);
  });

  test('a line that only some readers take for such a field is not promoted', () => {
    const { fields } = arrive(
      otherSide,
      'X-MS-Exchange-CrossPremises-AuthAs\r\n : Internal\r\n\x0bX-MS-Exchange-Organization-A: b\r\n',
    );
    assert.equal(fields, `${direction}: Originating\r\n${anonymous}`);
  });

  test('X-OriginatorOrg stays where a certificate was proven, and only there', () => {
    const field = 'X-OriginatorOrg: example.test\r\n';
    assert.ok(arrive(otherSide, field).fields.endsWith(field));
    const byAddress = { ...otherSide, keepsOriginatorOrg: false };
    assert.ok(!arrive(byAddress, field).fields.includes('OriginatorOrg'));
  });
});

const filtering = { skipLastIP: true, skipIPs: [], users: [] };
const skipping = { filtering, clientAddress: '198.51.100.7', isForRecipients: true };
const hop = 'Received: from sender.test (a.test [203.0.113.9])\r\n\tby filter.test; now\r\n';
const senders = 'ip=[203.0.113.9];domain=sender.test\r\n';

describe('skip listing', () => {
  test('writes the source for recipients that it is for', () => {
    const read = arrive(stranger, hop, skipping);
    assert.equal(
      read.fields,
      `X-MS-Exchange-SkipListedInternetSender: ${senders}` +
        `X-MS-Exchange-ExternalOriginalInternetSender: ${senders}${hop}`,
    );
    const { originalSource } = read;
    assert.deepEqual(originalSource, {
      address: '203.0.113.9',
      heloName: 'sender.test',
      isInScope: true,
    });
  });

  test('only shows what would be, for others', () => {
    const read = arrive(stranger, hop, { ...skipping, isForRecipients: false });
    assert.equal(read.fields, `X-MS-Exchange-SkipListedInternetSender: ${senders}${hop}`);
    assert.equal(read.originalSource?.isInScope, false);
  });

  test('takes no stranger’s word: his fields are gone, his Received are not read', () => {
    const client = { ...skipping, filtering: { ...filtering, skipLastIP: false } };
    const forged = `X-MS-Exchange-SkipListedInternetSender: ${senders}`;
    assert.equal(arrive(stranger, forged + hop, client).fields, hop);
    const other = { ...filtering, skipLastIP: false, skipIPs: ['192.0.2.0/24'] };
    const read = arrive(stranger, hop, { ...skipping, filtering: other });
    assert.equal(read.fields, hop);
    assert.equal(read.originalSource, null);
  });
});

test('whoever brings it, no field that a stranger could forge is there twice or survives', () => {
  const name = fc.constantFrom(
    'X-MS-Exchange-Organization-AuthAs',
    'X-MS-Exchange-CrossPremises-AuthAs',
    'X-MS-EXCHANGE-CROSSPREMISES-AuthAs',
    'X-MS-Exchange-Forest-A',
    'Subject',
  );
  const end = fc.constantFrom(': Internal\r\n', ' : Internal\r\n', '\r\n : Internal\r\n');
  const field = fc.tuple(name, end).map(([n, e]) => n + e);
  const statement = { direction: 'Incoming', authAs: 'Anonymous' } as const;
  fc.assert(
    fc.property(fc.array(field, { maxLength: 6 }), fc.boolean(), (fields, isTrusted) => {
      const arrival = isTrusted ? otherSide : { ...stranger, statement };
      const text = arrive(arrival, `A: b\r\n${fields.join('')}`).fields.toLowerCase();
      const bare = text.replace(/\r\n[ \t]+/g, '');
      assert.equal(bare.split('organization-authas').length, 2);
      assert.ok(!bare.includes('x-ms-exchange-crosspremises') && !bare.includes('forest'));
      if (!isTrusted) assert.ok(bare.includes('organization-authas: anonymous'));
    }),
  );
});
