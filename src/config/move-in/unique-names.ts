/** Names of imported objects: unique within their kind, case ignored, and no longer than allowed. */
import { sanitizePeerText } from '../../mail/peer-text.ts';

const lengthMax = 64;

export class UniqueNames {
  readonly #taken = new Set<string>();

  /** The name itself where it can be; else shortened, cleaned or numbered. */
  make(wanted: string): string {
    const clean = sanitizePeerText(wanted).trim() || 'without a name';
    for (let count = 1; ; count++) {
      const end = count === 1 ? '' : ` (${count})`;
      const name = `${clean.slice(0, lengthMax - end.length).trimEnd()}${end}`.replace(
        /[\ud800-\udbff](?=$| \()/,
        '?',
      );
      if (this.#taken.has(name.toLowerCase())) continue;
      this.#taken.add(name.toLowerCase());
      return name;
    }
  }
}
