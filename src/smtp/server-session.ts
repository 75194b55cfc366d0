/**
 * The server's side of an SMTP session, sans-IO: bytes in, events out, answers in, bytes out.
 *
 * Keeps the order of commands and the rules of the wire; who may send what is the driver's matter.
 * `feed` what arrives, ask `next` until it gives null, `answer` each event that wants it, and write
 * `takeOutput` when there is nothing more to do: under PIPELINING that is one write per flight.
 * @see RFC 5321 §4.1.4, RFC 2920 §3.2, RFC 3207 §4, RFC 4954 §4, RFC 1870 §6, RFC 6152 §2, RFC 2034 §4
 */
import type { Address, ReversePath } from '../mail/address.ts';
import type { BodyType } from '../mail/envelope.ts';
import type { Reply } from '../mail/reply.ts';
import { isPositive, reply } from '../mail/reply.ts';
import type { Command } from './command.ts';
import { parseCommand } from './command.ts';
import { ContentDecoder } from './content-decoder.ts';
import { formatReply } from './reply.ts';
import type { AuthMechanism, AuthStep } from './server-auth.ts';
import { AuthExchange, authMechanisms } from './server-auth.ts';
import { ServerInput, isTooLong } from './server-input.ts';
import { serverReplies } from './server-replies.ts';

export interface ServerSessionOptions {
  /** Our name in greeting and EHLO reply. */
  readonly hostName: string;
  /** From the first byte on: implicit TLS. */
  readonly isUnderTls: boolean;
  readonly offersStartTls: boolean;
  /** AUTH is announced and accepted under TLS only. */
  readonly offersAuth: boolean;
  /** Of the content as sent, dot-stuffing not counted. */
  readonly messageSizeBytesMax: number;
  readonly recipientsMax: number;
  /** Refused commands (syntax, sequence) until the session is closed. */
  readonly errorsMax: number;
  /** Commands other than RCPT and DATA since the last accepted content until it is closed. */
  readonly commandsMax: number;
}

/**
 * What the driver must act on. All but `content` and `reset` want an `answer` before `next` goes on:
 * `starttls` 220, then the handshake and `secured`; `auth` 235; `mail` and `recipient` 250; `data`
 * 354; `content-end` 250, or where there is a `problem` never a positive reply. Anything else refuses.
 * A `recipient` of null is the bare `<Postmaster>`. `content` shares memory with what was fed.
 */
export type ServerEvent =
  | { readonly kind: 'starttls' }
  | {
      readonly kind: 'auth';
      readonly mechanism: AuthMechanism;
      readonly username: string;
      readonly password: string;
    }
  | {
      readonly kind: 'mail';
      readonly reversePath: ReversePath;
      readonly sizeBytes: number | null;
      readonly bodyType: BodyType;
    }
  | { readonly kind: 'recipient'; readonly recipient: Address | null }
  | { readonly kind: 'data' }
  | { readonly kind: 'content'; readonly bytes: Buffer }
  | { readonly kind: 'content-end'; readonly sizeBytes: number; readonly problem: Reply | null }
  | { readonly kind: 'reset' };

type AskingKind = Exclude<ServerEvent['kind'], 'content' | 'reset'>;

type Phase = 'unready' | 'command' | 'auth' | 'waiting' | 'content' | 'upgrading' | 'closed';

/** Content beyond the size limit that is read and dropped, in multiples of the limit. */
const excessFactor = 2;
const foreignVerb = /^(?:GET|POST|PUT|HEAD|OPTIONS|CONNECT|DELETE|PATCH|PRI) /;
const startOfDialogue = { hello: null, isExtended: false, isAuthenticated: false };

export class ServerSession {
  readonly #options: ServerSessionOptions;
  readonly #input = new ServerInput();
  #phase: Phase = 'unready';
  #asked: AskingKind | null = null;
  #output = '';
  #isUnderTls: boolean;
  #dialogue: { hello: string | null; isExtended: boolean; isAuthenticated: boolean };
  /** Recipients accepted in the open transaction; null while none is open. */
  #recipients: number | null = null;
  #pending: ServerEvent | null = null;
  #auth: AuthExchange | null = null;
  #decoder: ContentDecoder | null = null;
  #contentBytes = 0;
  #contentProblem: Reply | null = null;
  #errors = 0;
  #commands = 0;
  #steps = 0;

