/**
 * The server's side of an SMTP session, sans-IO: bytes in, events out, answers in, bytes out.
 *
 * Keeps the order of commands and the rules of the wire; who may send what is the driver's matter.
 * `feed` what arrives, ask `next` until it gives null, `answer` each event that wants it, and write
 * `takeOutput` when there is nothing more to do: under PIPELINING that is one write per flight.
 * @see RFC 5321 §4.1.4, RFC 2920 §3.2, RFC 3207 §4, RFC 4954 §4, RFC 1870 §6, RFC 6152 §2, RFC 2034 §4,
 *   RFC 3030 §2 (CHUNKING), RFC 3461 §4 (DSN), RFC 6531 §3 (SMTPUTF8)
 */
import type { Address, ReversePath } from '../mail/address.ts';
import type { MailParameters } from '../mail/envelope.ts';
import type { RecipientRequest } from '../mail/recipient.ts';
import type { Reply } from '../mail/reply.ts';
import { isPositive, reply } from '../mail/reply.ts';
import type { MailCommand, RcptCommand } from './command.ts';
import { parseCommand } from './command.ts';
import type { ContentRules } from './content-reader.ts';
import { ContentReader, isHopelessChunk } from './content-reader.ts';
import { formatReply } from './reply.ts';
import type { AuthMechanism, AuthStep } from './server-auth.ts';
import { AuthExchange, authMechanisms } from './server-auth.ts';
import { ServerInput, isTooLong } from './server-input.ts';
import { serverReplies } from './server-replies.ts';

export interface ServerSessionOptions extends ContentRules {
  /** Our name in greeting and EHLO reply. */
  readonly hostName: string;
  /** From the first byte on: implicit TLS. */
  readonly isUnderTls: boolean;
  readonly offersStartTls: boolean;
  /** AUTH is announced and accepted under TLS only. */
  readonly offersAuth: boolean;
  readonly recipientsMax: number;
  /** Refused commands (syntax, sequence) until the session is closed. */
  readonly errorsMax: number;
  /** Commands other than RCPT, DATA and BDAT with octets since the last accepted content until it is closed. */
  readonly commandsMax: number;
}

/**
 * What the driver must act on. All but `content` and `reset` want an `answer` before `next` goes on:
 * `starttls` 220, then the handshake and `secured`; `auth` 235; `mail` and `recipient` 250; `data`
 * 354, before the first BDAT too; `content-end` 250, or where there is a `problem` never a positive
 * reply. Anything else refuses.
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
      readonly parameters: MailParameters;
    }
  | {
      readonly kind: 'recipient';
      readonly recipient: Address | null;
      readonly request: RecipientRequest;
    }
  | { readonly kind: 'data' }
  | { readonly kind: 'content'; readonly bytes: Buffer }
  | { readonly kind: 'content-end'; readonly sizeBytes: number; readonly problem: Reply | null }
  | { readonly kind: 'reset' };

type AskingKind = Exclude<ServerEvent['kind'], 'content' | 'reset'>;

type Phase = 'unready' | 'command' | 'auth' | 'waiting' | 'content' | 'upgrading' | 'closed';

/** A chunk that is being read. `refusal` is said when its octets are consumed. */
interface Chunk {
  readonly sizeBytes: number;
  readonly isLast: boolean;
  refusal: Reply | null;
  leftBytes: number;
}

