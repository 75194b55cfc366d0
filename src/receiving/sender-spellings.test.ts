/** Spellings of a MAIL FROM by which a client might slip past the connector for that sender. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import {
  address,
  inboundConnector,
  noon,
  patterns,
  policy,
  serverEvidence,
} from '../../test/support/policy.ts';
import { judgeRecipient } from '../policy/judge-recipient.ts';
import { parseCommand } from '../smtp/command.ts';

const partner = inboundConnector('partner', {
  senderDomains: patterns('partner.test'),
  restrictDomainsToCertificate: true,
  tlsSenderCertificateNames: patterns('mx.partner.test'),
});
const clock = { nowMs: noon, firstRefusedAtMs: () => null };

describe('spellings of MAIL FROM', () => {
  const value = policy({ inboundConnectors: [partner] });

  for (const path of [
    'a@PARTNER.TEST',
    'a@partner.test.',
    '"a@else.test"@partner.test',
    '"a> <b"@partner.test',
    '""@partner.test',
    '@else.test,@more.test:a@partner.test',
  ]) {
    it(`<${path}> is the partner's`, () => {
      const command = parseCommand(`MAIL FROM:<${path}>`);
      assert(command.kind === 'mail', JSON.stringify(command));
      const session = {
        listener: 'mx',
        clientAddress: '203.0.113.9',
        heloName: 'mail.stranger.test',
        evidence: serverEvidence({ chain: [], paths: [] }),
        account: null,
        reversePath: command.reversePath,
      } as const;
      const decision = judgeRecipient(value, session, address('user@example.test'), clock);
      assert(decision.kind === 'refuse');
      assert.equal(decision.connector, 'partner');
    });
  }

  for (const path of [
    'a@part\u00adner.test',
    'a@ｐartner.test',
    'a@partner.test\0.else.test',
    'a@partner.test@',
    ' ',
    'a@partner..test',
    'a@.partner.test',
    'partner.test',
  ]) {
    it(`${JSON.stringify(path)} is no sender at all`, () => {
      assert.equal(parseCommand(`MAIL FROM:<${path}>`).kind, 'malformed');
    });
  }
});
