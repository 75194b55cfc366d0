/** A TLS probe for people: steps, TLS, certificates, and what each setting would say. */
import { sanitizePeerText } from '../mail/peer-text.ts';
import type { TlsSettingName } from '../policy/assess-tls.ts';
import type { ProbedAddress, ProbeReport, ProbeStep } from '../policy/probe-report.ts';
import { formatFacts } from './certificate-text.ts';
import { formatTable } from './table.ts';

interface Look {
  readonly width: number | null;
  readonly nowMs: () => number;
}

export function formatProbe(report: ProbeReport, look: Look): string {
  const blocks = report.addresses.map((address) => formatAddress(address, look));
  return [...formatHead(report), ...blocks].join('\n');
}

function formatHead({ target, mx, problem }: ProbeReport): string[] {
  const lines: string[] = [];
  if (mx !== null) {
    const kind = mx.isImplicit ? 'no MX record, so the domain itself' : 'MX records';
    const trust = mx.isAuthentic
      ? 'DNSSEC vouches for them'
      : 'DNSSEC does not vouch for them, so an attacker could name other hosts';
    lines.push(`${target}: ${kind} (${formatMs(mx.ms)}); ${trust}`);
  }
  if (problem !== null) lines.push(`${target}: ${problem}`);
  return lines.length === 0 ? [] : [lines.map((line) => `${sanitizePeerText(line)}\n`).join('')];
}

function formatAddress(probed: ProbedAddress, look: Look): string {
  const { hostName, address, port, preference, evidence, problem } = probed;
  const where = address === null ? hostName : `${hostName} [${address}]:${port}`;
  const rank = preference === null ? '' : `, MX ${preference}`;
  const how = probed.mode === 'starttls' ? 'STARTTLS' : 'TLS from the first byte';
  const protocol = probed.protocol.toUpperCase();
  const lines = [
    `${where}${rank}, ${protocol} with ${how}`,
    ...probed.steps.map(formatStep(probed)),
  ];
  if (problem !== null) lines.push(`  failed: ${problem}`);
  if (evidence?.encryption === 'not-offered') lines.push('  STARTTLS is not offered');
  if (probed.versions.length > 0) lines.push(`  versions: ${formatVersions(probed)}`);
  const chain = evidence?.tls?.chain ?? [];
  for (const [place, facts] of chain.entries()) {
    const keyType = probed.keyTypes[place] ?? 'unreadable';
    lines.push(`  certificate ${place + 1} of ${chain.length}: ${facts.subject}`);
    lines.push(...formatFacts({ ...facts, keyType }, look.nowMs()).map((line) => `    ${line}`));
  }
  const head = lines.map((line) => `${sanitizePeerText(line)}\n`).join('');
  if (probed.settings.length === 0) return head;
  return [head, formatSettings(probed, look), ...formatHints(probed)].join('\n');
}

function stepNamesOf({ protocol }: ProbedAddress): Readonly<Record<string, string>> {
  const hello = protocol === 'lmtp' ? 'LHLO' : 'EHLO';
  return { ehlo: hello, starttls: 'STARTTLS', 'tls-ehlo': `${hello} in TLS` };
}

function formatStep(probed: ProbedAddress): (step: ProbeStep) => string {
  const { evidence } = probed;
  const stepNames = stepNamesOf(probed);
  return ({ step, ms, lines }) => {
    const name = (stepNames[step] ?? step).padEnd(11);
    const tls = evidence?.tls ?? null;
    const said =
      step === 'handshake' && tls !== null
        ? `${tls.protocol} ${tls.cipher}, ${tls.group ?? 'group not told'}`
        : formatReply(lines);
    return `  ${name} ${formatMs(ms).padStart(8)}  ${said}`.trimEnd();
  };
}

/** The first line whole, of an EHLO reply then the keywords. */
function formatReply(lines: readonly string[]): string {
  const [first = '', ...rest] = lines;
  return [first, ...rest.map((line) => line.slice(4))].join(', ');
}

function formatMs(ms: number): string {
  return ms < 10 ? `${ms.toFixed(1)} ms` : `${Math.round(ms)} ms`;
}

function formatVersions({ versions }: ProbedAddress): string {
  return versions
    .map(({ version, isTaken, isUsed, detail }) => {
      const name = version.replace('v', ' ').replace(/^TLS 1$/, 'TLS 1.0');
      if (isTaken === null) return `${name} not known (${detail})`;
      if (isTaken) return isUsed ? `${name} yes` : `${name} YES, never used by us (${detail})`;
      return `${name} no`;
    })
    .join(', ');
}

function formatSettings({ settings }: ProbedAddress, { width }: Look): string {
  const columns = [{ title: 'TLS SETTING' }, { title: 'WOULD HOLD' }];
  const rows = settings.map(({ setting, isMet, reason }) => ({
    cells: [setting, isMet === null ? '-' : isMet ? 'yes' : 'NO'],
    note: reason,
  }));
  return formatTable(columns, rows, width);
}

/** Options of the command that would tell more of this server, each with what a connector has for it. */
function formatHints({ evidence, settings }: ProbedAddress): string[] {
  if (evidence?.encryption !== 'established') return [];
  const lacks = (setting: TlsSettingName): boolean =>
    settings.some((each) => each.setting === setting && each.isMet === null);
  const hasProblem = (word: string): boolean => settings.some(({ problem }) => problem === word);
  const hints: string[] = [];
  if (hasProblem('UntrustedRoot')) {
    hints.push('--ca FILE      trust the CAs of a PEM file instead (a connector: anchors)');
  }
  if (lacks('DomainValidation')) {
    hints.push('--name DOMAIN  say whose certificate it must be (a connector: tlsDomain)');
  } else if (hasProblem('SubjectMismatch')) {
    hints.push('--name DOMAIN  compare with another name (a connector: tlsDomain)');
  }
  if (lacks('Pinned')) {
    hints.push('--pin PIN      compare its key with a pin as above (a connector: pins)');
  }
  if (hints.length === 0) return [];
  return [`To try: ${hints.map((hint) => `${hint}\n`).join('        ')}`];
}