  constructor(options: ServerSessionOptions) {
    this.#options = options;
    this.#isUnderTls = options.isUnderTls;
    this.#dialogue = { ...startOfDialogue };
  }

  /** The name of the last EHLO or HELO; null before, and again after STARTTLS. */
  get heloName(): string | null {
    return this.#dialogue.hello;
  }

  /** Whether the client said EHLO. */
  get isExtended(): boolean {
    return this.#dialogue.isExtended;
  }

  get isUnderTls(): boolean {
    return this.#isUnderTls;
  }

  /** Nothing more is read; what `takeOutput` holds is the last. */
  get isClosed(): boolean {
    return this.#phase === 'closed';
  }

  /** Whether MAIL was accepted and neither its content nor a reset ended it. */
  get isInTransaction(): boolean {
    return this.#recipients !== null;
  }

  get isInContent(): boolean {
    return this.#phase === 'content';
  }

  /** Rises with each line and each piece of content taken in; a standing number is a silent client. */
  get steps(): number {
    return this.#steps;
  }

  /** Bytes that wait to be taken in; the driver stops reading while an event is unanswered. */
  get bufferedBytes(): number {
    return this.#input.size;
  }

  /** Queues the greeting. What was fed before it closes the session. @see RFC 5321 §4.3.1 */
  greet(): void {
    if (this.#phase !== 'unready') return;
    this.#phase = 'command';
    if (this.#input.size > 0) this.close(serverReplies.earlyTalk);
    else this.#say(reply(220, null, `${this.#options.hostName} ESMTP Postern`));
  }

  /** Takes the bytes over: they must not change afterwards. Ignored once the session is closed. */
  feed(bytes: Buffer): void {
    if (this.#phase !== 'closed') this.#input.append(bytes);
  }

  /** The next thing to act on; null while more bytes or an answer are needed, and once closed. */
  next(): ServerEvent | null {
    for (;;) {
      const pending = this.#pending;
      if (pending !== null) {
        this.#pending = null;
        return pending;
      }
      if (this.#phase === 'content') {
        const event = this.#readContent();
        if (event === null) return null;
        if (event.kind !== 'content' || event.bytes.length > 0) return event;
      } else if (this.#phase === 'command' || this.#phase === 'auth') {
        if (!this.#readLine()) return null;
      } else {
        return null;
      }
    }
  }

  /** The answer to the last event. Without one it is a programmer's error and throws. */
  answer(answer: Reply): void {
    const asked = this.#asked;
    if (this.#phase === 'closed') return;
    if (asked === null) throw new Error('no event waits for an answer');
    const isAccepted = isPositive(answer);
    if (asked === 'content-end' && isAccepted && this.#contentProblem !== null) {
      throw new Error('content with a problem cannot be accepted');
    }
    this.#asked = null;
    this.#phase = 'command';
    this.#say(answer);
    if (asked === 'mail' && isAccepted) this.#recipients = 0;
    if (asked === 'recipient' && isAccepted) this.#recipients! += 1;
    if (asked === 'auth' && isAccepted) this.#dialogue.isAuthenticated = true;
    if (asked === 'starttls' && isAccepted) this.#phase = 'upgrading';
    if (asked === 'data') this.#enterContent(answer);
    if (asked === 'content-end') {
      this.#recipients = null;
      if (isAccepted) this.#commands = 0;
    }
    if (answer.code === 421) this.#finish();
  }

  /** After the handshake that followed `starttls`: the client starts anew. @see RFC 3207 §4.2 */
  secured(): void {
    if (this.#phase !== 'upgrading') throw new Error('no STARTTLS was answered');
    this.#phase = 'command';
    this.#isUnderTls = true;
    this.#dialogue = { ...startOfDialogue };
    this.#recipients = null;
    this.#input.clear();
  }

  /** Ends the session from our side with a last reply, as 421. */
  close(last: Reply): void {
    if (this.#phase === 'closed') return;
    this.#say(last);
    this.#finish();
  }

  /** All that is to be written, as one buffer; empty where there is nothing. */
  takeOutput(): Buffer {
    const output = Buffer.from(this.#output, 'latin1');
    this.#output = '';
    return output;
  }

  #say(reply: Reply): void {
    this.#output += formatReply(reply);
  }

  #finish(): void {
    this.#phase = 'closed';
    this.#asked = null;
    this.#pending = null;
    this.#decoder = null;
    this.#input.clear();
  }

  #ask(event: ServerEvent & { readonly kind: AskingKind }): void {
    this.#pending = event;
    this.#asked = event.kind;
    this.#phase = 'waiting';
  }

  #refuse(refusal: Reply): void {
    this.#say(refusal);
    this.#errors++;
    if (this.#errors >= this.#options.errorsMax) this.close(serverReplies.tooManyErrors);
  }

  /** False while the line is not complete. */
  #readLine(): boolean {
    const line = this.#input.takeLine(this.#phase === 'auth');
    if (line === null) return false;
    this.#steps++;
    if (isTooLong(line)) {
      this.close(serverReplies.lineTooLong);
      return true;
    }
    this.#commands++;
    const isAuthResponse = this.#phase === 'auth';
    if (!line.hasCrlf) {
      this.#phase = 'command';
      this.#auth = null;
      this.#refuse(serverReplies.bareLineFeed);
    } else if (isAuthResponse) {
      this.#proceedAuth(this.#auth!.proceed(line.text));
    } else {
      this.#dispatch(line.text);
    }
    if (this.#commands > this.#options.commandsMax && this.#phase === 'command') {
      this.close(serverReplies.tooManyCommands);
    }
    return true;
  }

  #dispatch(line: string): void {
    const command = parseCommand(line);
    switch (command.kind) {
      case 'unknown':
        if (foreignVerb.test(line)) return this.close(serverReplies.wrongProtocol);
        return this.#refuse(command.reply);
      case 'malformed':
        return this.#refuse(command.reply);
      case 'ehlo':
      case 'helo':
        return this.#hello(command.kind === 'ehlo', command.name);
      case 'mail':
        return this.#mail(command);
      case 'rcpt':
        return this.#rcpt(command.recipient);
      case 'data':
        return this.#data();
      case 'rset':
        this.#say(serverReplies.ok);
        return this.#reset();
      case 'noop':
        return this.#say(serverReplies.ok);
      case 'help':
        return this.#say(serverReplies.help);
      case 'vrfy':
        return this.#say(serverReplies.verify);
      case 'expn':
        return this.#refuse(serverReplies.expand);
      case 'starttls':
        return this.#startTls();
      case 'auth':
        return this.#authenticate(command.mechanism, command.initialResponse);
      case 'quit':
        return this.close(serverReplies.bye);
    }
  }

  #hello(isExtended: boolean, name: string): void {
    this.#dialogue.hello = name;
    this.#dialogue.isExtended = isExtended;
    this.#reset();
    const { hostName, messageSizeBytesMax, offersStartTls, offersAuth } = this.#options;
    if (!isExtended) return this.#say(reply(250, null, hostName));
    const extensions = ['PIPELINING', `SIZE ${messageSizeBytesMax}`, '8BITMIME'];
    if (offersStartTls && !this.#isUnderTls) extensions.push('STARTTLS');
    if (offersAuth && this.#isUnderTls) extensions.push(`AUTH ${authMechanisms.join(' ')}`);
    this.#say(reply(250, null, hostName, ...extensions, 'ENHANCEDSTATUSCODES'));
  }

  #reset(): void {
    if (this.#recipients === null) return;
    this.#recipients = null;
    this.#pending = { kind: 'reset' };
  }

  #mail(command: Command & { readonly kind: 'mail' }): void {
    if (this.#dialogue.hello === null) return this.#refuse(serverReplies.helloFirst);
    if (this.#recipients !== null) return this.#refuse(serverReplies.nestedMail);
    const { reversePath, sizeBytes, bodyType } = command;
    if (sizeBytes !== null && sizeBytes > this.#options.messageSizeBytesMax) {
      return this.#say(serverReplies.declaredTooLarge);
    }
    this.#ask({ kind: 'mail', reversePath, sizeBytes, bodyType: bodyType ?? '7bit' });
  }

  #rcpt(recipient: Address | null): void {
    this.#commands--;
    if (this.#recipients === null) return this.#refuse(serverReplies.mailFirst);
    if (this.#recipients >= this.#options.recipientsMax) {
      return this.#say(serverReplies.tooManyRecipients);
    }
    this.#ask({ kind: 'recipient', recipient });
  }

  #data(): void {
    this.#commands--;
    if (this.#recipients === null || this.#recipients === 0) {
      const isOpen = this.#recipients !== null;
      if (isOpen) this.#say(serverReplies.noRecipients);
      else this.#refuse(serverReplies.mailFirst);
      return this.#guardRefusedData();
    }
    this.#ask({ kind: 'data' });
  }

  #enterContent(answer: Reply): void {
    if (answer.code !== 354) return this.#guardRefusedData();
    this.#phase = 'content';
    this.#decoder = new ContentDecoder();
    this.#contentBytes = 0;
  }

  /**
   * DATA ends a group of pipelined commands, so what already lies behind a refused one is content
   * that must not be read as commands. @see RFC 2920 §3.1
   */
  #guardRefusedData(): void {
    if (this.#input.size > 0) this.close(serverReplies.commandsAfterData);
  }

  #readContent(): ServerEvent | null {
    const bytes = this.#input.peek();
    if (bytes.length === 0) return null;
    this.#steps++;
    const decoder = this.#decoder!;
    const { content, end } = decoder.decode(bytes);
    this.#input.skip(end === -1 ? bytes.length : end);
    this.#contentBytes += content.length;
    const isTooLarge = this.#contentBytes > this.#options.messageSizeBytesMax;
    if (end !== -1) this.#endContent(decoder);
    else if (this.#contentBytes > excessFactor * this.#options.messageSizeBytesMax) {
      this.close(serverReplies.tooLarge);
    }
    return { kind: 'content', bytes: isTooLarge ? content.subarray(0, 0) : content };
  }

  #endContent(decoder: ContentDecoder): void {
    this.#decoder = null;
    let problem: Reply | null = null;
    if (this.#contentBytes > this.#options.messageSizeBytesMax) problem = serverReplies.tooLarge;
    else if (decoder.hasBareLineBreak) problem = serverReplies.bareLineBreak;
    else if (decoder.hasNul) problem = serverReplies.nulByte;
    this.#contentProblem = problem;
    this.#ask({ kind: 'content-end', sizeBytes: this.#contentBytes, problem });
  }

  #startTls(): void {
    if (this.#isUnderTls) return this.#refuse(serverReplies.tlsAlready);
    if (!this.#options.offersStartTls) return this.#refuse(serverReplies.tlsUnavailable);
    if (this.#dialogue.hello === null) return this.#refuse(serverReplies.helloFirst);
    // Whatever came behind STARTTLS in clear could have been put there by anybody: never act on it.
    if (this.#input.size > 0) return this.close(serverReplies.textAfterStartTls);
    this.#ask({ kind: 'starttls' });
  }

  #authenticate(name: string, initialResponse: string | null): void {
    const { offersAuth } = this.#options;
    const { hello, isExtended, isAuthenticated } = this.#dialogue;
    if (!offersAuth) return this.#refuse(serverReplies.authUnavailable);
    if (!this.#isUnderTls) return this.#refuse(serverReplies.authNeedsTls);
    if (hello === null || !isExtended) return this.#refuse(serverReplies.helloFirst);
    if (isAuthenticated) return this.#refuse(serverReplies.authAlready);
    if (this.#recipients !== null) return this.#refuse(serverReplies.authInTransaction);
    const mechanism = authMechanisms.find((known) => known === name);
    if (mechanism === undefined) return this.#refuse(serverReplies.authMechanism);
    this.#auth = new AuthExchange(mechanism);
    this.#proceedAuth(this.#auth.start(initialResponse), mechanism);
  }

  #proceedAuth(step: AuthStep, mechanism = this.#auth!.mechanism): void {
    if (step.kind === 'challenge') {
      this.#phase = 'auth';
      return this.#say(step.reply);
    }
    this.#phase = 'command';
    this.#auth = null;
    if (step.kind === 'refused') return this.#refuse(step.reply);
    const { username, password } = step;
    this.#ask({ kind: 'auth', mechanism, username, password });
  }
}
