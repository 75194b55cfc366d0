/**
 * Writes the audit log: who, what, when. What fails in floods is counted, so that nobody can fill the
 * disk by signing in wrongly.
 */
import type { Actor } from '../../identity/actor.ts';
import { sanitizePeerText } from '../../mail/peer-text.ts';
import type { AuditActor, AuditEvent } from '../../report/audit-chain.ts';
import type { AuditLog } from '../../store/control/audit.ts';

/** What happened, without who and when. */
export interface Happening {
  readonly action: string;
  readonly organization?: string | null;
  readonly object?: AuditEvent['object'];
  readonly reason?: string | null;
  readonly before?: unknown;
  readonly after?: unknown;
}

/** Attempts that are written one by one in a minute, at most. */
const attemptsMax = 100;
const attemptsPerMs = 60_000;

export class AuditBook {
  readonly #log: AuditLog;
  readonly #nowMs: () => number;
  #minuteAtMs = Number.NEGATIVE_INFINITY;
  #written = 0;
  #leftOut = 0;

  constructor(log: AuditLog, nowMs: () => number) {
    this.#log = log;
    this.#nowMs = nowMs;
  }

  /** Within the transaction of the change, where there is one. */
  note(who: AuditActor, what: Happening): void {
    const { action, organization = null, object = null, reason = null } = what;
    this.#log.append({
      at: new Date(this.#nowMs()).toISOString(),
      actor: who,
      action,
      organization,
      object: object === null ? null : { ...object, name: sanitizePeerText(object.name) },
      reason: reason === null ? null : sanitizePeerText(reason),
      ...('before' in what ? { before: what.before } : {}),
      ...('after' in what ? { after: what.after } : {}),
    });
  }

  /** What anybody can bring about who is not signed in. */
  noteAttempt(who: AuditActor, what: Happening): void {
    const nowMs = this.#nowMs();
    if (Math.abs(nowMs - this.#minuteAtMs) >= attemptsPerMs) this.#beginMinute(nowMs);
    if (this.#written >= attemptsMax) {
      this.#leftOut++;
      return;
    }
    this.#written++;
    this.note(who, what);
  }

  /** Says what was counted and not yet said; for the end, and for whoever looks. */
  flush(): void {
    if (this.#leftOut === 0) return;
    const leftOut = this.#leftOut;
    this.#leftOut = 0;
    this.note(auditGateway, { action: 'sign-in.attempts-left-out', after: { attempts: leftOut } });
  }

  #beginMinute(nowMs: number): void {
    this.flush();
    this.#minuteAtMs = nowMs;
    this.#written = 0;
  }
}

/** What the gateway does by itself, or because of a signal or its own start. */
export const auditGateway: AuditActor = {
  kind: 'gateway',
  person: null,
  credential: null,
  address: null,
};

/** Whoever asks without having signed in. */
export function nobodyAt(address: string | null): AuditActor {
  return { kind: 'nobody', person: null, credential: null, address };
}

export function auditActor({ kind, person, credential, address }: Actor): AuditActor {
  return { kind, person: person?.name ?? null, credential, address };
}
