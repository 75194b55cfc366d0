/** One host of a plan, looked up and guarded. */
import type { Trouble } from '../policy/classify.ts';

/** `reason` names the address. */
export interface RefusedAddress {
  readonly address: string;
  readonly reason: string;
}

/** A host to try. `trouble` tells why it has no address to dial; null where `addresses` has some. */
export interface PlannedHost {
  readonly hostName: string;
  /** 0 for a Unix socket, whose path is the one address. */
  readonly port: number;
  /** The name for SNI; null where the host is given by its address. */
  readonly sni: string | null;
  readonly addresses: readonly string[];
  /** Addresses that the guard refused: they are never dialled. */
  readonly refused: readonly RefusedAddress[];
  readonly trouble: Trouble | null;
  /** Which smart host of the connector led here, from 0; 0 for all others. */
  readonly entry: number;
  /** Of its MX record, 0 without one: hosts of one entry never change places across it. */
  readonly preference: number;
}
