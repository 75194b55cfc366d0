/**
 * The server's side of an SMTP session, sans-IO: bytes in, events out, answers in, bytes out.
 *
 * Keeps to the rules of the wire, with the order of commands in `server-dialogue.ts` and contents in
 * `server-content.ts`; who may send what is the driver's matter.
 * `feed` what arrives, ask `next` until it gives null, `answer` each event that wants it, and write
 * `takeOutput` when there is nothing more to do: under PIPELINING that is one write per flight.
 * @see RFC 5321 §4.1.4, RFC 2920 §3.2
 */
import type { Reply } from '../mail/reply.ts';
import { isPositive, reply } from '../mail/reply.ts';
import type { Command } from './command.ts';
import { parseCommand } from './command.ts';
import { formatReply } from './reply.ts';
import { ServerContent } from './server-content.ts';
import type { Reaction } from './server-dialogue.ts';
import { ServerDialogue, reactToRefused } from './server-dialogue.ts';
import type { AskingKind, ServerEvent, ServerSessionOptions } from './server-event.ts';
import { ServerInput, isTooLong } from './server-input.ts';
import { serverReplies } from './server-replies.ts';

type Phase = 'unready' | 'command' | 'auth' | 'waiting' | 'content' | 'upgrading' | 'closed';

export class ServerSession {
  readonly #options: ServerSessionOptions;
  readonly #input = new ServerInput();
  readonly #content: ServerContent;
  readonly #dialogue: ServerDialogue;
  #phase: Phase = 'unready';
  #asked: AskingKind | null = null;
  #pending: ServerEvent | null = null;
  #output = '';
  #lastReply: Reply | null = null;
  #errors = 0;
  #commands = 0;
  #steps = 0;

  constructor(options: ServerSessionOptions) {
    this.#options = options;
    this.#content = new ServerContent(this.#input, options);
    this.#dialogue = new ServerDialogue(options, this.#content);
  }

  /** The name of the last EHLO or HELO; null before, and again after STARTTLS. */
  get heloName(): string | null {
    return this.#dialogue.hello;
  }

  /** Whether the client said EHLO. */
  get isExtended(): boolean {
    return this.#dialogue.isExtended;
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
    return this.#dialogue.isInTransaction;
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
    return this.#content.octets;
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
    if (asked === 'content-end' && isAccepted && this.#content.problem !== null) {
      throw new Error('content with a problem cannot be accepted');
    }
    this.#asked = null;
    this.#phase = 'command';
    // Before a BDAT's octets are consumed nothing is said of it, unless it is the last word.
    const isForChunk = asked === 'data' && this.#content.hasChunk;
    if (!isForChunk || answer.code === 421) this.#say(answer);
    if (asked === 'starttls' && isAccepted) this.#phase = 'upgrading';
    if (asked === 'data') this.#enterContent(answer);
    else this.#dialogue.noteAnswer(asked, isAccepted);
    if (asked === 'content-end' && isAccepted) this.#commands = 0;
    if (answer.code === 421) this.#finish();
  }

  /** After the handshake that followed `starttls`: the client starts anew. @see RFC 3207 §4.2 */
  secured(): void {
    if (this.#phase !== 'upgrading') throw new Error('no STARTTLS was answered');
    this.#phase = 'command';
    if (this.#dialogue.restart()) this.#pending = { kind: 'reset' };
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
    this.#output += formatReply(reply, this.#dialogue.hasSmtpUtf8 ? 'utf8' : 'ascii');
  }

  #finish(): void {
    this.#phase = 'closed';
    this.#asked = null;
    this.#pending = null;
    this.#content.forget();
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
    this.#phase = 'command';
    if (!line.hasCrlf || !line.isUtf8) {
      this.#dialogue.cancelAuth();
      // The octets that a BDAT announces must never be read as commands.
      if (/^BDAT\b/i.test(line.text)) this.close(serverReplies.chunkLineBroken);
      else this.#refuse(line.hasCrlf ? serverReplies.notUtf8 : serverReplies.bareLineFeed);
    } else if (isAuthResponse) {
      this.#carryOut(this.#dialogue.proceedAuth(line.text));
    } else {
      this.#obey(line.text);
    }
    this.#boundCommands();
    return true;
  }

  #boundCommands(): void {
    if (this.#commands > this.#options.commandsMax && this.#phase === 'command') {
      this.close(serverReplies.tooManyCommands);
    }
  }

  #obey(line: string): void {
    const command = parseCommand(line);
    if ('reply' in command) return this.#carryOut(reactToRefused(command, line));
    if (isPartOfMail(command)) this.#commands--;
    const reaction = this.#dialogue.take(command);
    const isAsked = reaction.kind === 'ask';
    // Whatever came behind STARTTLS in clear could have been put there by anybody: never act on it.
    if (command.kind === 'starttls' && isAsked && this.#input.size > 0) {
      return this.close(serverReplies.textAfterStartTls);
    }
    this.#carryOut(reaction);
    if (command.kind === 'data' && !isAsked) this.#guardRefusedData();
  }

  #carryOut(reaction: Reaction): void {
    switch (reaction.kind) {
      case 'say':
        this.#say(reaction.reply);
        if (reaction.hasReset) this.#pending = { kind: 'reset' };
        return;
      case 'refuse':
        return this.#refuse(reaction.reply);
      case 'close':
        return this.close(reaction.reply);
      case 'challenge':
        this.#phase = 'auth';
        return this.#say(reaction.reply);
      case 'ask':
        return this.#ask(reaction.event);
      case 'content':
        this.#phase = 'content';
    }
  }

  #enterContent(answer: Reply): void {
    if (answer.code === 354) this.#content.begin();
    else if (this.#content.hasChunk) this.#content.refuseChunk(answer);
    else return this.#guardRefusedData();
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
    const step = this.#content.read();
    if (step === null) return null;
    this.#steps++;
    switch (step.state) {
      case 'open':
        break;
      case 'whole': {
        const { sizeBytes, problem } = this.#content;
        this.#ask({ kind: 'content-end', sizeBytes, problem });
        break;
      }
      case 'hopeless':
        this.close(serverReplies.tooLarge);
        break;
      case 'chunk-taken':
        this.#phase = 'command';
        this.#say(step.reply);
        this.#boundCommands();
        break;
      case 'chunk-refused':
        this.#refuseChunk(step.reply);
    }
    return { kind: 'content', bytes: step.bytes };
  }

  /** Ends the transaction, so that a chunk in flight behind this one cannot begin a new content. */
  #refuseChunk(refusal: Reply): void {
    this.#phase = 'command';
    if (refusal.code === 503) this.#refuse(refusal);
    else this.#say(refusal);
    if (refusal === serverReplies.noRecipients) return;
    if (this.#dialogue.endTransaction()) this.#pending = { kind: 'reset' };
  }
}

/** Those that a message needs more of the larger it is, and DATA. */
function isPartOfMail(command: Command): boolean {
  const { kind } = command;
  return kind === 'rcpt' || kind === 'data' || (kind === 'bdat' && command.sizeBytes > 0);
}
