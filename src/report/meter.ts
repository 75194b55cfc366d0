/**
 * What is counted about mail, and how rooms count it; `app` gives them Prometheus.
 *
 * One table is the truth for names, labels and docs. Labels are bounded: words of ours, names from
 * the configuration, never an address, a host or a text of a peer.
 */

/** `help` is a sentence; `labels` the names of the labels, in order. */
export interface Metric {
  readonly name: string;
  readonly help: string;
  readonly labels: readonly string[];
  /** How a gauge is joined over processes; absent is `sum`. */
  readonly joined?: 'max';
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
    help: 'Messages taken, by listener (api: handed in on this machine) and TLS version (none, inside).',
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
  shadowVerdicts: {
    name: 'postern_shadow_verdicts_total',
    help: 'What connectors in the modes warn and observe would have said, by direction and result (met, unmet, unexamined).',
    labels: ['direction', 'mode', 'result'],
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
  outages: {
    name: 'postern_outages_total',
    help: 'Times that disk, store or DNS failed and that they came back; event is began or ended.',
    labels: ['what', 'event'],
  },
  clockJumps: {
    name: 'postern_clock_jumps_total',
    help: 'Steps of the clock by a minute or more while the gateway ran, forward or back.',
    labels: ['way'],
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

/**
 * States of now, read when somebody asks; `app` says where each is read. Over several processes they
 * are summed, but for those that say `max`.
 */
export const gauges = {
  queueDeliveries: {
    name: 'postern_queue_deliveries',
    help: 'Deliveries in the store, by state.',
    labels: ['state'],
  },
  queueOldestSeconds: {
    name: 'postern_queue_oldest_seconds',
    help: 'Age of the oldest message that has not left; 0 where none waits.',
    labels: [],
    joined: 'max',
  },
  attemptsInFlight: {
    name: 'postern_attempts_in_flight',
    help: 'Attempts under way.',
    labels: [],
  },
  sessionsOpen: {
    name: 'postern_smtp_sessions_open',
    help: 'Inbound sessions that are open.',
    labels: ['listener'],
  },
  connectionsOpen: {
    name: 'postern_smtp_connections_open',
    help: 'Outgoing connections that are open, idle ones included.',
    labels: [],
  },
  contentBytesInMemory: {
    name: 'postern_content_bytes_in_memory',
    help: 'Contents in memory: being received, or waiting for their first attempt.',
    labels: ['kind'],
  },
  storeWaitingRecords: {
    name: 'postern_store_waiting_records',
    help: 'Records that wait for the disk.',
    labels: [],
  },
  storeWaitingBytes: {
    name: 'postern_store_waiting_bytes',
    help: 'Bytes that wait for the disk.',
    labels: [],
  },
  storeCommits: {
    name: 'postern_store_commits',
    help: 'Transactions committed since the start.',
    labels: [],
  },
  acceptsMail: {
    name: 'postern_accepts_mail',
    help: 'Lanes that take new mail; 0 while the disk is short, the store fails or too much waits.',
    labels: [],
  },
  diskFreeBytes: {
    name: 'postern_disk_free_bytes',
    help: 'Space left on the disk of the data folder.',
    labels: [],
    joined: 'max',
  },
  lanesRunning: {
    name: 'postern_lanes_running',
    help: 'Lanes that answer.',
    labels: [],
  },
  lanesConfigured: {
    name: 'postern_lanes_configured',
    help: 'Lanes that should run.',
    labels: [],
  },
  certificateExpiry: {
    name: 'postern_certificate_expiry_timestamp_seconds',
    help: 'When each of our certificates expires, by its name in the configuration.',
    labels: ['certificate'],
    joined: 'max',
  },
  configReloadSucceeded: {
    name: 'postern_config_last_reload_successful',
    help: '1 where the newest configuration is in force, 0 where it was refused.',
    labels: [],
    joined: 'max',
  },
  buildInfo: {
    name: 'postern_build_info',
    help: 'Always 1; the version and the policy revision in force.',
    labels: ['version', 'revision'],
    joined: 'max',
  },
} as const satisfies Readonly<Record<string, Metric>>;

export type CounterName = keyof typeof counters;
export type HistogramName = keyof typeof histograms;
export type GaugeName = keyof typeof gauges;

/** One value of a gauge; `labels` in the order of the table. */
export interface GaugeReading {
  readonly name: GaugeName;
  readonly labels: readonly string[];
  readonly value: number;
}

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
