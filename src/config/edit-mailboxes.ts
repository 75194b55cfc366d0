/**
 * Adds mailboxes to a configuration's text and sets their passwords, touching nothing else of it:
 * comments, order and spelling stay as somebody wrote them.
 *
 * The places are found by the YAML parser; the text is cut there, and what came out is read again and
 * compared with what was meant.
 */
import { isDeepStrictEqual } from 'node:util';
import type { Node, Pair, YAMLMap, YAMLSeq } from 'yaml';
import { isMap, isScalar, isSeq, parseDocument } from 'yaml';
import { Failure } from '../mail/failure.ts';

/** As it shall stand in the file. `passwordHash` null: nobody can sign in. `place`: the organization's in the list. */
export interface NewMailbox {
  readonly place: number;
  readonly account: string;
  readonly addresses: readonly string[];
  readonly passwordHash: string | null;
}

/** The text with one more mailbox, the last of its organization. Throws `config-edit-failed`. */
export function addMailbox(text: string, mailbox: NewMailbox): string {
  const organization = organizationsOf(text)[mailbox.place];
  if (!isMap(organization)) throw cannot('the organization stands in no place of its own');
  const entry = toEntry(mailbox);
  const pair = pairOf(organization, 'mailboxes');
  const edited = placeMailbox(new Editor(text), organization, pair, entry);
  return verified(text, edited, (meant) => {
    const owner = (meant as Organizations).organizations[mailbox.place]!;
    owner.mailboxes = [...(owner.mailboxes ?? []), entry];
  });
}

/** The text with another password of a mailbox; the account in any case. Throws as `addMailbox`. */
export function setPasswordHash(text: string, account: string, passwordHash: string): string {
  const found = findMailbox(organizationsOf(text), account);
  if (found === null) throw cannot(`the mailbox ${account} stands in no place of its own`);
  const { owner, place, mailbox } = found;
  const editor = new Editor(text);
  const pair = pairOf(mailbox, 'passwordHash');
  const edited =
    pair === null
      ? editor.addPair(mailbox, 'passwordHash', passwordHash)
      : editor.setScalar(pair, passwordHash);
  return verified(text, edited, (meant) => {
    const all = (meant as Organizations).organizations[owner]!.mailboxes!;
    all[place] = { ...all[place]!, passwordHash };
  });
}

interface Entry {
  readonly account: string;
  readonly addresses: readonly string[];
  readonly passwordHash?: string;
}

interface Organizations {
  readonly organizations: { mailboxes?: Entry[] | null }[];
}

function toEntry({ account, addresses, passwordHash }: NewMailbox): Entry {
  return { account, addresses, ...(passwordHash === null ? {} : { passwordHash }) };
}

function placeMailbox(
  editor: Editor,
  organization: YAMLMap,
  pair: Pair | null,
  entry: Entry,
): string {
  if (pair === null) return editor.addPair(organization, 'mailboxes', [entry]);
  const list = pair.value;
  if (isSeq(list)) return editor.addItem(list, entry);
  if (isScalar(list) && list.value === null) return editor.setScalar(pair, [entry]);
  throw cannot('mailboxes is no plain list');
}

function findMailbox(
  organizations: readonly unknown[],
  account: string,
): { readonly owner: number; readonly place: number; readonly mailbox: YAMLMap } | null {
  for (const [owner, organization] of organizations.entries()) {
    const list = isMap(organization) ? pairOf(organization, 'mailboxes')?.value : null;
    if (!isSeq(list)) continue;
    for (const [place, mailbox] of list.items.entries()) {
      if (isMap(mailbox) && isAccount(mailbox, account)) return { owner, place, mailbox };
    }
  }
  return null;
}

function organizationsOf(text: string): readonly unknown[] {
  const document = parseDocument(text, { logLevel: 'error' });
  if (document.errors.length > 0) throw cannot('it is no valid YAML');
  const organizations = isMap(document.contents)
    ? pairOf(document.contents, 'organizations')?.value
    : null;
  if (!isSeq(organizations)) throw cannot('organizations is no plain list');
  return organizations.items;
}

function pairOf(map: YAMLMap, key: string): Pair | null {
  return map.items.find((pair) => isScalar(pair.key) && pair.key.value === key) ?? null;
}

