/**
 * One validation of an outbound connector as plain data: what was done step by step, what was seen of
 * each host, and what an administrator is told. Made by `delivery/validate`, stored and shown as it is.
 */
import type { Evidence } from '../evidence.ts';
import type { ValidationCause } from './causes.ts';

/** Addresses that one run tests with, at most. */
export const validationRecipientsMax = 10;

/**
 * In the order of a session. `cover`: whether mail for an address takes this connector. `resolve`: DNS
 * and the address guard. `tls-ehlo`: EHLO again, inside TLS. `verdict`: all that is required, judged as
 * for mail. `message`: the test message.
 */
export type ValidationStepName =
  | 'cover'
  | 'resolve'
  | 'connect'
  | 'banner'
  | 'ehlo'
  | 'starttls'
  | 'handshake'
  | 'chain'
  | 'expiry'
  | 'revocation'
  | 'pin'
  | 'name'
  | 'tls-ehlo'
  | 'verdict'
  | 'mail'
  | 'rcpt'
  | 'message';

/** `skipped`: not done, or not demanded; `text` says which. */
export type ValidationState = 'succeeded' | 'failed' | 'skipped';

/**
 * `host`: a host, or the domain whose MX is looked up; null where the step is about no host. `recipient`
 * null where it is about none in particular. `text` is a sentence without a full stop, sanitized.
 */
export interface ValidationStep {
  readonly kind: 'step';
  readonly host: string | null;
  readonly address: string | null;
  readonly family: AddressFamily | null;
  readonly recipient: string | null;
  readonly step: ValidationStepName;
  readonly state: ValidationState;
  readonly startedAt: string;
  readonly tookMs: number;
  readonly text: string;
}

export type AddressFamily = 'IPv4' | 'IPv6';

/**
 * Something that stands in the way, for people: what happened, why that usually is, and what to do.
 * `status` is the enhanced status that mail would get, `exchangeText` what Exchange calls it; null
 * where there is none. `host`, `address`, `recipient` null where it is about none.
 */
export interface Finding {
  readonly cause: ValidationCause;
  readonly host: string | null;
  readonly address: string | null;
  readonly recipient: string | null;
  readonly status: string | null;
  readonly what: string;
  readonly mend: string;
  readonly exchangeText: string | null;
}

/** One host at one of its addresses; `address` null where there is none to dial. */
export interface HostVerdict {
  readonly host: string;
  readonly address: string | null;
  readonly family: AddressFamily | null;
  readonly port: number;
  readonly state: ValidationState;
  /** The demands that were met, in words; empty where nothing is demanded or it was not met. */
  readonly met: readonly string[];
  /** A sentence without a full stop: what held, or why not. */
  readonly text: string;
  /** Null where the dialogue did not get as far. */
  readonly evidence: Evidence | null;
  /** Fingerprints of the chain as sent, leaf first; the certificates stand in the run. */
  readonly chain: readonly string[];
}

/** What went over one connection; `C:` what we sent, `S:` what the server answered. */
export interface Transcript {
  readonly host: string;
  readonly address: string;
  readonly port: number;
  /** The check of this address, or the test message. */
  readonly purpose: 'check' | 'message';
  readonly lines: readonly string[];
}

/** `fingerprint256` is base64 of SHA-256. */
export interface SeenCertificate {
  readonly fingerprint256: string;
  readonly pem: string;
}

/** How far it was to go: to TLS alone (no address to test with), to RCPT, or to the test message. */
export type ValidationScope = 'connection' | 'recipients' | 'message';

/** What was asked for, after defaults; addresses as text, `reversePath` null for `<>`. */
export interface AskedValidation {
  readonly scope: ValidationScope;
  readonly recipients: readonly string[];
  readonly reversePath: string | null;
  readonly from: string | null;
  readonly subject: string | null;
}

/**
 * `succeeded`: every host at every address would take the mail, and the test message was accepted.
 * `partial`: mail would pass, by some of them. `failed`: it would not.
 */
export type ValidationResult = 'succeeded' | 'partial' | 'failed';

/** `policyRevision` is of the policy that was validated: with the draft in it where `isDraft`. */
export interface ValidationRun {
  readonly formatVersion: 1;
  readonly id: string;
  readonly organization: string;
  readonly connector: string;
  readonly isDraft: boolean;
  readonly policyRevision: string;
  readonly startedAt: string;
  readonly endedAt: string;
  readonly asked: AskedValidation;
  readonly result: ValidationResult;
  /** One sentence without a full stop. */
  readonly summary: string;
  readonly findings: readonly Finding[];
  readonly steps: readonly ValidationStep[];
  readonly hosts: readonly HostVerdict[];
  readonly transcripts: readonly Transcript[];
  readonly certificates: readonly SeenCertificate[];
}

/** Told of each step as it is done. */
export type OnValidationStep = (step: ValidationStep) => void;
