/**
 * One host at one address, by the path that mail takes: dial, TLS, the verdict on the whole
 * requirement, and only under its permit MAIL and RCPT. Never content.
 */
import type { Address } from '../../mail/address.ts';
import { formatAddress } from '../../mail/address.ts';
import type { OutboundDecision } from '../../policy/decision.ts';
import type { Evidence } from '../../policy/evidence.ts';
import { judgeCertificateSteps } from '../../policy/validation/clause-steps.ts';
import { findingOf, findingOfRefusal, findingOfTrouble } from '../../policy/validation/findings.ts';
import type { Finding, HostVerdict, ValidationStepName } from '../../policy/validation/run.ts';
import type { TlsVerdict } from '../../policy/tls-verdict.ts';
import { judgeTls } from '../../policy/tls-verdict.ts';
import type { WireStage } from '../../policy/classify.ts';
import type { ClientSession } from '../../smtp/client-session.ts';
import { askAboutEnvelope } from '../../smtp/client-transaction.ts';
import type { RecipientResult } from '../../smtp/client-transaction.ts';
import { connect } from '../connect.ts';
import type { ConnectFailure, Target } from '../connect.ts';
import type { PlannedHost } from '../planned-host.ts';
import { troubleOf } from '../recipient-result.ts';
import { targetOf } from '../target.ts';
import { familyOf, Recorder } from './recorder.ts';
import type { ValidationScene } from './scene.ts';

/** Where to go, why, and whom to ask about; no recipients where only TLS is looked at. */
export interface Place {
  readonly host: PlannedHost;
  readonly address: string;
  readonly decision: OutboundDecision;
  readonly recipients: readonly Address[];
}

/** `accepted`: the recipients that this host would take mail for. */
export interface Examined {
  readonly verdict: HostVerdict;
  readonly findings: readonly Finding[];
  readonly accepted: readonly Address[];
  readonly recorders: readonly Recorder[];
}

/** Never rejects. */
export async function examineHost(scene: ValidationScene, place: Place): Promise<Examined> {
  const first = new Examination(scene, place, false);
  if (!(await first.isDeaf())) return first.examined();
  // As mail does: a middlebox that drops the large ClientHello gets a small one, on a new connection.
  const second = new Examination(scene, place, true);
  await second.isDeaf();
  const { recorders, ...examined } = second.examined();
  return { ...examined, recorders: [...first.examined().recorders, ...recorders] };
}

class Examination {
  readonly #scene: ValidationScene;
  readonly #place: Place;
  readonly #target: Target;
  readonly #recorder: Recorder;
  readonly #findings: Finding[] = [];
  readonly #accepted: Address[] = [];
  #met: readonly string[] = [];
  #evidence: Evidence | null = null;
  #isUnreachable = false;

