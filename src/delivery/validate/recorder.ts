/** Keeps what happens on one connection: steps with their times, the dialogue, the certificates. */
import { sanitizePeerText } from '../../mail/peer-text.ts';
import type { Evidence } from '../../policy/evidence.ts';
import type {
  AddressFamily,
  SeenCertificate,
  Transcript,
  ValidationState,
  ValidationStep,
  ValidationStepName,
} from '../../policy/validation/run.ts';
import { certificateFacts } from '../../tls/certificate-facts.ts';
import { toPem } from '../../tls/pem.ts';
import type { ConnectStep, ConnectWatch, WatchedPeer } from '../connect-watch.ts';
import { transcriptLinesMax } from './limits.ts';

/** `now` tells the time, `onStep` is told each step. */
export interface RecorderServices {
  now(): number;
  onStep(step: ValidationStep): void;
}

/** `recipient` where the step is about one. */
export interface Told {
  readonly step: ValidationStepName;
  readonly state: ValidationState;
  readonly text: string;
  readonly recipient?: string;
}

export class Recorder {
  readonly steps: ValidationStep[] = [];
  readonly certificates: SeenCertificate[] = [];
  /** Of a handshake that came about, whatever became of the session. */
  evidence: Evidence | null = null;
  /** Told with the steps that evidence brings, when it is there. */
  onEvidence: (evidence: Evidence) => void = () => undefined;
  readonly #services: RecorderServices;
  readonly #peer: WatchedPeer;
  readonly #family: AddressFamily;
  readonly #lines: string[] = [];
  readonly #partial = { C: '', S: '' };
  #beganAt: number;
  #begin = performance.now();

  constructor(services: RecorderServices, peer: WatchedPeer) {
    this.#services = services;
    this.#peer = peer;
    this.#family = familyOf(peer.address);
    this.#beganAt = services.now();
  }

  readonly watch: ConnectWatch = {
    onStep: (step, lines) => this.#onStep(step, lines),
    onTls: (evidence) => {
      this.evidence = evidence;
      const { protocol, cipher, group } = evidence.tls!;
      const text = `${protocol.replace('v', ' ')}, ${cipher}, ${group ?? 'group not told'}`;
      this.#note(`-- from here on under TLS: ${text} --`);
      this.tell({ step: 'handshake', state: 'succeeded', text });
      this.onEvidence(evidence);
    },
    onChain: (chain) => {
      for (const der of chain.certificates) {
        const { fingerprint256 } = certificateFacts(der);
        this.certificates.push({ fingerprint256, pem: toPem('CERTIFICATE', der) });
      }
    },
    tap: {
      onSent: (bytes) => this.#hear('C', bytes),
      onReceived: (bytes) => this.#hear('S', bytes),
    },
  };

  /** The time of the step is what has passed since the last one. */
  tell({ step, state, text, recipient }: Told): void {
    const now = performance.now();
    const told: ValidationStep = {
      kind: 'step',
      host: this.#peer.hostName,
      address: this.#peer.address,
      family: this.#family,
      recipient: recipient ?? null,
      step,
      state,
      startedAt: new Date(this.#beganAt).toISOString(),
      tookMs: roundMs(now - this.#begin),
      text: sanitizePeerText(text),
    };
    this.#begin = now;
    this.#beganAt = this.#services.now();
    this.steps.push(told);
    this.#services.onStep(told);
  }

  hasTold(step: ValidationStepName): boolean {
    return this.steps.some((each) => each.step === step);
  }

  transcript(purpose: Transcript['purpose']): Transcript {
    const { hostName, address, port } = this.#peer;
    const rest = (['C', 'S'] as const).flatMap((who) =>
      this.#partial[who] === '' ? [] : [`${who}: ${sanitizePeerText(this.#partial[who])}`],
    );
    return { host: hostName, address, port, purpose, lines: [...this.#lines, ...rest] };
  }

  /** A reply that is no success is the failure of its step; no reply is told by whoever sees the loss. */
  #onStep(step: ConnectStep, lines: readonly string[]): void {
    // Told with its evidence.
    if (step === 'handshake') return;
    const isRefused = lines.length > 0 && !lines[0]!.startsWith('2');
    const text = lines.length > 0 ? describeReply(lines) : wordsOf[step];
    this.tell({ step, state: isRefused ? 'failed' : 'succeeded', text });
  }

  #hear(who: 'C' | 'S', bytes: Buffer): void {
    const lines = (this.#partial[who] + bytes.toString('latin1')).split(/\r?\n/);
    // A line that never ends is cut, and what comes after it is not kept.
    this.#partial[who] = lines.pop()!.slice(0, 2048);
    for (const line of lines) this.#note(`${who}: ${line}`);
  }

  #note(line: string): void {
    if (this.#lines.length < transcriptLinesMax) this.#lines.push(sanitizePeerText(line));
    else if (this.#lines.length === transcriptLinesMax) this.#lines.push('-- more is not kept --');
  }
}

const wordsOf: Readonly<Record<ConnectStep, string>> = {
  connect: 'TCP connection established',
  banner: 'greeted',
  ehlo: 'EHLO accepted',
  starttls: 'STARTTLS offered and accepted',
  handshake: 'TLS established',
  'tls-ehlo': 'EHLO accepted',
};

/** The first line whole, of an EHLO reply then the keywords. */
function describeReply(lines: readonly string[]): string {
  const [first = '', ...rest] = lines.slice(0, 40);
  return [first, ...rest.map((line) => line.slice(4))].join(', ');
}

export function familyOf(address: string): AddressFamily {
  return address.includes(':') ? 'IPv6' : 'IPv4';
}

/** To tenths. */
export function roundMs(ms: number): number {
  return Math.round(ms * 10) / 10;
}
