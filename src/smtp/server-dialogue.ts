/**
 * The order of commands in a server session: what has been said so far, and what a command leads to.
 *
 * Knows the rules and writes nothing: each command gives one reaction, which the session carries out.
 * @see RFC 5321 §4.1.4, RFC 3207 §4, RFC 4954 §4, RFC 1870 §6, RFC 3030 §2 (CHUNKING),
 *   RFC 3461 §4 (DSN), RFC 6531 §3 (SMTPUTF8)
 */
import type { MailParameters } from '../mail/envelope.ts';
import type { Reply } from '../mail/reply.ts';
import type { Command, MailCommand, RcptCommand, RefusedLine } from './command.ts';
import { isHopelessChunk } from './content-reader.ts';
import type { AuthStep } from './server-auth.ts';
import { AuthExchange, authMechanisms } from './server-auth.ts';
import type { ServerContent } from './server-content.ts';
import type { AskingKind, ServerEvent, ServerSessionOptions } from './server-event.ts';
import { helloReply } from './server-hello.ts';
import { serverReplies } from './server-replies.ts';

/**
 * `say` answers, and with `hasReset` an open transaction is over; `refuse` answers and counts as an
 * error; `close` answers for the last time; after a `challenge` comes a line of AUTH; `ask` leaves
 * the answer to the driver; `content` reads the octets of a chunk.
 */
export type Reaction =
  | { readonly kind: 'say'; readonly reply: Reply; readonly hasReset: boolean }
  | { readonly kind: 'refuse' | 'close' | 'challenge'; readonly reply: Reply }
  | { readonly kind: 'ask'; readonly event: ServerEvent & { readonly kind: AskingKind } }
  | { readonly kind: 'content' };

/** Recipients beyond the limit that are only told so; further ones count as errors. */
const recipientsOvershootMax = 1000;

const foreignVerb = /^(?:GET|POST|PUT|HEAD|OPTIONS|CONNECT|DELETE|PATCH|PRI) /;

const readContent: Reaction = { kind: 'content' };
const askStartTls: Reaction = { kind: 'ask', event: { kind: 'starttls' } };
const askData: Reaction = { kind: 'ask', event: { kind: 'data' } };

export class ServerDialogue {
  readonly #options: ServerSessionOptions;
  readonly #content: ServerContent;
  #isUnderTls: boolean;
  #hello: string | null = null;
  #isExtended = false;
  #isAuthenticated = false;
  #auth: AuthExchange | null = null;
  /** Recipients accepted in the open transaction; null while none is open. */
  #recipients: number | null = null;
  #overshoot = 0;
  #hasSmtpUtf8 = false;

  constructor(options: ServerSessionOptions, content: ServerContent) {
    this.#options = options;
    this.#content = content;
    this.#isUnderTls = options.isUnderTls;
  }

  /** The name of the last EHLO or HELO; null before, and again after STARTTLS. */
  get hello(): string | null {
    return this.#hello;
  }

  /** Whether the client said EHLO. */
  get isExtended(): boolean {
    return this.#isExtended;
  }

  get isInTransaction(): boolean {
    return this.#recipients !== null;
  }

  /** Whether the open transaction, or the MAIL that is being judged, declared SMTPUTF8. */
  get hasSmtpUtf8(): boolean {
    return this.#hasSmtpUtf8;
  }

  take(command: Command): Reaction {
    switch (command.kind) {
      case 'ehlo':
      case 'helo':
        return this.#greet(command.kind === 'ehlo', command.name);
      case 'mail':
        return this.#mail(command);
      case 'rcpt':
        return this.#rcpt(command);
      case 'data':
        return this.#data();
      case 'bdat':
        return this.#bdat(command.sizeBytes, command.isLast);
      case 'rset':
        return say(serverReplies.ok, this.endTransaction());
      case 'noop':
        return say(serverReplies.ok);
      case 'help':
        return say(serverReplies.help);
      case 'vrfy':
        return say(serverReplies.verify);
      case 'expn':
        return refuse(serverReplies.expand);
      case 'starttls':
        return this.#startTls();
      case 'auth':
        return this.#authenticate(command.mechanism, command.initialResponse);
      case 'quit':
        return { kind: 'close', reply: serverReplies.bye };
    }
  }

  /** The client's line after a challenge. */
  proceedAuth(line: string): Reaction {
    return this.#react(this.#auth!.proceed(line));
  }

  cancelAuth(): void {
    this.#auth = null;
  }

  /** What the driver said to an event of ours, but to `data`, which is the content's matter. */
  noteAnswer(asked: AskingKind, isAccepted: boolean): void {
    if (asked === 'mail' && isAccepted) this.#recipients = 0;
    else if (asked === 'mail') this.#hasSmtpUtf8 = false;
    else if (asked === 'recipient' && isAccepted) this.#recipients! += 1;
    else if (asked === 'auth' && isAccepted) this.#isAuthenticated = true;
    else if (asked === 'content-end') this.endTransaction();
  }

  /** All that was said in clear is forgotten. True where a transaction was open. @see RFC 3207 §4.2 */
  restart(): boolean {
    this.#isUnderTls = true;
    this.#hello = null;
    this.#isExtended = false;
    this.#isAuthenticated = false;
    return this.endTransaction();
  }

