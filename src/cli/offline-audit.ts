/** What `audit verify` asks of `app`: whether a chain of entries is whole. */
import type { AuditChain } from '../api/contract/audit.ts';

export type ChainLink = AuditChain['links'][number];

export type AuditVerdict =
  | { readonly kind: 'intact'; readonly entries: number; readonly newest: string | null }
  | { readonly kind: 'broken'; readonly number: number; readonly text: string };

export interface OfflineAudit {
  /** Links in order, from the first; `take` answers false where no more need be handed over. */
  createVerifier(): {
    take(link: ChainLink): boolean;
    verdict(): AuditVerdict;
  };
}
