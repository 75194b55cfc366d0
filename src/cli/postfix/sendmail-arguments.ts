/**
 * The command line of sendmail, as Postfix, cron, PHP and mail(1) use it.
 *
 * Options that only another program's inside knows are taken and do nothing; what would change what
 * becomes of the mail acts, or is refused. @see sendmail(1) of Postfix
 */
import { Failure } from '../../mail/failure.ts';

export interface SendmailCall {
  /** `send` is the default; `list` mailq, `flush` -q, `aliases` newaliases. */
  readonly mode: 'send' | 'list' | 'flush' | 'aliases';
  /** -t */
  readonly readsRecipients: boolean;
  /** -i: a line with a dot alone does not end the message. */
  readonly ignoresDots: boolean;
  /** -f, -r; null where the caller's own name is meant. */
  readonly sender: string | null;
  /** -F */
  readonly fullName: string | null;
  readonly notify: readonly ('success' | 'failure' | 'delay')[] | null;
  readonly ret: 'full' | 'headers' | null;
  readonly envelopeId: string | null;
  readonly recipients: readonly string[];
}

/** With a value: the rest of the word, or the next word. */
const withValue = new Set('ABCDFLNORVXbfhopr'.split(''));
/** Without, or only attached. */
const flags = new Set('GUeimntvxq'.split(''));
/** They concern the inside of another program, or the wire, which we read off the message. */
const ignored = new Set('ABCDGLOUXehmnopvx'.split(''));

interface Mutable {
  mode: SendmailCall['mode'];
  readsRecipients: boolean;
  ignoresDots: boolean;
  sender: string | null;
  fullName: string | null;
  notify: SendmailCall['notify'];
  ret: SendmailCall['ret'];
  envelopeId: string | null;
}

/** Throws `option-wrong`. */
export function parseSendmail(argv: readonly string[]): SendmailCall {
  const call: Mutable = {
    mode: 'send',
    readsRecipients: false,
    ignoresDots: false,
    sender: null,
    fullName: null,
    notify: null,
    ret: null,
    envelopeId: null,
  };
  let at = 0;
  for (; at < argv.length; at++) {
    const word = argv[at]!;
    if (word === '--') {
      at++;
      break;
    }
    if (!word.startsWith('-') || word === '-') break;
    at += readWord(call, word, argv[at + 1]);
  }
  return { ...call, recipients: argv.slice(at) };
}

/** How many words more it took. */
function readWord(call: Mutable, word: string, next: string | undefined): 0 | 1 {
  for (let i = 1; i < word.length; i++) {
    const letter = word[i]!;
    const rest = word.slice(i + 1);
    if (withValue.has(letter)) {
      if (rest === '' && next === undefined) throw wrong(`-${letter} needs a value`);
      take(call, letter, rest === '' ? next! : rest);
      return rest === '' ? 1 : 0;
    }
    if (!flags.has(letter)) throw wrong(`-${letter} is not known`);
    take(call, letter, rest);
    // -q30m, -qRsite, -em: the value is attached.
    if (letter === 'q' || letter === 'e') return 0;
  }
  return 0;
}

function take(call: Mutable, letter: string, value: string): void {
  switch (letter) {
    case 'b':
      call.mode = modeOf(value);
      return;
    case 'q':
      if (value !== '') throw wrong(`-q${value}: only -q alone, for the whole queue, is there`);
      call.mode = 'flush';
      return;
    case 't':
      call.readsRecipients = true;
      return;
    case 'i':
      call.ignoresDots = true;
      return;
    case 'o':
      if (value === 'i') call.ignoresDots = true;
      return;
    case 'f':
    case 'r':
      call.sender = value;
      return;
    case 'F':
      call.fullName = value;
      return;
    case 'N':
      call.notify = notifyOf(value);
      return;
    case 'R':
      call.ret = retOf(value);
      return;
    case 'V':
      call.envelopeId = value;
      return;
    default:
      if (!ignored.has(letter)) throw wrong(`-${letter} is not known`);
  }
}

function modeOf(value: string): SendmailCall['mode'] {
  switch (value) {
    case 'm':
      return 'send';
    case 'p':
      return 'list';
    case 'i':
      return 'aliases';
    default:
      throw wrong(`-b${value}: only -bm, -bp and -bi are there; SMTP is spoken on the listeners`);
  }
}

function notifyOf(value: string): NonNullable<SendmailCall['notify']> {
  const words = value.toLowerCase().split(',');
  if (words.length === 1 && words[0] === 'never') return [];
  return words.map((word) => {
    if (word === 'success' || word === 'failure' || word === 'delay') return word;
    throw wrong(`-N ${value}: never, or some of success, failure, delay`);
  });
}

function retOf(value: string): 'full' | 'headers' {
  const word = value.toLowerCase();
  if (word === 'full') return 'full';
  if (word === 'hdrs') return 'headers';
  throw wrong(`-R ${value}: full or hdrs`);
}

function wrong(text: string): Failure {
  return new Failure('option-wrong', text);
}
