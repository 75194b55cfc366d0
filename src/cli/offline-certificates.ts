/** What `cert show` and `cert import` ask of `app`, which knows keys and paths to roots. */
import type { CertificateFacts } from '../policy/evidence.ts';

/** `config` null: none was found, so that only a file can be meant. */
export interface ShowCertificatesQuestion {
  readonly configFile: string | null;
  /** A name of the configuration, else a file; null shows all that are configured. */
  readonly what: { readonly name: string; readonly file: string } | null;
}

/** One file of certificates. `problem` null where it could be read. */
export interface CertificateView {
  /** In the configuration; null for any other file. */
  readonly name: string | null;
  /** Null where a gateway elsewhere told it, which shows no paths. */
  readonly file: string | null;
  readonly problem: string | null;
  /** In the order of the file. */
  readonly certificates: readonly (CertificateFacts & { readonly keyType: string })[];
  /** Null where there is no key to compare with. */
  readonly keyFits: boolean | null;
  /** A known root that the chain leads to, `bundled` or `system`; null, and `trustDetail` why not. */
  readonly trustedBy: string | null;
  readonly trustDetail: string;
  /** `listener mx`, `outbound connector To Contoso`. */
  readonly usedBy: readonly string[];
}

/** All paths absolute. `files`: certificate, key, intermediates; what is in which is found out. */
export interface ImportCertificateOrder {
  readonly configFile: string;
  readonly name: string;
  readonly files: readonly string[];
}

/** `yaml` is what the configuration lacks; null where it names the files already. */
export interface ImportedView {
  readonly written: readonly string[];
  readonly yaml: string | null;
  readonly notes: readonly string[];
  readonly view: CertificateView;
}

export interface CertificateCommands {
  readonly show: (question: ShowCertificatesQuestion) => Promise<readonly CertificateView[]>;
  /** Throws a Failure and changes nothing where the files do not make a certificate of ours. */
  readonly import: (order: ImportCertificateOrder) => Promise<ImportedView>;
}
