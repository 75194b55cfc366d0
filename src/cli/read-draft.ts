/** Reads a draft of a connector: one mapping, as it would stand in the configuration. */
import { resolve } from 'node:path';
import { readText } from '../config/read-text.ts';
import { readYaml } from '../config/read-yaml.ts';
import { Failure } from '../mail/failure.ts';

/** Throws `file-unreadable`, or `config-unusable` for what is no mapping. */
export async function readDraft(
  workingFolder: string,
  file: string,
): Promise<Record<string, unknown>> {
  const read = await readText(resolve(workingFolder, file));
  if ('problem' in read) throw new Failure('file-unreadable', `${file} ${read.problem}`);
  const { value, findings, isWhole } = readYaml(read.text);
  const [first] = findings;
  if (first !== undefined) {
    const { line, column } = first.place;
    throw new Failure('config-unusable', `${file}:${line}:${column}: ${first.text}`);
  }
  if (isWhole && typeof value === 'object' && value !== null && !Array.isArray(value)) {
    return value as Record<string, unknown>;
  }
  const text = `${file} must be one connector, one "key: value" on each line`;
  throw new Failure('config-unusable', text);
}
