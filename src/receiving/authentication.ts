/**
 * The sign-in of one session: what AUTH is answered with, and when it was tried too often.
 *
 * @see RFC 4954 §4, §6
 */
import { setTimeout as delay } from 'node:timers/promises';
import { sanitizePeerText } from '../mail/peer-text.ts';
import type { Reply } from '../mail/reply.ts';
import { reply } from '../mail/reply.ts';
import type { Account } from './services.ts';
import type { SessionName } from './session-peer.ts';
import type { TransactionContext } from './transaction-start.ts';

/** `account` null where nobody was signed in; after `isGuessing` the session is over. */
export interface SignIn {
  readonly reply: Reply;
  readonly account: Account | null;
  readonly isGuessing: boolean;
}

const signedIn = reply(235, '2.7.0', 'authentication successful');
const failed: SignIn = {
  reply: reply(535, '5.7.8', 'authentication unsuccessful'),
  account: null,
  isGuessing: false,
};
const unavailable: SignIn = {
  reply: reply(454, '4.7.0', 'authentication is not possible now, try again later'),
  account: null,
  isGuessing: false,
};
const tooManyFailures: SignIn = {
  reply: reply(421, '4.7.0', 'too many failed authentications, closing'),
  account: null,
  isGuessing: true,
};
const tooManyFromAddress: SignIn = {
  reply: reply(421, '4.7.0', 'too many failed authentications from your address, closing'),
  account: null,
  isGuessing: true,
};

export class Authentication {
  readonly #context: TransactionContext;
  readonly #name: SessionName;
  readonly #key: string;
  #failures = 0;

  /** `key` is that of the client's address. */
  constructor(context: TransactionContext, name: SessionName, key: string) {
    this.#context = context;
    this.#name = name;
    this.#key = key;
  }

  /** A failure is answered late, so that guessing takes long. Never rejects. */
  async signIn(username: string, password: string): Promise<SignIn> {
    const { services, settings } = this.#context;
    const { log, clients } = services;
    if (!clients.mayAuthenticate(this.#key)) {
      log.warn(this.#name, 'authentication refused: too many failures from the address');
      return tooManyFromAddress;
    }
    let account: Account | null;
    try {
      account = await services.authenticate(username, password);
    } catch (error) {
      log.warn({ err: error }, 'authentication not possible');
      return unavailable;
    }
    if (account !== null) return { reply: signedIn, account, isGuessing: false };
    this.#failures++;
    clients.recordAuthFailure(this.#key);
    log.warn({ ...this.#name, account: sanitizePeerText(username) }, 'authentication failed');
    await delay(settings.limits.authFailureDelayMs);
    return this.#failures >= settings.limits.authFailuresMax ? tooManyFailures : failed;
  }
}
