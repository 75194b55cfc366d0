/**
 * What is counted about mail, and how rooms count it; `app` gives them Prometheus.
 *
 * One table is the truth for names, labels and docs. Labels are bounded: words of ours, names from
 * the configuration, never an address, a host or a text of a peer.
 */

/** `help` is a sentence; `labels` the names of the labels, in order. */
interface Metric {
  readonly name: string;
  readonly help: string;
  readonly labels: readonly string[];
}

/** Counters, by the word that code uses. */
export const counters = {
  sessionsOpened: {
    name: 'postern_smtp_sessions_total',
    help: 'Inbound sessions that were greeted.',
    labels: ['listener'],
  },
  sessionsRefused: {
    name: 'postern_smtp_sessions_refused_total',
    help: 'Connections that were not let in, or sessions that a bound ended.',
    labels: ['listener', 'reason'],
  },
  messagesAccepted: {
    name: 'postern_messages_accepted_total',
    help: 'Messages answered 250 after their content.',
    labels: ['listener', 'encryption'],
  },
  mailRefused: {
    name: 'postern_mail_refused_total',
    help: 'MAIL, RCPT or contents refused, by the reply code.',
    labels: ['listener', 'code'],
  },
  rateLimited: {
    name: 'postern_rate_limited_total',
    help: 'Recipients answered 450 because of a rate limit.',
    labels: ['limit'],
  },
  headerFieldsRemoved: {
    name: 'postern_header_fields_removed_total',
    help: 'Header fields removed on arrival by the header firewall, by family.',
    labels: ['field'],
  },
  outcomes: {
    name: 'postern_recipient_outcomes_total',
    help: 'What attempts came to, per recipient; cause is empty for delivered ones.',
    labels: ['kind', 'cause'],
  },
  deliveredEncryption: {
    name: 'postern_delivered_recipients_total',
    help: 'Recipients delivered to other hosts, by the encryption of the session.',
    labels: ['encryption', 'connector'],
  },
  dsnsWritten: {
    name: 'postern_dsns_total',
    help: 'Delivery status notifications written.',
    labels: ['action'],
  },
} as const satisfies Readonly<Record<string, Metric>>;

/** Durations in seconds, by the word that code uses. */
export const histograms = {
  deliverySeconds: {
    name: 'postern_delivery_seconds',
    help: 'From acceptance to delivery, per message and next hop; destination is the kind of hop.',
    labels: ['destination'],
  },
} as const satisfies Readonly<Record<string, Metric>>;

export type CounterName = keyof typeof counters;
export type HistogramName = keyof typeof histograms;

type LabelsOf<M extends Metric> = { readonly [Name in M['labels'][number]]: string };

export interface Meter {
  /** `by` is 1 where absent. */
  count<Name extends CounterName>(
    name: Name,
    labels: LabelsOf<(typeof counters)[Name]>,
    by?: number,
  ): void;
  observe<Name extends HistogramName>(
    name: Name,
    labels: LabelsOf<(typeof histograms)[Name]>,
    value: number,
  ): void;
}

/** Counts nothing; for tests and offline commands. */
export const silentMeter: Meter = { count: () => undefined, observe: () => undefined };
