/** What somebody who looks after one organization is told of a hypothetical message. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  acceptedDomain,
  address,
  inboundConnector,
  organization,
} from '../../test/support/policy.ts';
import { explainQuestionSchema } from '../api/contract.ts';
import type { Policy } from '../policy/policy.ts';
import { explain, explainFor } from './explain.ts';

const ownServer = { connectorType: 'OnPremises', senderIPAddresses: ['203.0.113.9/32'] } as const;

function organizationOf(id: string, connector: string, at: string) {
  return organization({
    id,
    acceptedDomains: [acceptedDomain(`${id}.com`)],
    mailboxes: [{ account: 'user', addresses: [address(`user@${id}.com`)] }],
    inboundConnectors: [inboundConnector(connector, { ...ownServer, senderIPAddresses: [at] })],
  });
}

const policy: Policy = {
  formatVersion: 1,
  revision: '0',
  hostName: 'gateway.test',
  organizations: [
    organizationOf('contoso', 'own servers', '198.51.100.1/32'),
    organizationOf('fabrikam', 'secret plant', '203.0.113.9/32'),
  ],
};

function asking(from: string | null, to: string, clientAddress: string | null) {
  return explainQuestionSchema.parse({ from, to, clientAddress });
}

test("whose own server an address is, is told to nobody but its organization and the gateway's administrator", async () => {
  const question = asking('user@contoso.com', 'x@partner.test', '203.0.113.9');
  const whole = await explainFor(policy, question, null);
  assert.match(JSON.stringify(whole), /secret plant/, 'the case is one in which it would be told');
  await assert.rejects(explainFor(policy, question, ['contoso']), (error: Error) => {
    assert.equal((error as Error & { code: string }).code, 'api-not-permitted');
    return !/fabrikam|plant/.test(error.message);
  });
});

test('what concerns nobody else is explained as to the administrator of the gateway', async () => {
  for (const question of [
    asking('user@contoso.com', 'x@partner.test', null),
    asking('user@contoso.com', 'x@partner.test', '198.51.100.1'),
    asking('user@contoso.com', 'x@partner.test', '192.0.2.77'),
    asking('a@far.test', 'user@contoso.com', '203.0.113.9'),
    asking(null, 'nobody@contoso.com', null),
  ]) {
    const told = await explainFor(policy, question, ['contoso']);
    const whole = await explain(policy, question);
    assert.deepEqual(
      { ...told, inbound: told.inbound?.reply },
      { ...whole, inbound: whole.inbound?.reply },
    );
    assert.doesNotMatch(JSON.stringify(told), /fabrikam|plant/);
  }
});
