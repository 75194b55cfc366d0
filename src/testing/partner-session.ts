/**
 * The dialogue of the fake partner with one client: an SMTP server in few words, which notes every
 * rule that the client breaks. It shares no code with `src/smtp`, so that it can judge it.
 *
 * @see RFC 5321 §4.1, RFC 2920 §3.1, RFC 3030 §2, RFC 3207 §4, RFC 2033 §4
 */

/**
 * What a hook is asked about; `BDAT` is each chunk, `dot` the end of the content: by LMTP once for
 * each accepted recipient, which is then the line.
 */
export type PartnerCommand =
  | 'EHLO' | 'HELO' | 'LHLO' | 'STARTTLS' | 'AUTH' | 'MAIL' | 'RCPT' | 'DATA' | 'BDAT' | 'dot'
  | 'RSET' | 'NOOP' | 'VRFY' | 'QUIT' | 'other'; // prettier-ignore

/**
 * A reply, lines parted by CRLF, with its codes (`451 4.3.0 later`); or `drop` (reset the
 * connection), `close` (end it politely), `silence` (no reply ever), null (behave well).
 */
export type PartnerAction = string | null;

export interface PartnerEvent {
  readonly command: PartnerCommand;
  /** The line as it came, without CRLF; empty for `dot` by SMTP. */
  readonly line: string;
  readonly isTls: boolean;
  /** Which connection, from 0; and how often this command came on it before. */
  readonly connection: number;
  readonly count: number;
}

export type PartnerHook = (event: PartnerEvent) => PartnerAction | Promise<PartnerAction>;

export interface PartnerMessage {
  readonly connection: number;
  readonly isTls: boolean;
  /** The paths between angle brackets; '' is the null reverse-path. */
  readonly from: string;
  readonly recipients: readonly string[];
  /** What follows the path in MAIL: `SIZE=100 BODY=8BITMIME`. */
  readonly mailParameters: string;
  /** What follows each path in RCPT, in the order of `recipients`. */
  readonly rcptParameters: readonly string[];
  /** Without dot-stuffing and final dot. */
  readonly content: Buffer;
}

export interface SessionSettings {
  readonly protocol: 'smtp' | 'lmtp';
  readonly connection: number;
  readonly hostName: string;
  /** EHLO keywords beside STARTTLS, in clear and under TLS. */
  readonly extensions: readonly string[];
  readonly extensionsUnderTls: readonly string[];
  readonly offersStarttls: boolean;
  readonly isEhloRefused: boolean;
  readonly hook: PartnerHook;
  /** Called with each accepted message before its reply. */
  readonly onMessage: (message: PartnerMessage) => void;
  /** Called with every rule that the client broke, in words. */
  readonly onViolation: (violation: string) => void;
  /** Takes over at STARTTLS; nothing more is read from the session's buffer in clear. */
  readonly onStarttls: (leftover: Buffer) => void;
  readonly write: (text: string) => void;
  readonly end: () => void;
  readonly destroy: () => void;
}

const commands: readonly string[] = [
  'EHLO', 'HELO', 'LHLO', 'STARTTLS', 'AUTH', 'MAIL', 'RCPT', 'DATA', 'BDAT', 'RSET', 'NOOP', 'VRFY', 'QUIT',
]; // prettier-ignore

const empty = Buffer.alloc(0);

/** Feed it bytes with `take`; it answers through its settings. */
export class PartnerSession {
  readonly #settings: SessionSettings;
  readonly #counts = new Map<PartnerCommand, number>();
  #buffer = empty;
  #isRunning = false;
  #isStopped = false;
  #isTls: boolean;
  #hasGreeted = false;
  #hasEhlo = false;
  #isInContent = false;
  #chunk: { readonly size: number; readonly isLast: boolean; readonly line: string } | null = null;
  #chunks: Buffer[] = [];
  #from: { readonly path: string; readonly parameters: string } | null = null;
  #recipients: { readonly path: string; readonly parameters: string }[] = [];

  constructor(settings: SessionSettings, isTls: boolean) {
    this.#settings = settings;
    this.#isTls = isTls;
  }

