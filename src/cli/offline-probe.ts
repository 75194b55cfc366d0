/** What `tls probe` asks of `app`, which has the code that mail takes. */
import type { DomainPattern } from '../mail/domain-pattern.ts';
import type { AnchorsName } from '../policy/policy.ts';
import type { ProbeMode, ProbeProtocol, ProbeReport } from '../policy/probe-report.ts';

/**
 * `target` a canonical domain or an IP address. A client certificate is `named` in the
 * configuration. `config.file` null: none was found; one that is not `isNamed` may be broken.
 */
export interface ProbeQuestion {
  readonly target: string;
  readonly isMx: boolean;
  readonly port: number;
  readonly protocol: ProbeProtocol;
  readonly mode: ProbeMode;
  readonly names: readonly DomainPattern[];
  readonly pins: readonly string[];
  readonly anchors: AnchorsName;
  readonly clientCertificate:
    | { readonly kind: 'named'; readonly name: string }
    | { readonly kind: 'files'; readonly certificateFile: string; readonly keyFile: string }
    | null;
  readonly config: { readonly file: string | null; readonly isNamed: boolean };
  readonly timeoutMs: number;
}

/** May throw a Failure of the configuration, the anchors or the client certificate. */
export type ProbeTls = (
  question: ProbeQuestion,
  onProgress: (text: string) => void,
) => Promise<ProbeReport>;
