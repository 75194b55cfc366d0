/** What one session adds to the metrics. */
import type { Reply } from '../mail/reply.ts';
import type { RefusalReason } from './refusal-reason.ts';
import type { TransactionContext } from './transaction-start.ts';

export class SessionTally {
  readonly #listener: string;
  readonly #meter: TransactionContext['services']['meter'];
  #hasEnded = false;

  constructor({ settings, services }: TransactionContext) {
    this.#listener = settings.name;
    this.#meter = services.meter;
  }

  countOpened(): void {
    this.#meter.count('sessionsOpened', { listener: this.#listener });
  }

  /** `encryption` is the version of TLS, or `none`. */
  countAccepted(encryption: string): void {
    this.#meter.count('messagesAccepted', { listener: this.#listener, encryption });
  }

  /** A sender, a recipient or a content that was refused. */
  countRefused({ code }: Reply): void {
    this.#meter.count('mailRefused', { listener: this.#listener, code: String(code) });
  }

  /** A session that a bound ended, once; null is an ordinary end. */
  countEnd(reason: RefusalReason | null): void {
    if (reason === null || this.#hasEnded) return;
    this.#hasEnded = true;
    this.#meter.count('sessionsRefused', { listener: this.#listener, reason });
  }
}
