/**
 * Validates one outbound connector, in force or not, by the path of its mail and apart from live mail.
 *
 * For `app`. First every host at every address is examined up to RCPT, then the test message is sent as
 * any mail would be. It shares no pool, no plan, no queue and no memory with delivery.
 */
import type { Address, ReversePath } from '../../mail/address.ts';
import { formatAddress } from '../../mail/address.ts';
import type { OutboundConnector, Policy } from '../../policy/policy.ts';
import { asIfInForce, withConnector } from '../../policy/validation/cover.ts';
import { findingOf } from '../../policy/validation/findings.ts';
import type {
  Finding,
  HostVerdict,
  OnValidationStep,
  SeenCertificate,
  ValidationRun,
} from '../../policy/validation/run.ts';
import { summarizeRun } from '../../policy/validation/summary.ts';
import type { DeliveryServices } from '../services.ts';
import { examineHost } from './examine-host.ts';
import type { Examined, Place } from './examine-host.ts';
import { findPlaces } from './find-places.ts';
import { certificatesMax, impatientLimits, placesAtOnceMax, validationRunMs } from './limits.ts';
import { ValidationScene } from './scene.ts';
import { sendTestMessage } from './send-test-message.ts';
import type { SentMessage } from './send-test-message.ts';

/**
 * `policy` is the one that the connector is tried in, which may hold another of its name.
 * `message` null stops before DATA; then `subject` and `from` mean nothing. `recipients` may be empty:
 * then nothing beyond TLS is asked, and nothing is sent.
 */
export interface ValidationTask {
  readonly id: string;
  readonly policy: Policy;
  readonly organization: string;
  readonly connector: OutboundConnector;
  readonly isDraft: boolean;
  readonly recipients: readonly Address[];
  readonly reversePath: ReversePath;
  /** False: the recipients only say where mail would go, and nothing beyond TLS is asked. */
  readonly asksEnvelope: boolean;
  readonly message: TestMessage | null;
}

/** `content` is the whole message, ASCII with CRLF line ends. */
export interface TestMessage {
  readonly from: string;
  readonly subject: string;
  readonly content: Uint8Array;
}

/** A run under way. */
export interface RunningValidation {
  /** Never rejects. */
  readonly run: Promise<ValidationRun>;
  /** Ends it early; the run then says so. */
  readonly cut: () => void;
}

/** `services` are of this run alone: its own resolver and guard. */
export function startValidation(
  services: DeliveryServices,
  task: ValidationTask,
  onStep: OnValidationStep,
  runMs: number = validationRunMs,
): RunningValidation {
  const connector = asIfInForce(task.connector);
  const policy = withConnector(task.policy, task.organization, connector);
  const own = { ...services, policy: () => policy, limits: impatientLimits(services.limits) };
  const { reversePath, asksEnvelope } = task;
  const scene = new ValidationScene(own, { reversePath, asksEnvelope, runMs }, onStep);
  const run = validate(scene, policy, task).finally(() => scene.end());
  return { run, cut: () => scene.cut() };
}

async function validate(
  scene: ValidationScene,
  policy: Policy,
  task: ValidationTask,
): Promise<ValidationRun> {
  const startedAt = new Date(scene.now()).toISOString();
  const found = await findPlaces(scene, policy, task);
  const examined = await examineAll(scene, found.places);
  const sent = await sendWhereAccepted(scene, policy, task, examined);
  const hosts = [...found.refused, ...examined.map(({ verdict }) => verdict)];
  const findings = [
    ...found.findings,
    ...examined.flatMap((each) => each.findings),
    ...whyNoneWasReached(hosts),
    ...sent.findings,
    ...(scene.isOver() ? [findingOf('took-too-long', 'the run was cut before its end')] : []),
  ];
  const recorders = examined.flatMap((each) => each.recorders);
  return {
    formatVersion: 1,
    id: task.id,
    organization: task.organization,
    connector: task.connector.name,
    isDraft: task.isDraft,
    policyRevision: task.policy.revision,
    startedAt,
    endedAt: new Date(scene.now()).toISOString(),
    asked: askedOf(task),
    ...summarizeRun({ hosts, findings, messages: sent.steps }),
    findings,
    steps: [...found.steps, ...recorders.flatMap(({ steps }) => steps), ...sent.steps],
    hosts,
    transcripts: [...recorders.map((each) => each.transcript('check')), ...sent.transcripts],
    certificates: distinct(recorders.flatMap(({ certificates }) => certificates)),
  };
}

/** In the order of the places, a few at once. */
async function examineAll(
  scene: ValidationScene,
  places: readonly Place[],
): Promise<readonly Examined[]> {
  const examined: Examined[] = [];
  let next = 0;
  const worker = async (): Promise<void> => {
    while (next < places.length && !scene.isOver()) {
      const index = next++;
      examined[index] = await examineHost(scene, places[index]!);
    }
  };
  await Promise.all(Array.from({ length: placesAtOnceMax }, worker));
  return examined.filter((each) => each !== undefined);
}

const nothingSent: SentMessage = { steps: [], findings: [], transcripts: [] };

/** To those for whom some host would take it; nothing goes out where none would. */
async function sendWhereAccepted(
  scene: ValidationScene,
  policy: Policy,
  task: ValidationTask,
  examined: readonly Examined[],
): Promise<SentMessage> {
  const { organization, connector, message } = task;
  const accepted = new Set(examined.flatMap((each) => each.accepted.map(formatAddress)));
  const recipients = task.recipients.filter((each) => accepted.has(formatAddress(each)));
  if (message === null || recipients.length === 0 || scene.isOver()) return nothingSent;
  const { content } = message;
  return sendTestMessage(scene, { policy, organization, connector, recipients, content });
}

/** Hosts of a family that this machine does not have count only where there is no other. */
function whyNoneWasReached(hosts: readonly HostVerdict[]): readonly Finding[] {
  if (hosts.length === 0 || hosts.some(({ state }) => state !== 'skipped')) return [];
  return [findingOf('connection-failed', `no host can be reached: ${hosts[0]!.text}`)];
}

function askedOf(task: ValidationTask): ValidationRun['asked'] {
  const { recipients, reversePath, message } = task;
  const isBare = recipients.length === 0 || !task.asksEnvelope;
  return {
    scope: isBare ? 'connection' : message === null ? 'recipients' : 'message',
    recipients: recipients.map(formatAddress),
    reversePath: reversePath === null ? null : formatAddress(reversePath),
    from: isBare ? null : (message?.from ?? null),
    subject: isBare ? null : (message?.subject ?? null),
  };
}

function distinct(certificates: readonly SeenCertificate[]): readonly SeenCertificate[] {
  const byName = new Map(certificates.map((each) => [each.fingerprint256, each]));
  return [...byName.values()].slice(0, certificatesMax);
}
