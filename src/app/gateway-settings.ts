/** What the gateway is started with. */
import type { Config } from '../config/config.ts';
import type { Policy } from '../policy/policy.ts';
import type { Log } from '../report/log.ts';
import type { StartLane } from './lane-process.ts';

/** `configFile` null: the embedded default of a first start. `user` null: stay who we are. */
export interface GatewaySettings {
  readonly config: Config;
  readonly policy: Policy;
  readonly configFile: string | null;
  readonly user: string | null;
  /** Called once the lanes listen: gives up root before the API reads anything. */
  readonly dropPrivileges: () => void;
  readonly log: Log;
  /** A process for each lane where absent. */
  readonly startLane?: StartLane;
}
