/**
 * The sentences of a DSN's text: what happened and what the sender can do, per cause, for mail that
 * failed and for mail that waits. Plain words for somebody who knows nothing of mail servers.
 */
import type { Outcome } from '../policy/outcome.ts';
import type { DsnAction } from '../standards/dsn/delivery-status.ts';
import type { LeftOut } from './returned-content.ts';

/** Every word that an outcome gives for what went wrong. */
export type Cause = Exclude<Outcome, { readonly kind: 'delivered' }>['cause'];

export interface Words {
  readonly happened: string;
  readonly toDo: string;
}

/** The paragraph over all recipients of one action. */
export const headlines: Readonly<Record<DsnAction, string>> = {
  failed:
    'Your mail could not be delivered to the recipients named below. It will not be tried ' +
    'again. Other recipients of the same mail, if there were any, are not affected.',
  delayed:
    'Your mail has not been delivered yet to the recipients named below. It is not lost: it ' +
    'waits at this gateway. You need not send it again.',
  expanded:
    'Your mail has arrived at the address named below, and was passed on to those who receive ' +
    'its mail. From now on you are told only if it waits or fails there.',
  relayed:
    'Your mail was passed on to the mail server of the recipients named below. That server does ' +
    'not confirm deliveries: you hear of this mail again only if something goes wrong there.',
  delivered: 'Your mail was delivered to the recipients named below.',
};

export const leftOutWords: Readonly<Record<LeftOut, string>> = {
  forced: 'because it had to travel protected, and a report must not show what it says',
  'too-large': 'because it is larger than a report may be',
  'not-7bit': 'because it holds characters that a report could not carry unchanged',
};

export function isAboutTls(cause: Cause): boolean {
  return cause.startsWith('tls-');
}

const askAdministrator =
  'Please forward this message to your administrator, who can see more with the reference below.';
const otherWay = 'Send it again later, or reach the recipient in another way.';
const checkDomain = 'Check the part of the address after the @ sign.';
const waiting = 'Nothing for now. If it is urgent, reach the recipient in another way.';

/** `isForced`: something was required of the connection. */
export function failedWords(cause: Cause, isForced: boolean): Words {
  switch (cause) {
    case 'dns':
      return {
        happened: "The mail server of the recipient's domain could not be found.",
        toDo: `${checkDomain} If it is right: ${otherWay}`,
      };
    case 'connect':
      return { happened: "The recipient's mail server could not be reached.", toDo: otherWay };
    case 'timeout':
      return { happened: "The recipient's mail server did not answer in time.", toDo: otherWay };
    case 'connection-lost':
      return { happened: "The recipient's mail server broke the connection off.", toDo: otherWay };
    case 'peer-reply':
      return {
        happened: "The recipient's mail server did not take the mail.",
        toDo:
          'The answer above comes from the other side and says why. Check the address; if it is ' +
          'right, show that answer to the recipient or to their administrator.',
      };
    case 'tls-not-offered':
    case 'tls-refused':
    case 'tls-handshake':
    case 'tls-requirement':
      return isForced ? forcedFailed : opportunisticFailed;
    case 'policy':
    case 'policy-weakened':
    case 'rule':
      return {
        happened: 'A rule of this mail system does not let the mail pass.',
        toDo: askAdministrator,
      };
    case 'damaged':
    case 'local':
      return {
        happened: 'A fault of this mail system kept the mail from being sent.',
        toDo: askAdministrator,
      };
  }
}

const forcedFailed: Words = {
  happened:
    'Mail to this recipient must travel over a secure connection that meets a set rule. No ' +
    'connection did, so the mail was kept back: it did not leave this gateway without that ' +
    'protection.',
  toDo:
    `${askAdministrator} The recipient's server has to offer what is required; your ` +
    'administrator can settle that with theirs. Then send the mail again. Another mail service ' +
    'may not protect it in the same way.',
};

const opportunisticFailed: Words = {
  happened: "An encrypted connection with the recipient's mail server could not be made.",
  toDo: `${otherWay} Their administrator can mend the encryption of that server.`,
};

/** Mail to an alias of ours: of what is behind it, nothing is told. */
export const aliasWords: Readonly<Record<'failed' | 'delayed', Words>> = {
  failed: {
    happened: 'This address passes its mail on to another one. That failed.',
    toDo:
      'Reach the recipient in another way, and let those who run this address know: they can see ' +
      'more with the reference below.',
  },
  delayed: {
    happened: 'This address passes its mail on to another one, which takes none at the moment.',
    toDo: waiting,
  },
};

/** The same for mail that waits. */
export function delayedWords(cause: Cause, isForced: boolean): Words {
  switch (cause) {
    case 'dns':
      return {
        happened: "The mail server of the recipient's domain cannot be found at the moment.",
        toDo: `${checkDomain} If it is wrong, send the mail to the right one. If it is right: ${waiting}`,
      };
    case 'connect':
      return { happened: "The recipient's mail server cannot be reached now.", toDo: waiting };
    case 'timeout':
      return { happened: "The recipient's mail server does not answer in time.", toDo: waiting };
    case 'connection-lost':
      return { happened: "The recipient's mail server breaks the connection off.", toDo: waiting };
    case 'peer-reply':
      return {
        happened: "The recipient's mail server does not take the mail at the moment.",
        toDo: waiting,
      };
    case 'tls-not-offered':
    case 'tls-refused':
    case 'tls-handshake':
    case 'tls-requirement':
      return isForced ? forcedDelayed : opportunisticDelayed;
    case 'policy':
      return isForced
        ? forcedDelayed
        : {
            happened: 'A setting of this mail system keeps the mail back.',
            toDo: askAdministrator,
          };
    case 'policy-weakened':
      return {
        happened:
          'The rule that protects mail to this recipient was changed after your mail had been ' +
          'accepted, and asks for less than before. So that your mail does not leave with less ' +
          'protection than it was promised, it is held until an administrator has looked at it.',
        toDo: askAdministrator,
      };
    case 'rule':
      return {
        happened: 'A rule of this mail system keeps the mail until an administrator has seen it.',
        toDo: askAdministrator,
      };
    case 'damaged':
    case 'local':
      return {
        happened: 'A fault of this mail system keeps the mail back.',
        toDo: askAdministrator,
      };
  }
}

const forcedDelayed: Words = {
  happened:
    'Mail to this recipient must travel over a secure connection that meets a set rule. No ' +
    'connection has met it so far, so the mail is kept back: it has not left this gateway ' +
    'without that protection, and it will not.',
  toDo:
    'If it is urgent, reach the recipient in another way, but mind that another mail service may ' +
    'not protect it in the same way. Forward this message to your administrator: the ' +
    "recipient's server has to offer what is required, and your administrator can settle that " +
    'with theirs. Once it does, your mail goes out by itself.',
};

const opportunisticDelayed: Words = {
  happened: "An encrypted connection with the recipient's mail server cannot be made now.",
  toDo: waiting,
};
