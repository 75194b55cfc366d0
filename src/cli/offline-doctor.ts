/** What `doctor` asks of `app`: every check that needs files, DNS or TLS. */
import type { StatusView } from '../api/contract.ts';

/**
 * `unknown`: this machine does not tell. `area` is stable for programs; `text` says what was found,
 * `whatToDo` (null where nothing is to do) how to mend it; both sentences without a full stop.
 */
export interface Finding {
  readonly area: DoctorArea;
  readonly subject: string;
  readonly level: 'ok' | 'warn' | 'fail' | 'unknown';
  readonly text: string;
  readonly whatToDo: string | null;
}

export type DoctorArea =
  | 'configuration'
  | 'gateway'
  | 'listener'
  | 'certificate'
  | 'resolver'
  | 'mx'
  | 'domain'
  | 'reverse-dns'
  | 'smart-host'
  | 'clock'
  | 'disk'
  | 'data-folder'
  | 'store'
  | 'files'
  | 'node'
  | 'queue';

/** `gateway` null where none answers; `oldestReceivedAt` null for an empty queue. */
export interface DoctorQuestion {
  readonly configFile: string;
  readonly gateway: {
    readonly status: StatusView;
    readonly oldestReceivedAt: string | null;
  } | null;
}

/** Never rejects for what it finds. In the order of `DoctorArea`. */
export type Examine = (
  question: DoctorQuestion,
  onProgress: (text: string) => void,
) => Promise<readonly Finding[]>;
