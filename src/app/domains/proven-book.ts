/**
 * What was proven of accepted domains, kept in a file of the data folder: once proven, a domain stays
 * so until another organization has it. Nothing that DNS does or fails to do takes it away.
 */
import { readFile, rename, stat } from 'node:fs/promises';
import { z } from 'zod';
import { revisionOf } from '../../config/to-policy.ts';
import type { AcceptedDomain, Policy } from '../../policy/policy.ts';
import { foldersOf } from '../data-folder.ts';
import { replaceFile } from '../replace-file.ts';

const provenSchema = z.object({
  domain: z.string().min(1).max(253),
  organization: z.string().min(1),
  provenAt: z.iso.datetime(),
});

/** A domain, the organization to which it belongs, and since when that is known. */
export type ProvenDomain = z.infer<typeof provenSchema>;

const fileSchema = z.object({
  formatVersion: z.literal(1),
  proven: z.array(provenSchema),
});

const fileBytesMax = 16 * 1024 * 1024;

/** `problem`: the file cannot be used, so that nothing is proven by it; null again once another is written. */
export interface ProvenBook {
  readonly problem: string | null;
  /** The policy with what is proven; the same value where nothing is. Its revision tells. */
  applyTo(policy: Policy): Policy;
  find(organization: string, domain: string): ProvenDomain | null;
  add(proven: readonly ProvenDomain[]): void;
  /** Forgets what another organization has now. */
  forgetMoved(policy: Policy): void;
  /** Writes what has changed since the last time. Rejects where that fails; then it is still to do. */
  save(): Promise<void>;
}

/** Never rejects: a file that cannot be read proves nothing. */
export async function openProvenBook(dataFolder: string): Promise<ProvenBook> {
  const file = foldersOf(dataFolder).provenDomains;
  const found = await readProven(file);
  return new Book(file, found);
}

type Found = { readonly proven: readonly ProvenDomain[] } | { readonly problem: string };

async function readProven(file: string): Promise<Found> {
  try {
    const { size } = await stat(file);
    if (size > fileBytesMax) return { problem: `${file} is too large to be what it should be` };
    const parsed = fileSchema.safeParse(JSON.parse(await readFile(file, 'utf8')));
    if (parsed.success) return { proven: parsed.data.proven };
    return { problem: `${file} is damaged, or a newer Postern wrote it` };
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT') return { proven: [] };
    const isText = error instanceof SyntaxError;
    return { problem: isText ? `${file} is damaged` : `${file} cannot be read (${code ?? '?'})` };
  }
}

class Book implements ProvenBook {
  readonly #file: string;
  readonly #byDomain = new Map<string, ProvenDomain>();
  #isChanged = false;
  #problem: string | null;
  #saving: Promise<void> = Promise.resolve();

  constructor(file: string, found: Found) {
    this.#file = file;
    this.#problem = 'problem' in found ? found.problem : null;
    if ('proven' in found) {
      for (const proven of found.proven) this.#byDomain.set(proven.domain, proven);
    }
  }

  get problem(): string | null {
    return this.#problem;
  }

  applyTo(policy: Policy): Policy {
    let isChanged = false;
    const organizations = policy.organizations.map((organization) => {
      const isNew = (accepted: AcceptedDomain): boolean =>
        !accepted.isProven && this.find(organization.id, accepted.domain) !== null;
      if (!organization.acceptedDomains.some(isNew)) return organization;
      isChanged = true;
      const acceptedDomains = organization.acceptedDomains.map((accepted) =>
        isNew(accepted) ? { ...accepted, isProven: true } : accepted,
      );
      return { ...organization, acceptedDomains };
    });
    if (!isChanged) return policy;
    const { revision: _revision, ...content } = { ...policy, organizations };
    return { ...content, revision: revisionOf(content) };
  }

  find(organization: string, domain: string): ProvenDomain | null {
    const known = this.#byDomain.get(domain);
    return known?.organization === organization ? known : null;
  }

  add(proven: readonly ProvenDomain[]): void {
    for (const each of proven) this.#byDomain.set(each.domain, each);
    if (proven.length > 0) this.#isChanged = true;
  }

  forgetMoved(policy: Policy): void {
    for (const { id, acceptedDomains } of policy.organizations) {
      for (const { domain } of acceptedDomains) {
        const known = this.#byDomain.get(domain);
        if (known === undefined || known.organization === id) continue;
        this.#byDomain.delete(domain);
        this.#isChanged = true;
      }
    }
  }

  save(): Promise<void> {
    const saving = this.#saving.then(() => this.#save());
    this.#saving = saving.catch(() => undefined);
    return saving;
  }

  async #save(): Promise<void> {
    if (!this.#isChanged) return;
    const proven = [...this.#byDomain.values()].sort((a, b) => (a.domain < b.domain ? -1 : 1));
    this.#isChanged = false;
    try {
      if (this.#problem !== null) await rename(this.#file, `${this.#file}.damaged`);
      this.#problem = null;
      await replaceFile(this.#file, `${JSON.stringify({ formatVersion: 1, proven }, null, 2)}\n`);
    } catch (error) {
      this.#isChanged = true;
      throw error;
    }
  }
}
