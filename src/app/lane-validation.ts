/**
 * Validations in a lane: each with resolver, pool and bounds of its own, so that live mail neither helps
 * nor suffers. Only contexts of TLS and sets of anchors are those of live mail, as far as a draft brings no
 * others: they keep no sessions.
 */
import type { Config } from '../config/config.ts';
import { startValidation } from '../delivery/validate/validate.ts';
import type { DeliveryServices } from '../delivery/services.ts';
import { findOrganization } from '../policy/directory.ts';
import type { OutboundConnector, Policy } from '../policy/policy.ts';
import type { ValidationRun, ValidationStep } from '../policy/validation/run.ts';
import { Failure } from '../mail/failure.ts';
import { deliveryServices } from './lane-delivery.ts';
import type { Outbound } from './lane-delivery.ts';
import type { DnsEvents } from './lane-resolver.ts';
import type { Frame, InForce } from './lane-rooms.ts';
import { loadClientTls } from './lane-tls.ts';
import type { LaneValidation } from './messages.ts';

type Candidate = Outbound & Pick<InForce, 'policy'>;

/** Runs in one lane at once; the control process asks for fewer. */
const runsMax = 8;

export class LaneValidations {
  readonly #frame: Frame;
  readonly #cuts = new Set<() => void>();
  #running = 0;
  #isStopped = false;

  constructor(frame: Frame) {
    this.#frame = frame;
  }

  /** Throws a Failure where it cannot begin; a run that began never fails. */
  async run(asked: LaneValidation, tell: (step: ValidationStep) => void): Promise<ValidationRun> {
    if (this.#running >= runsMax) {
      throw new Failure('validation-busy', `${runsMax} validations run in this lane already`);
    }
    this.#running++;
    try {
      return await this.#run(asked, tell);
    } finally {
      this.#running--;
    }
  }

  /** Cuts what runs; each run then ends and says so. */
  stop(): void {
    this.#isStopped = true;
    for (const cut of this.#cuts) cut();
  }

  async #run(asked: LaneValidation, tell: (step: ValidationStep) => void): Promise<ValidationRun> {
    const inForce = this.#frame.inForce();
    const candidate = await this.#candidateOf(asked, inForce);
    const { policy } = candidate;
    const connector = findConnector(policy, asked);
    const resolver = await this.#frame.openResolver(candidate.config, quiet(candidate.config));
    const live = deliveryServices(this.#frame, candidate, resolver);
    const services: DeliveryServices = {
      ...live,
      guard: { ...live.guard, smartHostsSetBy: asked.smartHostsSetBy },
      takeInside: () => Promise.reject(new Error('a validation hands nothing over inside')),
    };
    const { id, organization, recipients, reversePath, asksEnvelope, message } = asked;
    const isDraft = asked.configuration !== null;
    const whom = { recipients, reversePath, asksEnvelope, message };
    const task = { id, policy, organization, connector, isDraft, ...whom };
    const { run, cut } = startValidation(services, task, tell);
    this.#cuts.add(cut);
    if (this.#isStopped) cut();
    try {
      return await run;
    } finally {
      this.#cuts.delete(cut);
      resolver.close();
    }
  }

  async #candidateOf({ configuration }: LaneValidation, inForce: InForce): Promise<Candidate> {
    if (configuration === null) return inForce;
    const { config, policy } = configuration;
    return { config, policy, tls: await loadClientTls(configuration, inForce.tls) };
  }
}

function findConnector(
  policy: Policy,
  { organization, connector }: LaneValidation,
): OutboundConnector {
  const found = findOrganization(policy, organization)?.outboundConnectors.find(
    ({ name }) => name === connector,
  );
  if (found !== undefined) return found;
  const text = `${organization} has no outbound connector "${connector}"`;
  throw new Failure('outbound-connector-unknown', text);
}

/** What fails here is told in the run; it is no outage of live mail. */
function quiet({ hostName }: Config): DnsEvents {
  return { hostName, began: () => undefined, ended: () => undefined };
}
