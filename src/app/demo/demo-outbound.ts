/** Mail to each partner under each TLS setting, through the running gateway. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { ApiClient } from '../../api/client.ts';
import { Failure } from '../../mail/failure.ts';
import type { AttemptEvent } from '../../report/trace-event.ts';
import type { TlsSetting } from './demo-configuration.ts';
import { demoSender, domainFor, tlsSettings } from './demo-configuration.ts';
import type { DemoPartner } from './demo-partners.ts';
import type { DemoRow } from './demo-row.ts';
import { describeSeen, isEncrypted } from './demo-row.ts';

const attemptWithinMs = 10_000;

/** In the order of the partners, then of the settings. */
export async function sendToPartners(
  api: ApiClient,
  partners: readonly DemoPartner[],
): Promise<readonly DemoRow[]> {
  const sent: Sent[] = [];
  for (const partner of partners) {
    // One after the other: the API takes few at once.
    for (const setting of tlsSettings) sent.push(await sendTo(api, partner, setting));
  }
  return Promise.all(sent.map((each) => rowOf(api, each)));
}

interface Sent {
  readonly id: string;
  readonly address: string;
  readonly partner: DemoPartner;
  readonly setting: TlsSetting;
}

/** Stands in the content of every message, so that it can be looked for in what came in clear. */
export function markOf(recipient: string): string {
  return `confidential for ${recipient}`;
}

async function sendTo(api: ApiClient, partner: DemoPartner, setting: TlsSetting): Promise<Sent> {
  const address = `clerk@${domainFor(setting, partner)}`;
  const content = [
    `From: ${demoSender}`,
    `To: ${address}`,
    'Subject: Demo',
    `Date: ${new Date().toUTCString().replace('GMT', '+0000')}`,
    '',
    markOf(address),
    '',
  ].join('\r\n');
  const { id } = await api.submit({
    from: demoSender,
    to: [address],
    content: Buffer.from(content).toString('base64'),
  });
  return { id, address, partner, setting };
}

async function rowOf(api: ApiClient, { id, address, partner, setting }: Sent): Promise<DemoRow> {
  const attempt = await firstAttempt(api, id);
  const route = attempt.routes[0]!;
  const outcome = route.outcomes[0]!;
  const evidence = route.candidates.at(-1)?.evidence ?? null;
  return {
    direction: 'outbound',
    partner: partner.name,
    address,
    requirement: setting,
    isForced: setting !== 'Opportunistic',
    evidence: describeSeen(evidence),
    outcome: outcome.kind === 'delivered' ? 'delivered' : 'waits',
    isEncrypted: isEncrypted(evidence),
    reason: outcome.reason,
  };
}

async function firstAttempt(api: ApiClient, id: string): Promise<AttemptEvent> {
  const end = Date.now() + attemptWithinMs;
  while (Date.now() < end) {
    const { events } = await api.readTrace(id);
    const attempt = events.find((event) => event.kind === 'attempt');
    if (attempt !== undefined) return attempt;
    await sleep(50);
  }
  throw new Failure('lane-unavailable', `message ${id} of the demo was not tried in time`);
}