/** Recipients beyond the limit that are only told so; further ones count as errors. */
const recipientsOvershootMax = 1000;
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
  #hasSmtpUtf8 = false;
  #overshoot = 0;
  #auth: AuthExchange | null = null;
  /** The content of the open transaction, once it has begun. */
  #reader: ContentReader | null = null;
  #chunk: Chunk | null = null;
  #lastReply: Reply | null = null;
  #contentOctets = 0;
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

  /** The reply with which we ended the session; null while it goes on, and after a client's end. */
  get lastReply(): Reply | null {
    return this.#lastReply;
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

  /** Octets of content taken in so far, of all messages, dropped ones included. */
  get contentOctets(): number {
    return this.#contentOctets;
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
    if (asked === 'content-end' && isAccepted && this.#reader!.problem !== null) {
      throw new Error('content with a problem cannot be accepted');
    }
    this.#asked = null;
    this.#phase = 'command';
    // Before a BDAT's octets are consumed nothing is said of it, unless it is the last word.
    const isForChunk = asked === 'data' && this.#chunk !== null;
    if (!isForChunk || answer.code === 421) this.#say(answer);
    if (asked === 'mail') {
      if (isAccepted) this.#recipients = 0;
      else this.#hasSmtpUtf8 = false;
    }
    if (asked === 'recipient' && isAccepted) this.#recipients! += 1;
    if (asked === 'auth' && isAccepted) this.#dialogue.isAuthenticated = true;
    if (asked === 'starttls' && isAccepted) this.#phase = 'upgrading';
    if (asked === 'data') this.#enterContent(answer);
    if (asked === 'content-end') {
      this.#endTransaction();
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
    this.#reset();
    this.#input.clear();
  }

  /** Ends the session from our side with a last reply, as 421. */
  close(last: Reply): void {
    if (this.#phase === 'closed') return;
    this.#say(last);
    this.#lastReply = last;
    this.#finish();
  }

  /** All that is to be written, as one buffer; empty where there is nothing. */
  takeOutput(): Buffer {
    const output = Buffer.from(this.#output, 'utf8');
    this.#output = '';
    return output;
  }

  #say(reply: Reply): void {
    this.#output += formatReply(reply, this.#hasSmtpUtf8 ? 'utf8' : 'ascii');
  }

  #finish(): void {
    this.#phase = 'closed';
    this.#asked = null;
    this.#pending = null;
    this.#reader = null;
    this.#chunk = null;
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
    if (!line.hasCrlf || !line.isUtf8) {
      this.#phase = 'command';
      this.#auth = null;
      // The octets that a BDAT announces must never be read as commands.
      if (/^BDAT\b/i.test(line.text)) this.close(serverReplies.chunkLineBroken);
      else this.#refuse(line.hasCrlf ? serverReplies.notUtf8 : serverReplies.bareLineFeed);
    } else if (isAuthResponse) {
      this.#proceedAuth(this.#auth!.proceed(line.text));
    } else {
      this.#dispatch(line.text);
    }
    this.#boundCommands();
    return true;
  }

  #boundCommands(): void {
    if (this.#commands > this.#options.commandsMax && this.#phase === 'command') {
      this.close(serverReplies.tooManyCommands);
    }
  }

  #dispatch(line: string): void {
    const command = parseCommand(line);
    switch (command.kind) {
      case 'unknown':
        if (foreignVerb.test(line)) return this.close(serverReplies.wrongProtocol);
        return this.#refuse(command.reply);
      case 'malformed':
        return this.#refuse(command.reply);
      case 'unframed':
        return this.close(command.reply);
      case 'ehlo':
      case 'helo':
        return this.#hello(command.kind === 'ehlo', command.name);
      case 'mail':
        return this.#mail(command);
      case 'rcpt':
        return this.#rcpt(command);
      case 'data':
        return this.#data();
      case 'bdat':
        return this.#bdat(command.sizeBytes, command.isLast);
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
    const extensions = [
      'PIPELINING',
      `SIZE ${messageSizeBytesMax}`,
      '8BITMIME',
      'SMTPUTF8',
      'CHUNKING',
      'DSN',
    ];
    if (offersStartTls && !this.#isUnderTls) extensions.push('STARTTLS');
    if (offersAuth && this.#isUnderTls) extensions.push(`AUTH ${authMechanisms.join(' ')}`);
    this.#say(reply(250, null, hostName, ...extensions, 'ENHANCEDSTATUSCODES'));
  }

  #reset(): void {
    if (this.#recipients === null) return;
    this.#endTransaction();
    this.#pending = { kind: 'reset' };
  }

  #endTransaction(): void {
    this.#recipients = null;
    this.#hasSmtpUtf8 = false;
    this.#overshoot = 0;
    this.#reader = null;
    this.#chunk = null;
  }

  #mail(command: MailCommand): void {
    if (this.#dialogue.hello === null) return this.#refuse(serverReplies.helloFirst);
    if (this.#recipients !== null) return this.#refuse(serverReplies.nestedMail);
    const { reversePath, sizeBytes, bodyType, smtpUtf8, dsn } = command;
    if (sizeBytes !== null && sizeBytes > this.#options.messageSizeBytesMax) {
      return this.#say(serverReplies.declaredTooLarge);
    }
    this.#hasSmtpUtf8 = smtpUtf8;
    const parameters: MailParameters = {
      bodyType: bodyType ?? '7bit',
      ...(smtpUtf8 ? { smtpUtf8 } : {}),
      ...(dsn === null ? {} : { dsn }),
    };
    this.#ask({ kind: 'mail', reversePath, sizeBytes, parameters });
  }

  #rcpt({ recipient, request, hasUtf8 }: RcptCommand): void {
    this.#commands--;
    if (this.#recipients === null) return this.#refuse(serverReplies.mailFirst);
    if (this.#reader !== null) return this.#refuse(serverReplies.contentBegun);
    if (hasUtf8 && !this.#hasSmtpUtf8) return this.#refuse(serverReplies.undeclaredUtf8);
    if (this.#recipients >= this.#options.recipientsMax) {
      this.#overshoot++;
      const isAbuse = this.#overshoot > recipientsOvershootMax;
      const { tooManyRecipients } = serverReplies;
      return isAbuse ? this.#refuse(tooManyRecipients) : this.#say(tooManyRecipients);
    }
    this.#ask({ kind: 'recipient', recipient, request });
  }

  #data(): void {
    this.#commands--;
    if (this.#recipients === null || this.#recipients === 0) {
      const isOpen = this.#recipients !== null;
      if (isOpen) this.#say(serverReplies.noRecipients);
      else this.#refuse(serverReplies.mailFirst);
      return this.#guardRefusedData();
    }
    if (this.#reader !== null) {
      this.#refuse(serverReplies.contentBegun);
      return this.#guardRefusedData();
    }
    this.#ask({ kind: 'data' });
  }

  /** The octets are consumed whatever the answer is: they are never commands. @see RFC 3030 §2 */
  #bdat(sizeBytes: number, isLast: boolean): void {
    if (isHopelessChunk(sizeBytes, this.#options)) return this.close(serverReplies.chunkTooLarge);
    if (sizeBytes > 0) this.#commands--;
    const refusal = this.#refusalOfChunk(sizeBytes);
    this.#chunk = { sizeBytes, isLast, refusal, leftBytes: sizeBytes };
    if (refusal === null && this.#reader === null) this.#ask({ kind: 'data' });
    else this.#phase = 'content';
  }

  #refusalOfChunk(sizeBytes: number): Reply | null {
    if (this.#recipients === null) return serverReplies.mailFirst;
    if (this.#recipients === 0) return serverReplies.noRecipients;
    const soFar = this.#reader?.sizeBytes ?? 0;
    const isTooLarge = soFar + sizeBytes > this.#options.messageSizeBytesMax;
    return isTooLarge ? serverReplies.tooLarge : null;
  }

  #enterContent(answer: Reply): void {
    if (answer.code === 354) this.#reader = new ContentReader(this.#options);
    else if (this.#chunk === null) return this.#guardRefusedData();
    else this.#chunk.refusal = answer;
    this.#phase = 'content';
  }

  /**
   * DATA ends a group of pipelined commands, so what already lies behind a refused one is content
   * that must not be read as commands. @see RFC 2920 §3.1
   */
  #guardRefusedData(): void {
    if (this.#input.size > 0) this.close(serverReplies.commandsAfterData);
  }

  #readContent(): ServerEvent | null {
    const chunk = this.#chunk;
    if (chunk !== null) return this.#readChunk(chunk);
    const bytes = this.#input.peek();
    if (bytes.length === 0) return null;
    this.#steps++;
    const reader = this.#reader!;
    const { content, taken, isEnd } = reader.readData(bytes);
    this.#input.skip(taken);
    this.#contentOctets += taken;
    if (isEnd) this.#endContent(reader);
    else if (reader.isHopeless) this.close(serverReplies.tooLarge);
    return { kind: 'content', bytes: content };
  }

  #readChunk(chunk: Chunk): ServerEvent | null {
    const bytes = this.#input.peek().subarray(0, chunk.leftBytes);
    if (bytes.length === 0 && chunk.leftBytes > 0) return null;
    this.#steps++;
    this.#input.skip(bytes.length);
    this.#contentOctets += bytes.length;
    chunk.leftBytes -= bytes.length;
    const isWhole = chunk.leftBytes === 0;
    if (chunk.refusal !== null) {
      if (isWhole) this.#refuseChunk(chunk.refusal);
      return { kind: 'content', bytes: bytes.subarray(0, 0) };
    }
    const reader = this.#reader!;
    const { content, isEnd } = reader.readChunk(bytes, isWhole && chunk.isLast);
    if (isEnd) {
      this.#endContent(reader);
    } else if (isWhole) {
      this.#chunk = null;
      this.#phase = 'command';
      this.#say(reply(250, '2.0.0', `${chunk.sizeBytes} octets received`));
      this.#boundCommands();
    }
    return { kind: 'content', bytes: content };
  }

  /** Ends the transaction, so that a chunk in flight behind this one cannot begin a new content. */
  #refuseChunk(refusal: Reply): void {
    this.#phase = 'command';
    this.#chunk = null;
    if (refusal.code === 503) this.#refuse(refusal);
    else this.#say(refusal);
    if (refusal !== serverReplies.noRecipients) this.#reset();
  }

  #endContent(reader: ContentReader): void {
    this.#chunk = null;
    const { sizeBytes, problem } = reader;
    this.#ask({ kind: 'content-end', sizeBytes, problem });
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