  /** True where one was open. */
  endTransaction(): boolean {
    if (this.#recipients === null) return false;
    this.#recipients = null;
    this.#hasSmtpUtf8 = false;
    this.#overshoot = 0;
    this.#content.forget();
    return true;
  }

  #greet(isExtended: boolean, name: string): Reaction {
    this.#hello = name;
    this.#isExtended = isExtended;
    const hasReset = this.endTransaction();
    return say(helloReply(this.#options, isExtended, this.#isUnderTls), hasReset);
  }

  #mail({ reversePath, sizeBytes, bodyType, smtpUtf8, dsn }: MailCommand): Reaction {
    if (this.#hello === null) return refuse(serverReplies.helloFirst);
    if (this.#recipients !== null) return refuse(serverReplies.nestedMail);
    if (sizeBytes !== null && sizeBytes > this.#options.messageSizeBytesMax) {
      return say(serverReplies.declaredTooLarge);
    }
    this.#hasSmtpUtf8 = smtpUtf8;
    const parameters: MailParameters = {
      bodyType: bodyType ?? '7bit',
      ...(smtpUtf8 ? { smtpUtf8 } : {}),
      ...(dsn === null ? {} : { dsn }),
    };
    return { kind: 'ask', event: { kind: 'mail', reversePath, sizeBytes, parameters } };
  }

  #rcpt({ recipient, request, hasUtf8 }: RcptCommand): Reaction {
    if (this.#recipients === null) return refuse(serverReplies.mailFirst);
    if (this.#content.hasBegun) return refuse(serverReplies.contentBegun);
    if (hasUtf8 && !this.#hasSmtpUtf8) return refuse(serverReplies.undeclaredUtf8);
    if (this.#recipients >= this.#options.recipientsMax) {
      this.#overshoot++;
      const isAbuse = this.#overshoot > recipientsOvershootMax;
      const { tooManyRecipients } = serverReplies;
      return isAbuse ? refuse(tooManyRecipients) : say(tooManyRecipients);
    }
    return { kind: 'ask', event: { kind: 'recipient', recipient, request } };
  }

  #data(): Reaction {
    if (this.#recipients === null) return refuse(serverReplies.mailFirst);
    if (this.#recipients === 0) return say(serverReplies.noRecipients);
    return this.#content.hasBegun ? refuse(serverReplies.contentBegun) : askData;
  }

  /** The octets are consumed whatever the answer is: they are never commands. @see RFC 3030 §2 */
  #bdat(sizeBytes: number, isLast: boolean): Reaction {
    if (isHopelessChunk(sizeBytes, this.#options)) {
      return { kind: 'close', reply: serverReplies.chunkTooLarge };
    }
    const refusal = this.#refusalOfChunk(sizeBytes);
    this.#content.announceChunk(sizeBytes, isLast, refusal);
    return refusal === null && !this.#content.hasBegun ? askData : readContent;
  }

  #refusalOfChunk(sizeBytes: number): Reply | null {
    if (this.#recipients === null) return serverReplies.mailFirst;
    if (this.#recipients === 0) return serverReplies.noRecipients;
    const isTooLarge = this.#content.sizeBytes + sizeBytes > this.#options.messageSizeBytesMax;
    return isTooLarge ? serverReplies.tooLarge : null;
  }

  #startTls(): Reaction {
    if (this.#isUnderTls) return refuse(serverReplies.tlsAlready);
    if (!this.#options.offersStartTls) return refuse(serverReplies.tlsUnavailable);
    return this.#hello === null ? refuse(serverReplies.helloFirst) : askStartTls;
  }

  #authenticate(name: string, initialResponse: string | null): Reaction {
    if (!this.#options.offersAuth) return refuse(serverReplies.authUnavailable);
    if (!this.#isUnderTls) return refuse(serverReplies.authNeedsTls);
    if (this.#hello === null || !this.#isExtended) return refuse(serverReplies.helloFirst);
    if (this.#isAuthenticated) return refuse(serverReplies.authAlready);
    if (this.#recipients !== null) return refuse(serverReplies.authInTransaction);
    const mechanism = authMechanisms.find((known) => known === name);
    if (mechanism === undefined) return refuse(serverReplies.authMechanism);
    this.#auth = new AuthExchange(mechanism);
    return this.#react(this.#auth.start(initialResponse));
  }

  #react(step: AuthStep): Reaction {
    if (step.kind === 'challenge') return step;
    const { mechanism } = this.#auth!;
    this.#auth = null;
    if (step.kind === 'refused') return refuse(step.reply);
    const { username, password } = step;
    return { kind: 'ask', event: { kind: 'auth', mechanism, username, password } };
  }
}

/** To a line that is no command of ours. */
export function reactToRefused({ kind, reply }: RefusedLine, line: string): Reaction {
  if (kind === 'unframed') return { kind: 'close', reply };
  if (kind === 'unknown' && foreignVerb.test(line)) {
    return { kind: 'close', reply: serverReplies.wrongProtocol };
  }
  return refuse(reply);
}

function say(reply: Reply, hasReset = false): Reaction {
  return { kind: 'say', reply, hasReset };
}

function refuse(reply: Reply): Reaction {
  return { kind: 'refuse', reply };
}
