/** What an administrator sets about one listener. Durations in milliseconds, sizes in bytes. */
import type { BareLineBreaks } from '../smtp/content-lines.ts';
import type { ServerSessionOptions } from '../smtp/server-event.ts';

/**
 * `mx` takes mail for accepted domains from anybody and offers no AUTH; `submission` takes mail of
 * signed-in accounts, under TLS only. @see RFC 6409 §4
 */
export type ListenerKind = 'mx' | 'submission';

export interface ListenerSettings {
  /** For logs: `mx`, `submissions`. */
  readonly name: string;
  readonly host: string;
  /** 0 takes any free port. */
  readonly port: number;
  readonly kind: ListenerKind;
  /** `starttls` begins in clear and offers it; `implicit` begins with the handshake. */
  readonly tls: 'starttls' | 'implicit';
  readonly requestClientCertificate: boolean;
  /** CIDR of load balancers, which must begin with a PROXY header; nobody else may. */
  readonly proxies: readonly string[];
  /** What becomes of a CR or LF of the content that stands alone. */
  readonly bareLineBreaks: BareLineBreaks;
  /** Other processes of ours listen on the same port; else a taken port is refused. */
  readonly sharesPort: boolean;
  /** A descriptor that listens on that host and port already; null or absent opens the port. */
  readonly fd?: number | null;
  readonly limits: ListenerLimits;
}

/** Every wait and every buffer of a listener has its bound here. */
export interface ListenerLimits {
  readonly sessionsMax: number;
  /** Per IPv4 address, per /64 of IPv6. */
  readonly sessionsPerAddressMax: number;
  readonly recipientsMax: number;
  readonly messageSizeBytesMax: number;
  /** Longest line of the content with its CRLF. @see RFC 5321 §4.5.3.1.6 */
  readonly lineBytesMax: number;
  /** Content up to this size stays in memory; larger content goes to the spool while it arrives. */
  readonly memoryContentBytesMax: number;
  /** How long DATA waits for memory of other sessions before it is answered 452. */
  readonly memoryWaitMs: number;
  /** From our reply to the end of the next command. @see RFC 5321 §4.5.3.2.7 */
  readonly commandTimeoutMs: number;
  /** Between two pieces of content. */
  readonly dataTimeoutMs: number;
  readonly handshakeTimeoutMs: number;
  /** The whole session, however busy it is. */
  readonly sessionMs: number;
  /** How long a client that is not known has to stay silent before the greeting; 0 looks once. */
  readonly greetingDelayMs: number;
  /** How long a listed load balancer may take to send its PROXY header. */
  readonly proxyTimeoutMs: number;
  /** Octets per second of content, measured over the time that we waited for the client; 0 for any. */
  readonly contentBytesPerSecondMin: number;
  /** No speed is judged before we waited so long for a content. */
  readonly slowAfterMs: number;
  /** How long a client may be silent outside of a transaction while the listener is nearly full. */
  readonly crowdedIdleMs: number;
  /** Commands refused for syntax or sequence until the session is closed. */
  readonly errorsMax: number;
  /** Commands without an accepted message until the session is closed. */
  readonly commandsMax: number;
  /** Recipients and senders refused since the last accepted message until the session is closed. */
  readonly refusalsMax: number;
  readonly authFailuresMax: number;
  readonly authFailureDelayMs: number;
  /** Received fields above which a message is in a loop. @see RFC 5321 §6.3 */
  readonly hopsMax: number;
  /** Received fields of our own above which it is: it came back that often. */
  readonly ownHopsMax: number;
}

/** What is used where nothing is configured. */
export const defaultLimits: ListenerLimits = {
  sessionsMax: 1000,
  sessionsPerAddressMax: 50,
  recipientsMax: 1000,
  messageSizeBytesMax: 36 * 1024 * 1024,
  lineBytesMax: 64 * 1024,
  memoryContentBytesMax: 256 * 1024,
  memoryWaitMs: 10_000,
  commandTimeoutMs: 300_000,
  dataTimeoutMs: 180_000,
  handshakeTimeoutMs: 30_000,
  sessionMs: 3_600_000,
  greetingDelayMs: 0,
  proxyTimeoutMs: 5000,
  contentBytesPerSecondMin: 500,
  slowAfterMs: 30_000,
  crowdedIdleMs: 10_000,
  errorsMax: 10,
  commandsMax: 100,
  refusalsMax: 100,
  authFailuresMax: 3,
  authFailureDelayMs: 1000,
  hopsMax: 50,
  ownHopsMax: 5,
};

/** Largest header block that is taken. */
export const headerBytesMax = 256 * 1024;

/** What the wire of a new session keeps to. `hostName` is ours, of today's policy. */
export function wireRulesOf(settings: ListenerSettings, hostName: string): ServerSessionOptions {
  const { limits } = settings;
  return {
    hostName,
    isUnderTls: settings.tls === 'implicit',
    offersStartTls: settings.tls === 'starttls',
    offersAuth: settings.kind === 'submission',
    messageSizeBytesMax: limits.messageSizeBytesMax,
    bareLineBreaks: settings.bareLineBreaks,
    lineBytesMax: limits.lineBytesMax,
    recipientsMax: limits.recipientsMax,
    errorsMax: limits.errorsMax,
    commandsMax: limits.commandsMax,
  };
}
