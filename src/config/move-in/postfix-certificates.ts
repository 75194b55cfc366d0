/** Our own certificates, of what Postfix's server and client present. */
import { show } from '../readers.ts';
import { Draft } from './draft.ts';
import type { MoveLine } from './move-report.ts';
import type { MainCf, Setting } from './postfix-main-cf.ts';
import { settingOf } from './postfix-main-cf.ts';
import { splitWords } from './postfix-lines.ts';

export interface ImportedCertificates {
  readonly drafts: readonly Draft[];
  readonly lines: readonly MoveLine[];
  readonly told: ReadonlySet<string>;
  /** The one that we present to partners; null where none is set. */
  readonly client: string | null;
}

/** Certificate and key parameters, and the name that the pair gets. */
const pairs = [
  { certificate: 'cert_file', key: 'key_file', suffix: '' },
  { certificate: 'eccert_file', key: 'eckey_file', suffix: '-ecdsa' },
  { certificate: 'dcert_file', key: 'dkey_file', suffix: '-dsa' },
] as const;

export function importCertificates(main: MainCf): ImportedCertificates {
  const importing = new Importing(main);
  importing.addSide('smtpd_tls', 'server');
  const client = importing.addSide('smtp_tls', 'client');
  return { drafts: importing.drafts, lines: importing.lines, told: importing.told, client };
}

class Importing {
  readonly drafts: Draft[] = [];
  readonly lines: MoveLine[] = [];
  readonly told = new Set<string>();
  readonly #main: MainCf;

  constructor(main: MainCf) {
    this.#main = main;
  }

  /** The name of the first that is made. */
  addSide(prefix: string, name: 'server' | 'client'): string | null {
    const made: string[] = [];
    const chains = this.#setting(`${prefix}_chain_files`);
    const chainFiles =
      chains === null ? [] : splitWords(this.#main.parameters.get(chains.property));
    if (chains !== null) this.told.add(chains.property);
    if (chains !== null && chainFiles.length === 0) this.#say(chains, 'left-out', 'names no file');
    chainFiles.forEach((file, place) => {
      const own = place === 0 ? name : `${name}-${place + 1}`;
      this.#add(own, { certificate: file, key: file }, [chains!]);
      made.push(own);
    });
    for (const pair of pairs) {
      const own = this.#addPair(prefix, name, pair, chainFiles.length > 0);
      if (own !== null) made.push(own);
    }
    return made[0] ?? null;
  }

  #addPair(
    prefix: string,
    name: string,
    pair: (typeof pairs)[number],
    hasChain: boolean,
  ): string | null {
    const [certificate, key] = [pair.certificate, pair.key].map((end) => `${prefix}_${end}`) as [
      string,
      string,
    ];
    const settings = [certificate, key].flatMap((each) => this.#setting(each) ?? []);
    for (const each of settings) this.told.add(each.property);
    const [first] = settings;
    if (first === undefined) return null;
    const files = {
      certificate: this.#main.parameters.get(certificate),
      key: this.#main.parameters.get(key),
    };
    const why = whyNot(files, pair.suffix, hasChain);
    if (why !== null) {
      for (const each of settings) this.#say(each, 'left-out', why);
      return null;
    }
    const own = `${name}${pair.suffix}`;
    this.#add(own, files, settings);
    return own;
  }

  #add(
    name: string,
    files: { readonly certificate: string; readonly key: string },
    settings: readonly Setting[],
  ): void {
    const [first] = settings;
    const draft = new Draft('certificate', name, first!, `certificate ${show(name)}`);
    Object.assign(draft.value, files);
    const use = name.startsWith('server')
      ? 'name it in serverCertificates of the configuration file, so that listeners present it'
      : 'connectors of this import present it to partners that ask; mail without a connector presents none';
    const text = `certificate: ${show(files.certificate)}, key: ${show(files.key)}; ${use}`;
    for (const setting of settings) draft.say(setting, 'taken-over', text);
    this.drafts.push(draft);
  }

  #setting(name: string): Setting | null {
    return settingOf(this.#main, name);
  }

  #say({ property, file, line }: Setting, outcome: MoveLine['outcome'], text: string): void {
    this.lines.push({ subject: '', property, file, line, outcome, text });
  }
}

function whyNot(
  { certificate, key }: { readonly certificate: string; readonly key: string },
  suffix: string,
  hasChain: boolean,
): string | null {
  if (hasChain) return 'has no effect beside the chain files';
  if (certificate === '' || key === '' || certificate === 'none') return 'no certificate';
  return suffix === '-dsa' ? 'DSA certificates are not used any more' : null;
}
