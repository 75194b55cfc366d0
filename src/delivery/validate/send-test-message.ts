/**
 * The test message, by a delivery room of its own: the attempt of any mail, with its plan, its pool, its
 * verdicts, and nothing shared with live mail.
 */
import type { Address } from '../../mail/address.ts';
import { formatAddress } from '../../mail/address.ts';
import { formatEnhancedStatus } from '../../mail/enhanced-status.ts';
import { sanitizePeerText } from '../../mail/peer-text.ts';
import type { Delivery } from '../../policy/delivery.ts';
import type { RecipientOutcome } from '../../policy/outcome.ts';
import type { OutboundConnector, Policy } from '../../policy/policy.ts';
import { routingTo } from '../../policy/validation/cover.ts';
import { findingOf } from '../../policy/validation/findings.ts';
import type { Finding, Transcript, ValidationStep } from '../../policy/validation/run.ts';
import { createDelivery } from '../delivery.ts';
import { familyOf, Recorder, roundMs } from './recorder.ts';
import type { ValidationScene } from './scene.ts';

export interface TestMessageTask {
  readonly policy: Policy;
  readonly organization: string;
  readonly connector: OutboundConnector;
  /** Never empty. */
  readonly recipients: readonly Address[];
  readonly content: Uint8Array;
}

export interface SentMessage {
  readonly steps: readonly ValidationStep[];
  readonly findings: readonly Finding[];
  readonly transcripts: readonly Transcript[];
}

/** Never rejects. */
export async function sendTestMessage(
  scene: ValidationScene,
  task: TestMessageTask,
): Promise<SentMessage> {
  const recorders: Recorder[] = [];
  const silent = { now: () => scene.now(), onStep: () => undefined };
  const room = createDelivery({
    ...scene.services,
    policy: () => task.policy,
    watch: (peer) => {
      const recorder = new Recorder(silent, peer);
      recorders.push(recorder);
      return recorder.watch;
    },
  });
  scene.onCut = () => void room.stop(0);
  const startedAtMs = scene.now();
  const begin = performance.now();
  try {
    const { routes } = await room.attempt(deliveryOf(scene, task));
    const took = { startedAtMs, tookMs: roundMs(performance.now() - begin) };
    const outcomes = routes.flatMap((route) => route.outcomes);
    const steps = outcomes.map((each) => stepOf(each, took));
    for (const step of steps) scene.onStep(step);
    return {
      steps,
      findings: outcomes.flatMap((each) => findingOfOutcome(each) ?? []),
      transcripts: recorders.map((recorder) => recorder.transcript('message')),
    };
  } finally {
    scene.onCut = () => undefined;
    await room.stop(0);
  }
}

function deliveryOf({ reversePath, services }: ValidationScene, task: TestMessageTask): Delivery {
  const { ruling } = routingTo(task.connector);
  return {
    id: 'VALIDATION',
    ordinal: 0,
    organization: task.organization,
    reversePath,
    recipients: task.recipients,
    bodyType: '7bit',
    content: { kind: 'memory', bytes: Buffer.from(task.content) },
    source: { kind: 'submission', account: 'validation' },
    ...(ruling === null ? {} : { ruling }),
    receivedAtMs: services.now(),
    floor: [],
    attempts: 0,
    failedTlsAtMs: [],
  };
}

function stepOf(
  { recipient, outcome }: RecipientOutcome,
  { startedAtMs, tookMs }: { readonly startedAtMs: number; readonly tookMs: number },
): ValidationStep {
  const { remoteMta, reply, reason } = outcome;
  const isDelivered = outcome.kind === 'delivered';
  const said = reply === null ? '' : `: ${reply.code} ${reply.lines.join(' / ')}`;
  const address = remoteMta?.address ?? null;
  return {
    kind: 'step',
    host: remoteMta?.hostName ?? null,
    address,
    family: address === null ? null : familyOf(address),
    recipient: formatAddress(recipient),
    step: 'message',
    state: isDelivered ? 'succeeded' : 'failed',
    startedAt: new Date(startedAtMs).toISOString(),
    tookMs,
    text: sanitizePeerText(isDelivered ? reason + said : reason),
  };
}

/** Null where it was accepted. */
function findingOfOutcome({ recipient, outcome }: RecipientOutcome): Finding | null {
  if (outcome.kind === 'delivered') return null;
  const { remoteMta, reason, status } = outcome;
  const cause = outcome.kind === 'bounced' ? 'message-refused' : 'message-deferred';
  return findingOf(cause, reason, {
    recipient: formatAddress(recipient),
    status: formatEnhancedStatus(status),
    ...(remoteMta === null ? {} : { host: remoteMta.hostName, address: remoteMta.address }),
  });
}