  constructor(scene: ValidationScene, place: Place, smallClientHello: boolean) {
    const { host, address, decision } = place;
    const { requirement } = decision;
    this.#scene = scene;
    this.#place = place;
    this.#recorder = new Recorder(scene, { ...host, address });
    const target = targetOf({ decision, requirement, host, address, smallClientHello });
    this.#target = { ...target, watch: this.#recorder.watch };
    this.#recorder.onEvidence = (evidence) => {
      const steps = judgeCertificateSteps(requirement, evidence, scene.now());
      for (const step of steps) this.#recorder.tell(step);
    };
  }

  /** Does all there is to do, unless the server is deaf to a large ClientHello. */
  async isDeaf(): Promise<boolean> {
    const { services, underWay } = this.#scene;
    const result = await connect(services, this.#target, underWay);
    if (result.kind === 'connected') {
      await this.#onConnected(result.session, result.evidence);
    } else if (this.#mayTrySmall(result.failure)) {
      const text = 'no answer to a large (post-quantum) ClientHello; it is tried with a small one';
      this.#recorder.tell({ step: 'handshake', state: 'skipped', text });
      return true;
    } else {
      this.#onNotConnected(result.failure);
    }
    return false;
  }

  #mayTrySmall(failure: ConnectFailure): boolean {
    const { smallClientHello, postQuantum } = this.#target;
    const maySmall = !smallClientHello && postQuantum === 'prefer' && !this.#scene.isOver();
    return failure.kind === 'not-encrypted' && failure.isSilent && maySmall;
  }

  async #onConnected(session: ClientSession, evidence: Evidence): Promise<void> {
    const close = this.#scene.hold(session);
    try {
      this.#evidence = evidence;
      if (evidence.encryption === 'not-offered') this.#tellNoStartTls();
      const verdict = this.#judge(evidence);
      if (verdict.kind === 'proceed') await this.#ask(session, verdict);
    } finally {
      close();
    }
  }

  #tellNoStartTls(): void {
    const isForced = this.#place.decision.requirement.clauses.length > 0;
    const text = 'the server offers no STARTTLS';
    this.#recorder.tell(
      isForced
        ? { step: 'starttls', state: 'failed', text }
        : {
            step: 'starttls',
            state: 'skipped',
            text: `${text}; the connector demands no TLS, so mail goes in CLEAR TEXT`,
          },
    );
  }

  /** The verdict of mail itself. */
  #judge(evidence: Evidence): TlsVerdict {
    const { requirement } = this.#place.decision;
    const verdict = judgeTls(requirement, evidence, this.#scene.now(), null);
    if (verdict.kind === 'refuse') {
      this.#recorder.tell({ step: 'verdict', state: 'failed', text: verdict.reason });
      const failureCode = evidence.failure?.code ?? null;
      this.#findings.push(findingOfRefusal(verdict, failureCode, this.#about));
      return verdict;
    }
    this.#met = verdict.met;
    const text = verdict.met.length === 0 ? 'nothing is demanded' : verdict.met.join('; ');
    this.#recorder.tell({ step: 'verdict', state: 'succeeded', text });
    return verdict;
  }

  async #ask(
    session: ClientSession,
    { permit }: TlsVerdict & { readonly kind: 'proceed' },
  ): Promise<void> {
    const { recipients } = this.#place;
    if (!this.#scene.asksEnvelope) {
      const text = 'only TLS was to be looked at';
      this.#recorder.tell({ step: 'mail', state: 'skipped', text });
      return;
    }
    if (recipients.length === 0) {
      const text = 'no address to test with was given';
      this.#recorder.tell({ step: 'mail', state: 'skipped', text });
      return;
    }
    if (!session.mayBegin) {
      this.#fail(
        'mail',
        findingOf('connection-closed', 'the server closed the connection', this.#about),
      );
      return;
    }
    const { reversePath } = this.#scene;
    const envelope = { reversePath, recipients, bodyType: '7bit' } as const;
    const { recipients: results } = await askAboutEnvelope(session, permit, envelope);
    this.#onMailReply(results);
    for (const [i, result] of results.entries()) this.#onRecipientReply(recipients[i]!, result);
  }

  #onMailReply(results: readonly RecipientResult[]): void {
    const first = results[0]!;
    const isBeforeRcpt =
      first.kind === 'unsendable' || ('stage' in first && first.stage === 'mail');
    if (!isBeforeRcpt) {
      this.#recorder.tell({ step: 'mail', state: 'succeeded', text: 'the sender was accepted' });
      return;
    }
    this.#fail('mail', this.#findingOf(first));
  }

  #onRecipientReply(recipient: Address, result: RecipientResult): void {
    const text = formatAddress(recipient);
    if (result.kind === 'accepted') {
      this.#accepted.push(recipient);
      const reply = `${result.reply.code} ${result.reply.lines.join(' / ')}`;
      this.#recorder.tell({ step: 'rcpt', state: 'succeeded', text: reply, recipient: text });
      return;
    }
    const isAtRcpt = result.kind !== 'unsendable' && result.stage === 'rcpt';
    if (isAtRcpt) this.#fail('rcpt', { ...this.#findingOf(result), recipient: text });
  }

  #findingOf(result: Exclude<RecipientResult, { kind: 'accepted' }>): Finding {
    const isEncrypted = this.#evidence?.encryption === 'established';
    const { hostName, address, port } = this.#target;
    return findingOfTrouble(troubleOf(result, isEncrypted), { hostName, address, port });
  }

  #onNotConnected(failure: ConnectFailure): void {
    if (this.#scene.isOver()) {
      this.#fail(this.#nextStep(), findingOf('took-too-long', 'the run was cut', this.#about));
      return;
    }
    if (failure.kind === 'not-encrypted') {
      this.#evidence = failure.evidence;
      const text = failure.evidence.failure?.text ?? 'TLS did not come about';
      if (!this.#hasFailed())
        this.#recorder.tell({ step: this.#nextStep(), state: 'failed', text });
      this.#judge(failure.evidence);
      return;
    }
    const { trouble, isReached } = failure;
    const { hostName, address, port } = this.#target;
    if (!isReached && trouble.kind === 'connect' && this.#scene.isNoWay(trouble.code, address)) {
      this.#isUnreachable = true;
      const text = `this machine has no way to ${familyOf(address)} addresses (${trouble.code})`;
      this.#recorder.tell({ step: 'connect', state: 'skipped', text });
      return;
    }
    this.#evidence = this.#recorder.evidence;
    const finding = findingOfTrouble(trouble, { hostName, address, port });
    const step = 'stage' in trouble ? this.#stepOf(trouble.stage) : 'connect';
    if (this.#hasFailed()) this.#findings.push(finding);
    else this.#fail(step, finding);
  }

  #fail(step: ValidationStepName, finding: Finding): void {
    const { recipient, what } = finding;
    const about = recipient === null ? {} : { recipient };
    this.#recorder.tell({ step, state: 'failed', text: what, ...about });
    this.#findings.push(finding);
  }

  #hasFailed(): boolean {
    return this.#recorder.steps.some(({ state }) => state === 'failed');
  }

  #stepOf(stage: WireStage): ValidationStepName {
    if (stage === 'greeting') return 'banner';
    if (stage === 'ehlo') return this.#recorder.evidence === null ? 'ehlo' : 'tls-ehlo';
    return stage === 'connect' || stage === 'starttls' ? stage : 'mail';
  }

  /** What would have come next: there it ended. */
  #nextStep(): ValidationStepName {
    const { mode } = this.#target;
    const order: readonly ValidationStepName[] =
      mode === 'implicit'
        ? ['connect', 'handshake', 'banner', 'tls-ehlo']
        : ['connect', 'banner', 'ehlo', 'starttls', 'handshake', 'tls-ehlo'];
    return order.find((step) => !this.#recorder.hasTold(step)) ?? 'mail';
  }

  get #about(): { readonly host: string; readonly address: string } {
    return { host: this.#target.hostName, address: this.#target.address };
  }

  examined(): Examined {
    const { hostName, address, port } = this.#target;
    const evidence = this.#evidence ?? this.#recorder.evidence;
    const isWell = this.#findings.length === 0;
    const state = this.#isUnreachable ? 'skipped' : isWell ? 'succeeded' : 'failed';
    const last = this.#recorder.steps.findLast((step) => step.state !== 'succeeded');
    const held = this.#met.length === 0 ? 'nothing is demanded of it' : this.#met.join('; ');
    const text = state === 'succeeded' ? held : (this.#findings[0]?.what ?? last?.text ?? '');
    const verdict: HostVerdict = {
      host: hostName,
      address,
      family: familyOf(address),
      port,
      state,
      met: this.#met,
      text,
      evidence,
      chain: evidence?.tls?.chain.map(({ fingerprint256 }) => fingerprint256) ?? [],
    };
    return {
      verdict,
      findings: this.#findings,
      accepted: this.#accepted,
      recorders: [this.#recorder],
    };
  }
}
