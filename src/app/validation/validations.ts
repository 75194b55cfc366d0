/**
 * Validations as the control process runs them: ordered, checked, run in a lane, kept, compared with what
 * was before.
 */
import { randomUUID } from 'node:crypto';
import { formatAddress } from '../../mail/address.ts';
import { Failure } from '../../mail/failure.ts';
import type { OutboundConnector, Policy } from '../../policy/policy.ts';
import { alarmsAfter } from '../../policy/validation/alarms-after.ts';
import type { Alarm } from '../../policy/validation/alarms-after.ts';
import type { ValidationRun, ValidationStep } from '../../policy/validation/run.ts';
import { wayOf } from '../../policy/validation/way.ts';
import { validationRunMs } from '../../delivery/validate/limits.ts';
import type { Log } from '../../report/log.ts';
import type { OpenAlarms } from '../../store/control/open-alarms.ts';
import type {
  ConnectorKey,
  RunSummary,
  ValidationRuns,
} from '../../store/control/validation-runs.ts';
import type { Configuration } from '../configuration.ts';
import { forLanes } from '../configuration.ts';
import type { LaneProcess } from '../lane-process.ts';
import type { LaneValidation } from '../messages.ts';
import { Admission } from './admission.ts';
import type { LoadCandidate } from './draft.ts';
import { loadDraft } from './draft.ts';
import type { ValidationOrder } from './order.ts';
import { findConnector, recipientsOf, senderOf } from './order.ts';
import { composeTestMessage, defaultSubject } from './test-message.ts';

export interface ValidationParts {
  readonly lanes: readonly Pick<LaneProcess, 'ask'>[];
  readonly inForce: () => Configuration;
  readonly load: LoadCandidate;
  readonly runs: ValidationRuns;
  readonly alarms: OpenAlarms;
  readonly log: Log;
}

/** A run that was begun. `watch` is told the steps from the first one on. */
export interface StartedValidation {
  readonly id: string;
  readonly watch: (onStep: (step: ValidationStep) => void) => void;
  /** Rejects with a Failure where the lane is lost or what it found cannot be kept. */
  readonly run: Promise<ValidationRun>;
}

/** Whether what is in force was validated as it is, when, and with which addresses. */
export interface ValidationStanding {
  readonly isValidated: boolean;
  readonly lastValidationTimestamp: string | null;
  readonly validationRecipients: readonly string[];
}

/** A lane that does not answer is given up a little later than its own limit. */
const answerWithinMs = validationRunMs + 30_000;

export class Validations {
  readonly #parts: ValidationParts;
  readonly #admission = new Admission(() => performance.now());
  #next = 0;

  constructor(parts: ValidationParts) {
    this.#parts = parts;
  }

  /** Throws a Failure where it is refused; then nothing was dialled. */
  async start(order: ValidationOrder): Promise<StartedValidation> {
    const inForce = this.#parts.inForce();
    if (order.draft === null) this.connectorOf(order);
    const release = this.#admission.admit(order);
    try {
      const prepared = await this.#prepare(inForce, order);
      return this.#begin(order, prepared, release);
    } catch (error) {
      release();
      throw error;
    }
  }

  list(
    key: ConnectorKey,
    page: { readonly before: string | null; readonly limit: number },
  ): readonly RunSummary[] {
    return this.#parts.runs.list(key, page);
  }

  /** Throws `validation-unknown`. */
  read(key: ConnectorKey, id: string): ValidationRun {
    const run = this.#parts.runs.read(key, id);
    if (run !== null) return run;
    throw new Failure('validation-unknown', `there is no validation ${id} of "${key.connector}"`);
  }

  alarms(organization: string | null): readonly Alarm[] {
    return this.#parts.alarms.list(organization);
  }

