/** What the gateway is started with. */
import type { Config } from '../config/config.ts';
import type { Configuration, ConfigurationSource } from './configuration.ts';
import type { StartLane } from './lane-process.ts';
import type { ClosableResolver } from './lane-resolver.ts';
import type { AdjustableLog } from './log.ts';
import type { PassedSocket } from './systemd.ts';

/** `user` null: stay who we are. */
export interface GatewaySettings {
  readonly configuration: Configuration;
  /** Where a reload finds the next one. */
  readonly source: ConfigurationSource;
  readonly user: string | null;
  /** Ports that systemd opened for us, by the names of listeners; usually empty. */
  readonly sockets: readonly PassedSocket[];
  /** Called once the lanes listen: gives up root before the API reads anything. */
  readonly dropPrivileges: () => void;
  readonly log: AdjustableLog;
  /** A process for each lane where absent. */
  readonly startLane?: StartLane;
  /** What the control process asks DNS with; the configured resolvers where absent. */
  readonly openResolver?: (config: Config) => Promise<ClosableResolver>;
}
