/** Which CAs Postfix's SMTP client trusts, in the words of a connector. */
import type { PostfixParameters } from './postfix-expand.ts';
import { splitWords } from './postfix-lines.ts';
import { changed, weaker } from './remark.ts';
import type { Remark } from './remark.ts';

/** `value` null: what a connector trusts where it says nothing. */
export interface AnchorsFound {
  readonly value: string | null;
  readonly remarks: readonly Remark[];
}

const systemFolders = ['/etc/ssl/certs', '/etc/pki/tls/certs', '/usr/share/ssl/certs'];

export function anchorsIn(parameters: PostfixParameters): AnchorsFound {
  const [own, ...more] = splitWords(parameters.get('smtp_tls_trust_anchor_file'));
  // Where it is set, Postfix trusts it alone.
  if (own !== undefined) return { value: own, remarks: more.length === 0 ? [] : [onlyFirst(own)] };
  const file = parameters.get('smtp_tls_CAfile');
  const folder = parameters.get('smtp_tls_CApath').replace(/\/+$/, '');
  const isSystemToo = parameters.isYes('tls_append_default_CA');
  if (file !== '') return { value: file, remarks: fewer(folder, isSystemToo) };
  if (systemFolders.includes(folder)) {
    return { value: 'system', remarks: [] };
  }
  if (folder !== '') {
    const text = `the CAs in the folder ${folder} (smtp_tls_CApath) must be put into one file, named by anchors`;
    return { value: null, remarks: [weaker(text)] };
  }
  if (isSystemToo) return { value: 'system', remarks: [] };
  const text =
    'Postfix was told of no CA (smtp_tls_CAfile), so it kept such mail waiting; the CAs that come with Postern are trusted here';
  return { value: null, remarks: [changed(text)] };
}

function onlyFirst(file: string): Remark {
  const text = `only the first file of smtp_tls_trust_anchor_file (${file}) is trusted: put the others into it`;
  return changed(text);
}

/** One file is trusted; others would have been trusted besides. */
function fewer(folder: string, isSystemToo: boolean): Remark[] {
  const others = [
    ...(folder === '' ? [] : [`those in ${folder} (smtp_tls_CApath)`]),
    ...(isSystemToo ? ['those of the system (tls_append_default_CA)'] : []),
  ];
  if (others.length === 0) return [];
  return [changed(`only the CAs of smtp_tls_CAfile are trusted, not ${others.join(' and ')}`)];
}