  /** Everything said before TLS is forgotten. @see RFC 3207 §4.2 */
  restartUnderTls(): void {
    this.#isTls = true;
    this.#isStopped = false;
    this.#hasGreeted = false;
    this.#hasEhlo = false;
    this.#forgetTransaction();
    this.#buffer = empty;
  }

  /** Goes on in clear after `onStarttls` was answered otherwise than by TLS. */
  resume(): void {
    this.#isStopped = false;
  }

  async take(bytes: Buffer): Promise<void> {
    this.#buffer = Buffer.concat([this.#buffer, bytes]);
    if (this.#isRunning) return;
    this.#isRunning = true;
    while (!this.#isStopped && (await this.#step()));
    this.#isRunning = false;
  }

  /** Handles one line, chunk or content; false where more bytes are needed. */
  async #step(): Promise<boolean> {
    if (this.#chunk !== null) return this.#takeChunk(this.#chunk);
    if (this.#isInContent) return this.#takeContent();
    const end = this.#buffer.indexOf('\n');
    if (end === -1) return false;
    const raw = this.#buffer.toString('latin1', 0, end + 1);
    this.#buffer = this.#buffer.subarray(end + 1);
    if (!raw.endsWith('\r\n') || raw.slice(0, -2).includes('\r')) this.#violate('bare CR or LF');
    if (raw.length > 512) this.#violate(`command line of ${raw.length} octets`);
    await this.#onLine(raw.replace(/\r?\n$/, ''));
    return true;
  }

  async #onLine(line: string): Promise<void> {
    const verb = line.split(' ', 1)[0]!.toUpperCase();
    const command = commands.includes(verb) ? (verb as PartnerCommand) : 'other';
    this.#checkOrder(command);
    if (command === 'BDAT') {
      const [, size, last] = /^BDAT (\d+)( LAST)?$/i.exec(line) ?? [];
      if (size === undefined) return this.#reply('501 5.5.4 bad BDAT');
      this.#chunk = { size: Number(size), isLast: last !== undefined, line };
      return;
    }
    const action = await this.#ask(command, line);
    if (action !== null) {
      this.#act(action);
      this.#note(command, line, action);
      return;
    }
    this.#behave(command, line);
  }

  /** What a client may not do, whatever the server answers. */
  #checkOrder(command: PartnerCommand): void {
    const mayBeFollowed = ['MAIL', 'RCPT', 'RSET', 'BDAT'].includes(command);
    if (this.#buffer.length > 0) {
      if (!mayBeFollowed) this.#violate(`bytes were sent after ${command} before its reply`);
      else if (!this.#offers('PIPELINING') && command !== 'BDAT') {
        this.#violate(`bytes were sent after ${command} without PIPELINING offered`);
      }
    }
    const needsEhlo = ['MAIL', 'STARTTLS', 'AUTH'].includes(command);
    if (needsEhlo && !this.#hasEhlo && !this.#hasGreeted) {
      this.#violate(`${command} before EHLO${this.#isTls ? ' under TLS' : ''}`);
    }
    if (command === 'BDAT' && !this.#offers('CHUNKING')) this.#violate('BDAT was not offered');
    const isLmtp = this.#settings.protocol === 'lmtp';
    if (isLmtp ? ['EHLO', 'HELO'].includes(command) : command === 'LHLO') {
      this.#violate(`${command} is of the other protocol`);
    }
    if (command === 'STARTTLS' && this.#isTls) this.#violate('STARTTLS under TLS');
    if (command === 'AUTH' && !this.#isTls) this.#violate('AUTH in clear');
  }

  async #ask(command: PartnerCommand, line: string): Promise<PartnerAction> {
    const count = this.#counts.get(command) ?? 0;
    this.#counts.set(command, count + 1);
    const { connection } = this.#settings;
    return this.#settings.hook({ command, line, isTls: this.#isTls, connection, count });
  }

  /** Does what the hook said; the state then follows the code of the reply. */
  #act(action: string): void {
    if (action === 'silence') return;
    if (action === 'drop' || action === 'close') {
      this.#isStopped = true;
      if (action === 'drop') this.#settings.destroy();
      else this.#settings.end();
      return;
    }
    this.#reply(action);
  }

  #note(command: PartnerCommand, line: string, action: string): void {
    if (!/^[23]/.test(action)) return;
    if (command === 'DATA' && action.startsWith('3')) this.#isInContent = true;
    else if (command === 'MAIL' || command === 'RCPT') this.#noteEnvelope(command, line);
    else if (command === 'EHLO' || command === 'LHLO') this.#hasEhlo = this.#hasGreeted = true;
  }

  #behave(command: PartnerCommand, line: string): void {
    const { hostName } = this.#settings;
    switch (command) {
      case 'EHLO':
      case 'LHLO':
        return this.#onEhlo();
      case 'HELO':
        this.#hasGreeted = true;
        this.#forgetTransaction();
        return this.#reply(`250 ${hostName}`);
      case 'STARTTLS':
        return this.#onStarttls();
      case 'AUTH':
        return this.#reply('235 2.7.0 accepted');
      case 'MAIL':
      case 'RCPT':
        return this.#onEnvelope(command, line);
      case 'DATA':
        if (this.#recipients.length === 0) return this.#reply('503 5.5.1 no valid recipients');
        this.#isInContent = true;
        return this.#reply('354 go ahead');
      case 'RSET':
        this.#forgetTransaction();
        return this.#reply('250 2.0.0 reset');
      case 'NOOP':
        return this.#reply('250 2.0.0 ok');
      case 'QUIT':
        this.#reply('221 2.0.0 bye');
        this.#isStopped = true;
        return this.#settings.end();
      case 'BDAT':
      case 'dot':
      case 'VRFY':
      case 'other':
        return this.#reply('500 5.5.1 unknown command');
    }
  }

  #onEhlo(): void {
    if (this.#settings.isEhloRefused) return this.#reply('502 5.5.1 EHLO is not implemented');
    this.#hasEhlo = this.#hasGreeted = true;
    this.#forgetTransaction();
    const { hostName, offersStarttls } = this.#settings;
    const lines = [hostName, ...this.#extensions()];
    if (offersStarttls && !this.#isTls) lines.push('STARTTLS');
    const reply = lines.map((text, i) => `250${i === lines.length - 1 ? ' ' : '-'}${text}`);
    this.#reply(reply.join('\r\n'));
  }

  #onStarttls(): void {
    if (this.#isTls) return this.#reply('503 5.5.1 already under TLS');
    this.#isStopped = true;
    const leftover = this.#buffer;
    this.#buffer = empty;
    this.#settings.onStarttls(leftover);
  }

  #onEnvelope(command: 'MAIL' | 'RCPT', line: string): void {
    const isMail = command === 'MAIL';
    const shape = isMail ? /^MAIL FROM:<([^>]*)>( .*)?$/i : /^RCPT TO:<([^>]+)>( .*)?$/i;
    if (!shape.test(line)) {
      this.#violate(`malformed: ${line}`);
      return this.#reply('501 5.5.4 syntax');
    }
    if (isMail && this.#from !== null) return this.#reply('503 5.5.1 nested MAIL');
    if (!isMail && this.#from === null) return this.#reply('503 5.5.1 MAIL first');
    this.#noteEnvelope(command, line);
    return this.#reply(isMail ? '250 2.1.0 ok' : '250 2.1.5 ok');
  }

  #noteEnvelope(command: 'MAIL' | 'RCPT', line: string): void {
    const [, path = '', parameters = ''] = /<([^>]*)>(?: (.*))?$/.exec(line) ?? [];
    this.#checkParameters(line, parameters);
    if (command === 'RCPT') this.#recipients.push({ path, parameters });
    else this.#from = { path, parameters };
  }

  #checkParameters(line: string, parameters: string): void {
    for (const [parameter, keyword] of [
      [/\bSIZE=/i, 'SIZE'],
      [/\bBODY=/i, '8BITMIME'],
      [/\bSMTPUTF8\b/i, 'SMTPUTF8'],
      [/\bREQUIRETLS\b/i, 'REQUIRETLS'],
      [/\b(?:RET|ENVID|NOTIFY|ORCPT)=/i, 'DSN'],
    ] as const) {
      if (parameter.test(parameters) && !this.#offers(keyword)) {
        this.#violate(`${keyword} was not offered: ${line}`);
      }
    }
    if (/[^\x00-\x7f]/.test(line) && !this.#offers('SMTPUTF8')) {
      this.#violate(`UTF-8 in a command without SMTPUTF8 offered: ${line}`);
    }
  }

  async #takeContent(): Promise<boolean> {
    const isEmpty = this.#buffer.subarray(0, 3).equals(Buffer.from('.\r\n'));
    const end = isEmpty ? -2 : this.#buffer.indexOf('\r\n.\r\n');
    if (end === -1) return false;
    const stuffed = this.#buffer.toString('latin1', 0, Math.max(0, end + 2));
    this.#buffer = this.#buffer.subarray(end + 5);
    this.#isInContent = false;
    this.#checkContent(stuffed);
    await this.#finish(Buffer.from(stuffed.replace(/(^|\r\n)\./g, '$1'), 'latin1'));
    return true;
  }

  #checkContent(text: string): void {
    if (/\r(?!\n)|(?<!\r)\n/.test(text)) this.#violate('bare CR or LF in the content');
    const isEightBit = /[\x80-\xff]/.test(text);
    const isDeclared = /BODY=8BITMIME/i.test(this.#from?.parameters ?? '');
    if (isEightBit && !isDeclared) this.#violate('8-bit content without BODY=8BITMIME');
  }

  async #takeChunk({ size, isLast, line }: { size: number; isLast: boolean; line: string }) {
    if (this.#buffer.length < size) return false;
    this.#chunks.push(this.#buffer.subarray(0, size));
    this.#buffer = this.#buffer.subarray(size);
    this.#chunk = null;
    if (isLast) {
      const content = Buffer.concat(this.#chunks);
      this.#checkContent(content.toString('latin1'));
      await this.#finish(content);
      return true;
    }
    const action = await this.#ask('BDAT', line);
    this.#act(action ?? (this.#recipients.length === 0 ? '503 5.5.1 no RCPT' : '250 2.0.0 chunk'));
    return true;
  }

  /** The message counts as accepted, for whom the reply to its end is positive. */
  async #finish(content: Buffer): Promise<void> {
    const from = this.#from;
    const recipients = this.#recipients;
    const isLmtp = this.#settings.protocol === 'lmtp';
    this.#forgetTransaction();
    if (from === null || recipients.length === 0) return this.#act('503 5.5.1 no transaction');
    const parts = isLmtp ? recipients.map((each) => [each]) : [recipients];
    for (const part of parts) {
      const action = await this.#ask('dot', isLmtp ? part[0]!.path : '');
      if (action === null || action.startsWith('2')) {
        this.#settings.onMessage({
          connection: this.#settings.connection,
          isTls: this.#isTls,
          from: from.path,
          mailParameters: from.parameters,
          recipients: part.map(({ path }) => path),
          rcptParameters: part.map(({ parameters }) => parameters),
          content,
        });
      }
      this.#act(action ?? '250 2.0.0 accepted');
    }
  }

  #forgetTransaction(): void {
    this.#from = null;
    this.#recipients = [];
    this.#chunks = [];
    this.#chunk = null;
    this.#isInContent = false;
  }

  #extensions(): readonly string[] {
    return this.#isTls ? this.#settings.extensionsUnderTls : this.#settings.extensions;
  }

  #offers(keyword: string): boolean {
    if (!this.#hasEhlo) return false;
    return this.#extensions().some((line) => line.split(' ', 1)[0] === keyword);
  }

  #violate(violation: string): void {
    this.#settings.onViolation(violation);
  }

  #reply(text: string): void {
    this.#settings.write(`${text}\r\n`);
  }
}
