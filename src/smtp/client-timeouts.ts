/**
 * How long the client waits for each reply of the server.
 *
 * @see RFC 5321 §4.5.3.2
 */

/** All in milliseconds, at least 1. */
export interface ClientTimeouts {
  readonly greetingMs: number;
  /** EHLO, HELO, STARTTLS and RSET. */
  readonly helloMs: number;
  readonly mailMs: number;
  readonly rcptMs: number;
  /** From DATA to its 354. */
  readonly dataInitiationMs: number;
  /** For the peer to take one block of content. */
  readonly dataBlockMs: number;
  /** From the end of content to its reply. */
  readonly dataTerminationMs: number;
  /** From QUIT until the connection is cut. The RFC has 5 minutes; nothing is lost by fewer. */
  readonly quitMs: number;
}

const minute = 60_000;

/** What the RFC asks for at least. */
export const defaultClientTimeouts: ClientTimeouts = {
  greetingMs: 5 * minute,
  helloMs: 5 * minute,
  mailMs: 5 * minute,
  rcptMs: 5 * minute,
  dataInitiationMs: 2 * minute,
  dataBlockMs: 3 * minute,
  dataTerminationMs: 10 * minute,
  quitMs: 5_000,
};
