/**
 * What choosing costs with few and with many connectors and rules: microseconds per decision, as the
 * ratio of many to few in the same run.
 *
 *     node benchmarks/connectors.ts [--many 5000] [--decisions 20000]
 */
import { parseArgs } from 'node:util';
import { address, clearSession, inboundConnector, noon } from '../test/support/policy.ts';
import { outboundConnector, patterns, policy, serverEvidence } from '../test/support/policy.ts';
import { attributeSession } from '../src/policy/attribution.ts';
import { chooseOutbound } from '../src/policy/choose-outbound.ts';
import type { InboundSession } from '../src/policy/inbound-session.ts';
import { judgeRecipient } from '../src/policy/judge-recipient.ts';
import type { InboundConnector, Policy } from '../src/policy/policy.ts';

const { values } = parseArgs({
  options: {
    many: { type: 'string', default: '5000' },
    decisions: { type: 'string', default: '20000' },
  },
});
const many = Number(values.many);
const decisions = Number(values.decisions);

/** A third by sender domain, a third by address, a third own servers. */
function inboundOf(i: number): InboundConnector {
  const range = `10.${(i >> 8) & 255}.${i & 255}.0/24`;
  switch (i % 3) {
    case 0:
      return inboundConnector(`in-${i}`, {
        senderDomains: patterns(`p${i}.test`, `*.w${i}.test`),
        requireTls: true,
      });
    case 1:
      return inboundConnector(`in-${i}`, { requireTls: true, senderIPAddresses: [range] });
    default:
      return inboundConnector(`in-${i}`, {
        connectorType: 'OnPremises',
        senderIPAddresses: [range],
        tlsSenderCertificateNames: patterns(`*.own${i}.example.test`),
      });
  }
}

function policyOf(count: number): Policy {
  const numbers = Array.from({ length: count }, (_, i) => i);
  return policy({
    inboundConnectors: numbers.map(inboundOf),
    outboundConnectors: numbers.map((i) =>
      outboundConnector(`out-${i}`, {
        recipientDomains: patterns(`p${i}.test`, `*.w${i}.test`),
        tlsSettings: 'EncryptionOnly',
      }),
    ),
  });
}

const session: InboundSession = {
  listener: 'mx',
  clientAddress: '10.0.3.9',
  heloName: 'mx.test',
  evidence: serverEvidence(),
  account: null,
  reversePath: address('a@x.w3.test'),
};
const clock = { nowMs: noon, firstRefusedAtMs: () => null };
const recipient = address('user@example.test');

const works: Readonly<Record<string, (value: Policy, i: number) => unknown>> = {
  'outbound choice': (value, i) => chooseOutbound(value, 'org', address(`a@x.w${i % 10}.test`)),
  'inbound verdict, TLS': (value) => judgeRecipient(value, { ...session }, recipient, clock),
  'inbound verdict, clear': (value) =>
    judgeRecipient(value, { ...session, evidence: clearSession() }, recipient, clock),
  attribution: (value) => attributeSession(value, { ...session }, noon),
};

/** The median of five, in microseconds; the indexes were built before. */
function measure(work: (value: Policy, i: number) => unknown, value: Policy): number {
  work(value, 0);
  const times = Array.from({ length: 5 }, () => {
    const from = performance.now();
    for (let i = 0; i < decisions; i++) work(value, i);
    return ((performance.now() - from) * 1000) / decisions;
  });
  return times.toSorted((a, b) => a - b)[2]!;
}

const [few, lots] = [policyOf(10), policyOf(many)];
for (const [name, work] of Object.entries(works)) {
  // By turns, so that a noisy moment hits both.
  measure(work, few);
  const small = measure(work, few);
  const large = measure(work, lots);
  const ratio = (large / small).toFixed(2);
  console.log(
    `${name}: ${small.toFixed(2)} µs with 10, ${large.toFixed(2)} µs with ${many}: ${ratio}`,
  );
}
