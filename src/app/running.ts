/** What the control process holds while the gateway runs. */
import type { CertificateCare } from './certificate-care.ts';
import type { DomainCare } from './domains/domain-care.ts';
import type { OpenPeople } from './people/open-people.ts';
import type { LaneProcess } from './lane-process.ts';
import type { KeptPolicy } from './policy/kept-policy.ts';
import type { Reloader } from './reloader.ts';
import type { ShardReaders } from './shard-readers.ts';
import type { Validations } from './validation/validations.ts';

/** `lanes` in the order of their shards. */
export interface Running {
  readonly lanes: readonly LaneProcess[];
  readonly readers: ShardReaders;
  readonly reloader: Reloader;
  readonly care: CertificateCare;
  readonly domains: DomainCare;
  readonly kept: KeptPolicy;
  readonly validations: Validations;
  readonly people: OpenPeople;
}
