/**
 * The server's side of AUTH PLAIN and AUTH LOGIN: challenges out, credentials in.
 *
 * Knows no password: the session hands the credentials on. Only used under TLS.
 * @see RFC 4954 §4, RFC 4616 §2 (PLAIN); LOGIN is draft-murchison-sasl-login
 */
import { isUtf8 } from 'node:buffer';
import type { Reply } from '../mail/reply.ts';
import { reply } from '../mail/reply.ts';

/** The mechanisms on offer, in the order of the EHLO reply. */
export const authMechanisms = ['PLAIN', 'LOGIN'] as const;

export type AuthMechanism = (typeof authMechanisms)[number];

/** `refused` ends the exchange with this reply. */
export type AuthStep =
  | { readonly kind: 'challenge'; readonly reply: Reply }
  | { readonly kind: 'credentials'; readonly username: string; readonly password: string }
  | { readonly kind: 'refused'; readonly reply: Reply };

const emptyChallenge = reply(334, null, '');
const usernameChallenge = reply(334, null, 'VXNlcm5hbWU6');
const passwordChallenge = reply(334, null, 'UGFzc3dvcmQ6');
const cancelled = reply(501, '5.7.0', 'authentication cancelled');
const notBase64 = reply(501, '5.5.2', 'the response is not base64 of UTF-8 text');
const notPlain = reply(501, '5.5.2', 'the response is not that of AUTH PLAIN');
const otherIdentity = reply(535, '5.7.8', 'an account cannot act for another');

const base64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/;

/** One exchange, from the AUTH command to the credentials. */
export class AuthExchange {
  readonly #mechanism: AuthMechanism;
  #username: string | null = null;

  constructor(mechanism: AuthMechanism) {
    this.#mechanism = mechanism;
  }

  get mechanism(): AuthMechanism {
    return this.#mechanism;
  }

  /** `initialResponse` as in the command: null for none, `=` for an empty one. */
  start(initialResponse: string | null): AuthStep {
    if (initialResponse !== null) {
      return this.#take(initialResponse === '=' ? '' : initialResponse);
    }
    const challenge = this.#mechanism === 'PLAIN' ? emptyChallenge : usernameChallenge;
    return { kind: 'challenge', reply: challenge };
  }

  /** The client's line after a challenge, without CRLF. */
  proceed(line: string): AuthStep {
    return line === '*' ? { kind: 'refused', reply: cancelled } : this.#take(line);
  }

  #take(response: string): AuthStep {
    if (!base64.test(response)) return { kind: 'refused', reply: notBase64 };
    const bytes = Buffer.from(response, 'base64');
    if (!isUtf8(bytes)) return { kind: 'refused', reply: notBase64 };
    const text = bytes.toString('utf8');
    if (this.#mechanism === 'PLAIN') return readPlain(text);
    if (text.includes('\0')) return { kind: 'refused', reply: notBase64 };
    if (this.#username === null) {
      this.#username = text;
      return { kind: 'challenge', reply: passwordChallenge };
    }
    return { kind: 'credentials', username: this.#username, password: text };
  }
}

function readPlain(text: string): AuthStep {
  const parts = text.split('\0');
  const [authorization, username, password] = parts;
  if (parts.length !== 3 || !username || password === undefined) {
    return { kind: 'refused', reply: notPlain };
  }
  if (authorization !== '' && authorization !== username) {
    return { kind: 'refused', reply: otherIdentity };
  }
  return { kind: 'credentials', username, password };
}
