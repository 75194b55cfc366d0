/** What passes between the control process and a lane, by structured clone over IPC. */
import type { Submission } from '../api/contract.ts';
import type { Config } from '../config/config.ts';
import type { Address, ReversePath } from '../mail/address.ts';
import type { Policy } from '../policy/policy.ts';
import type { ValidationRun, ValidationStep } from '../policy/validation/run.ts';
import type { CountedMetrics } from '../report/prometheus.ts';
import type { QueueOrder, QueueStepResult } from '../queue/order.ts';
import type { PassedSocket } from './systemd.ts';

/** What is put in force as a whole, at the start and by each reload. */
export interface LaneConfiguration {
  readonly config: Config;
  readonly policy: Policy;
  /** What the files of `config.files` hold, by their paths: lanes read none of them themselves. */
  readonly files: ReadonlyMap<string, Uint8Array>;
}

/** `shard` is the lane's own number; its file is `queue-<shard>.db` in the data folder. */
export interface LaneStart extends LaneConfiguration {
  readonly kind: 'start';
  readonly shard: number;
  /** Share of the gateway's bounds that this lane gets: 1 over the number of lanes. */
  readonly share: number;
  /** Nobody else listens on our ports: they are opened so that the system refuses a second one. */
  readonly isOnlyLane: boolean;
  /** Ports that systemd opened for us, by the names of listeners. */
  readonly sockets: readonly PassedSocket[];
  /** User to become once the ports are open; null stays. */
  readonly user: string | null;
}

/** A message handed in through the API; `content` has CRLF line ends. */
export interface LaneSubmission extends Omit<Submission, 'content'> {
  readonly content: Uint8Array;
}

/**
 * One validation. `configuration` holds a draft of the connector, with the anchors and certificates that
 * it names; null validates what is in force. `message` null stops before DATA.
 */
export interface LaneValidation {
  readonly id: string;
  readonly organization: string;
  readonly connector: string;
  readonly configuration: LaneConfiguration | null;
  /** Who wrote the smart hosts, for the address guard. */
  readonly smartHostsSetBy: 'organization' | 'gateway';
  readonly recipients: readonly Address[];
  readonly reversePath: ReversePath;
  /** False: only TLS is looked at. */
  readonly asksEnvelope: boolean;
  readonly message: {
    readonly from: string;
    readonly subject: string;
    readonly content: Uint8Array;
  } | null;
}

/** What a lane is asked, by name: what it is handed and what it answers, both plain data. */
export interface LaneRequests {
  submit: { readonly asked: LaneSubmission; readonly answer: { readonly id: string } };
  /** One step of an order on this lane's shard. */
  order: { readonly asked: QueueOrder; readonly answer: QueueStepResult };
  status: { readonly asked: null; readonly answer: LaneStatus };
  metrics: { readonly asked: null; readonly answer: LaneMetrics };
  /** Makes everything that the configuration needs and changes nothing yet. */
  prepare: {
    readonly asked: LaneConfiguration & { readonly reload: number };
    readonly answer: PrepareAnswer;
  };
  /** Puts what was prepared under this number in force, at once; answers what listens then. */
  commit: { readonly asked: number; readonly answer: readonly ListenerAddress[] };
  /** Lets go of what was prepared under this number. */
  abandon: { readonly asked: number; readonly answer: null };
  /** Tells each step while it runs. */
  validate: {
    readonly asked: LaneValidation;
    readonly answer: ValidationRun;
    readonly event: ValidationStep;
  };
}

/** `refused`: `path` is the key of the configuration that stands in the way, empty for none. */
export type PrepareAnswer =
  | { readonly kind: 'prepared' }
  | {
      readonly kind: 'refused';
      readonly path: readonly (string | number)[];
      readonly text: string;
    };

export type LaneRequestName = keyof LaneRequests;
export type Asked<Name extends LaneRequestName> = LaneRequests[Name]['asked'];
export type Answer<Name extends LaneRequestName> = LaneRequests[Name]['answer'];
/** What is told while a request is worked on; never for most. */
export type EventOf<Name extends LaneRequestName> = LaneRequests[Name] extends {
  readonly event: infer Event;
}
  ? Event
  : never;

/** One function for each request; a Failure that it throws reaches whoever asked. */
export type LaneHandlers = {
  readonly [Name in LaneRequestName]: (
    asked: Asked<Name>,
    tell: (event: EventOf<Name>) => void,
  ) => Promise<Answer<Name>>;
};

export interface LaneRequest {
  readonly kind: 'request';
  readonly requestId: number;
  readonly name: LaneRequestName;
  readonly asked: unknown;
}

/** Answered by `pong` whatever the lane is doing, unless its loop stands still. */
export type Ping = { readonly kind: 'ping' };

export type ToLane =
  LaneStart | LaneRequest | Ping | { readonly kind: 'stop'; readonly graceMs: number };

export interface ListenerAddress {
  readonly name: string;
  readonly kind: 'mx' | 'submission';
  readonly tls: 'starttls' | 'implicit';
  readonly host: string;
  readonly port: number;
}

/** `counted` since the start of the lane; `refusing` why new mail is put off now, or null. */
export interface LaneMetrics {
  readonly counted: CountedMetrics;
  readonly refusing: string | null;
}

export interface LaneStatus {
  readonly queued: number;
  readonly held: number;
}

export type FromLane =
  | { readonly kind: 'ready'; readonly listeners: readonly ListenerAddress[] }
  /** The lane cannot start or go on; `isFinal` says that another start would fail in the same way. */
  | {
      readonly kind: 'failed';
      readonly code: string;
      readonly text: string;
      readonly isFinal: boolean;
    }
  | { readonly kind: 'pong' }
  | { readonly kind: 'event'; readonly requestId: number; readonly value: unknown }
  | { readonly kind: 'answer'; readonly requestId: number; readonly value: unknown }
  | {
      readonly kind: 'error';
      readonly requestId: number;
      readonly code: string;
      readonly text: string;
      readonly wireText: string;
    };