function isAccount(mailbox: YAMLMap, account: string): boolean {
  const value = pairOf(mailbox, 'account')?.value;
  return isScalar(value) && String(value.value).toLowerCase() === account.toLowerCase();
}

/** Cuts text at the places of nodes. JSON is YAML's flow style, so that is how values are written. */
class Editor {
  readonly #text: string;
  readonly #newline: string;

  constructor(text: string) {
    this.#text = text;
    this.#newline = text.includes('\r\n') ? '\r\n' : '\n';
  }

  setScalar(pair: Pair, value: unknown): string {
    const node = pair.value as Node | null;
    const written = JSON.stringify(value);
    const [from = 0, to = 0] = node?.range ?? [];
    // A key without a value: its place is right behind the colon.
    if (from === to) return this.#splice(from, from, ` ${written}`);
    // A block scalar ends with its line.
    const isBlock = this.#text[to - 1] === '\n';
    return this.#splice(from, to, isBlock ? written + this.#newline : written);
  }

  addPair(map: YAMLMap, key: string, value: unknown): string {
    const first = map.items[0]!;
    const last = map.items.at(-1)!;
    const end = endOf(last.value) ?? endOf(last.key)!;
    if (map.flow === true) {
      return this.#splice(end, end, `, ${JSON.stringify(key)}: ${JSON.stringify(value)}`);
    }
    const indent = this.#columnOf((first.key as Node).range![0]);
    if (!Array.isArray(value))
      return this.#addLines(end, indent, [`${key}: ${JSON.stringify(value)}`]);
    const lines = value.flatMap((item) => blockLines(item as Entry));
    return this.#addLines(end, indent, [`${key}:`, ...lines.map((line) => `  ${line}`)]);
  }

  addItem(list: YAMLSeq, entry: Entry): string {
    const last = list.items.at(-1);
    if (list.flow === true) {
      const before = this.#text.lastIndexOf(']', list.range![1] - 1);
      const end = last === undefined ? before : endOf(last)!;
      return this.#splice(end, end, `${last === undefined ? '' : ', '}${JSON.stringify(entry)}`);
    }
    const indent = this.#columnOf(list.range![0]);
    return this.#addLines(endOf(last)!, indent, blockLines(entry));
  }

  /** Behind the line on which `end` lies, so that a comment there stays with what it speaks of. */
  #addLines(end: number, indent: number, lines: readonly string[]): string {
    const isAtStart = end > 0 && this.#text[end - 1] === '\n';
    const next = isAtStart ? end : this.#text.indexOf('\n', end) + 1;
    const isLast = next === 0;
    const written = lines.map((line) => ' '.repeat(indent) + line).join(this.#newline);
    if (isLast) return `${this.#text}${this.#newline}${written}${this.#newline}`;
    return this.#splice(next, next, `${written}${this.#newline}`);
  }

  #columnOf(offset: number): number {
    return offset - (this.#text.lastIndexOf('\n', offset - 1) + 1);
  }

  #splice(from: number, to: number, written: string): string {
    return this.#text.slice(0, from) + written + this.#text.slice(to);
  }
}

function blockLines(entry: Entry): string[] {
  return Object.entries(entry).map(
    ([key, value], place) => `${place === 0 ? '- ' : '  '}${key}: ${JSON.stringify(value)}`,
  );
}

/** Where the content of a node ends; null for none. */
function endOf(node: unknown): number | null {
  if (isMap(node) && node.flow !== true) {
    const last = node.items.at(-1);
    return last === undefined ? null : (endOf(last.value) ?? endOf(last.key));
  }
  if (isSeq(node) && node.flow !== true) return endOf(node.items.at(-1));
  return (node as Node | null | undefined)?.range?.[1] ?? null;
}

/** The edited text, if it says exactly what was meant and nothing else. */
function verified(text: string, edited: string, change: (meant: unknown) => void): string {
  const meant = valueOf(text);
  change(meant);
  if (isDeepStrictEqual(valueOf(edited), meant)) return edited;
  throw cannot('it is written in a way that this command cannot edit');
}

function valueOf(text: string): unknown {
  const document = parseDocument(text, { logLevel: 'error' });
  return document.errors.length > 0 ? null : (document.toJS() as unknown);
}

function cannot(why: string): Failure {
  return new Failure('config-edit-failed', `the configuration is left as it is: ${why}`);
}