  /** The one in force. Throws `outbound-connector-unknown`. */
  connectorOf(key: ConnectorKey): OutboundConnector {
    const found = findConnector(this.#parts.inForce().policy, key);
    if (found !== null) return found;
    const text = `${key.organization} has no outbound connector "${key.connector}"`;
    throw new Failure('outbound-connector-unknown', text);
  }

  /**
   * Another routing, TLS or names than what was validated clears it. What another system recorded counts
   * until the gateway has tried the connector itself.
   */
  standingOf(key: ConnectorKey): ValidationStanding {
    const connector = this.connectorOf(key);
    const { isValidated, lastValidationTimestamp, validationRecipients } = connector.validation;
    const newest = this.#parts.runs.newestOfWay(key, wayOf(connector));
    const addresses = validationRecipients.map(formatAddress);
    if (newest === null) {
      const recorded = this.#parts.runs.hasAsked(key)
        ? { isValidated: false, lastValidationTimestamp: null }
        : { isValidated, lastValidationTimestamp };
      return { ...recorded, validationRecipients: addresses };
    }
    return {
      isValidated: newest.result === 'succeeded',
      lastValidationTimestamp: newest.endedAt,
      validationRecipients: addresses.length > 0 ? addresses : newest.recipients,
    };
  }

  /** Ends alarms about connectors that are no more, or off: nothing of theirs concerns mail. */
  forgetGone(policy: Policy): void {
    const { alarms } = this.#parts;
    const named = new Set(
      policy.organizations.flatMap(({ id, outboundConnectors }) =>
        outboundConnectors
          .filter(({ enabled }) => enabled)
          .map(({ name }) => `${id}\noutbound-connector/${name}`),
      ),
    );
    for (const { code, organization, object } of alarms.list(null)) {
      const isOfConnector = object.startsWith('outbound-connector/');
      if (!isOfConnector || named.has(`${organization}\n${object}`)) continue;
      alarms.apply(organization, { kind: 'clear', code, object });
    }
  }

  async #prepare(inForce: Configuration, order: ValidationOrder): Promise<PreparedRun> {
    const { draft, organization, connector: name } = order;
    const candidate =
      draft === null ? inForce : await loadDraft(this.#parts.load, inForce, { ...order, draft });
    const { policy } = candidate;
    const connector = findConnector(policy, order);
    if (connector === null) {
      const text = `${organization} is no organization of this gateway`;
      throw new Failure('outbound-connector-unknown', text);
    }
    const id = randomUUID();
    const recipients = recipientsOf(order, connector);
    const asked: LaneValidation = {
      id,
      organization,
      connector: name,
      configuration: draft === null ? null : forLanes(candidate),
      smartHostsSetBy: hasRouteInForce(inForce.policy, order, connector)
        ? 'gateway'
        : 'organization',
      recipients,
      reversePath: order.reversePath,
      asksEnvelope: order.stopBefore !== 'mail',
      message: messageOf(policy, order, { id, recipients }),
    };
    if (asked.message !== null) this.#admission.admitMessage(organization, recipients.length);
    return { asked, way: wayOf(connector), policyRevision: policy.revision };
  }

  #begin(
    order: ValidationOrder,
    { asked, way, policyRevision }: PreparedRun,
    release: () => void,
  ): StartedValidation {
    const steps: ValidationStep[] = [];
    const watchers: ((step: ValidationStep) => void)[] = [];
    const onEvent = (step: ValidationStep): void => {
      steps.push(step);
      for (const watcher of watchers) watcher(step);
    };
    const { lanes } = this.#parts;
    const lane = lanes[this.#next++ % lanes.length];
    if (lane === undefined) throw new Failure('lane-unavailable', 'no lane runs');
    const run = lane
      .ask('validate', asked, { timeoutMs: answerWithinMs, onEvent })
      .then((result) => {
        if (order.stopBefore === 'mail') return result;
        const isAsPrepared = result.policyRevision === policyRevision;
        return this.#keep(order, result, isAsPrepared ? way : unknownWay);
      })
      .finally(release);
    // Whoever ordered it may be gone by then.
    run.catch((error: unknown) => {
      this.#parts.log.warn({ err: error, connector: asked.connector }, 'a validation was lost');
    });
    const watch = (onStep: (step: ValidationStep) => void): void => {
      for (const step of steps) onStep(step);
      watchers.push(onStep);
    };
    return { id: asked.id, watch, run };
  }

  /** What cannot be kept is told all the same. */
  #keep(order: ValidationOrder, run: ValidationRun, way: string): ValidationRun {
    const { organization, connector, trigger } = order;
    const { result, summary, isDraft, id } = run;
    const fields = { organization, connector, result, isDraft, trigger, validation: id };
    this.#parts.log.info(fields, `connector validated: ${summary}`);
    try {
      this.#compare(order, run, way);
    } catch (error) {
      if (!(error instanceof Failure)) throw error;
      this.#parts.log.error({ ...fields, err: error }, 'the validation cannot be kept');
    }
    return run;
  }

  #compare({ trigger, orderedBy }: ValidationOrder, run: ValidationRun, way: string): void {
    const { runs, alarms, log } = this.#parts;
    const { organization, connector } = run;
    const before = runs.before({ organization, connector });
    runs.add({ run, way, trigger, orderedBy });
    for (const change of alarmsAfter(run, before, trigger)) {
      if (!alarms.apply(organization, change)) continue;
      const isOver = change.kind === 'clear';
      const code = isOver ? change.code : change.alarm.code;
      const fields = { organization, connector, alarm: code, validation: run.id };
      if (isOver) log.info(fields, 'an alarm is over');
      else log.warn(fields, change.alarm.text);
    }
  }
}

interface PreparedRun {
  readonly asked: LaneValidation;
  readonly way: string;
  /** Of the policy whose connector has that way. */
  readonly policyRevision: string;
}

/** Of a run that the lane made under another policy, which came meanwhile: it validates nothing known. */
const unknownWay = '';

/**
 * Whether the connector leads where the one in force leads: then mail goes there anyway. A draft that leads
 * elsewhere may have been written by anybody who may write drafts.
 */
function hasRouteInForce(
  policy: Policy,
  order: ValidationOrder,
  { route }: OutboundConnector,
): boolean {
  const inForce = findConnector(policy, order);
  return inForce !== null && JSON.stringify(inForce.route) === JSON.stringify(route);
}

/** Null where none is to be sent. */
function messageOf(
  policy: Policy,
  order: ValidationOrder,
  { id, recipients }: Pick<LaneValidation, 'id' | 'recipients'>,
): LaneValidation['message'] {
  const from = senderOf(policy, order);
  if (order.stopBefore !== null || recipients.length === 0) return null;
  const subject = order.subject ?? defaultSubject;
  const { connector } = order;
  const { hostName } = policy;
  const parts = { id, from, to: recipients, subject, connector, hostName, nowMs: Date.now() };
  return { from: formatAddress(from), subject, content: composeTestMessage(parts) };
}
