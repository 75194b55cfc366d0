/** `postern tls probe`: each step to a server's TLS, and which TLS settings it would meet. */
import { isIP } from 'node:net';
import { resolve } from 'node:path';
import type { Command } from 'commander';
import { Option } from 'commander';
import type { Reader } from '../../config/field.ts';
import { certificateName, pin } from '../../config/mail-readers.ts';
import { parseDomain } from '../../mail/domain.ts';
import type { DomainPattern } from '../../mail/domain-pattern.ts';
import { Failure } from '../../mail/failure.ts';
import { tlsSettingNames } from '../../policy/assess-tls.ts';
import type { TlsSettingName } from '../../policy/assess-tls.ts';
import type { ProbeReport } from '../../policy/probe-report.ts';
import type { CommandContext } from '../command-context.ts';
import { formatExamples, withJsonOption } from '../command-context.ts';
import { exitCode } from '../exit-code.ts';
import { findConfigFile } from '../find-gateway.ts';
import { formatJson } from '../json-text.ts';
import type { ProbeQuestion } from '../offline-probe.ts';
import { formatProbe } from '../probe-text.ts';

const starttlsWords = ['smtp', 'lmtp', 'none'] as const;

interface Options {
  readonly starttls?: (typeof starttlsWords)[number];
  readonly name?: readonly string[];
  readonly ca?: string;
  readonly pin?: readonly string[];
  readonly clientCert?: string;
  readonly clientKey?: string;
  readonly mx?: boolean;
  readonly require?: TlsSettingName;
  readonly timeout: string;
  readonly config?: string;
  readonly json?: boolean;
}

const description =
  "Connects to a server as mail would, by the gateway's own code, and shows each step with its time, the TLS that came about, the certificates as sent, and for each TLS setting of a connector whether it would hold and why not. Nothing is sent. It needs no running gateway; of a configuration it takes the host name, the resolvers and the certificates. It connects to any address that you name, private ones too: network.allow binds mail, not you. Exits with 0 if a server was reached, with --require only if every address meets that setting, else with 69.";

export function addTlsProbe(tls: Command, context: CommandContext): void {
  const collect = (value: string, before: readonly string[] = []): string[] => [...before, value];
  const command = tls
    .command('probe')
    .summary("look at a server's TLS as mail would see it")
    .description(description)
    .argument('<host>', 'HOST, HOST:PORT, an address, or with --mx a domain')
    .option('--mx', "probe every address of the domain's MX hosts")
    .addOption(
      new Option(
        '--starttls <protocol>',
        'smtp: STARTTLS; lmtp: the same by LMTP, on port 24; none: SMTP in TLS from the first byte (default: none on port 465, else smtp)',
      ).choices(starttlsWords),
    )
    .option(
      '--name <domain>',
      'name for DomainValidation; repeatable (default: the host, or with --mx the domain and all below it)',
      collect,
    )
    .option('--ca <file>', 'trust the CAs of this PEM file instead of the bundled ones; or system')
    .option('--pin <pin>', 'pin for Pinned; repeatable', collect)
    .option('--client-cert <name>', 'certificate to present: its name in the configuration, or PEM')
    .option('--client-key <file>', 'PEM of its key, where --client-cert is a file')
    .addOption(
      new Option('--require <setting>', 'exit with 69 unless every address meets it').choices(
        tlsSettingNames,
      ),
    )
    .option('--timeout <seconds>', 'for each step', '15')
    .option('--config <file>', 'the configuration to take names, resolvers and certificates from');
  withJsonOption(command)
    .addHelpText(
      'after',
      formatExamples(
        context.offline.commandName,
        'tls probe mail.contoso.com',
        'tls probe --mx contoso.com --require DomainValidation',
        'tls probe store.example.com --starttls lmtp --ca own-ca.pem',
        'tls probe 192.0.2.7:465 --name mail.contoso.com --ca contoso-ca.pem',
      ),
    )
    .action((host: string, options: Options) => run(context, host, options));
}

async function run(context: CommandContext, host: string, options: Options): Promise<void> {
  const question = await readQuestion(context, host, options);
  const isTalking = context.width !== null && options.json !== true;
  const report = await context.offline.probeTls(question, (text) => {
    if (isTalking) void context.err.print(`${text} …\n`).catch(() => undefined);
  });
  const text = options.json === true ? formatJson(report) : formatProbe(report, context);
  await context.out.print(text);
  context.setExitCode(isGood(report, options.require) ? exitCode.ok : exitCode.unavailable);
}

/** Mail takes whichever MX host answers: with --require each must do. */
function isGood(report: ProbeReport, required: TlsSettingName | undefined): boolean {
  const { addresses } = report;
  if (required === undefined) return addresses.some(({ evidence }) => evidence !== null);
  const meets = addresses.map(({ settings }) =>
    settings.some(({ setting, isMet }) => setting === required && isMet === true),
  );
  return meets.length > 0 && meets.every(Boolean);
}

async function readQuestion(
  context: CommandContext,
  host: string,
  options: Options,
): Promise<ProbeQuestion> {
  const isMx = options.mx === true;
  const target = readTarget(host, isMx, options);
  const configFile = await findConfigFile(options.config, context.surroundings);
  const fileOf = (path: string): string => resolve(context.surroundings.workingFolder, path);
  return {
    ...target,
    isMx,
    names: readNames(options.name ?? [], target.target, isMx),
    pins: (options.pin ?? []).map((raw) => readBy(pin(), raw, '--pin')),
    anchors: readAnchors(options.ca, fileOf),
    clientCertificate: readClientCertificate(options, fileOf),
    config: { file: configFile, isNamed: options.config !== undefined },
    timeoutMs: readTimeout(options.timeout),
  };
}

const defaultPorts = { smtp: 25, lmtp: 24, none: 465 } as const;

function readTarget(
  text: string,
  isMx: boolean,
  options: Options,
): Pick<ProbeQuestion, 'target' | 'port' | 'protocol' | 'mode'> {
  const { host, portText } = splitPort(text);
  const target = isIP(host) === 0 ? parseDomain(host) : host;
  if (target === null) throw wrong('HOST', host, 'a host name or an IP address');
  if (isMx && isIP(host) !== 0) throw wrong('--mx', host, 'a domain: an address has no MX');
  if (isMx && options.starttls === 'lmtp') {
    throw new Failure('option-wrong', '--mx: MX hosts speak SMTP; name the LMTP server itself');
  }
  const named = portText === null ? null : Number(portText);
  if (named !== null && (named < 1 || named > 65_535)) {
    throw wrong('PORT', portText!, 'a port from 1 to 65535');
  }
  const starttls = options.starttls ?? (named === 465 ? 'none' : 'smtp');
  return {
    target,
    port: named ?? defaultPorts[starttls],
    protocol: starttls === 'lmtp' ? 'lmtp' : 'smtp',
    mode: starttls === 'none' ? 'implicit' : 'starttls',
  };
}

/** A bare IPv6 address has no port: that takes brackets. */
function splitPort(text: string): { readonly host: string; readonly portText: string | null } {
  if (isIP(text) !== 0) return { host: text, portText: null };
  const match = /^(?:\[([^\]]+)\]|([^:]+))(?::(\d{1,5}))?$/.exec(text);
  if (match === null) throw wrong('HOST', text, 'HOST, HOST:PORT, an address or [IPv6]:PORT');
  return { host: match[1] ?? match[2]!, portText: match[3] ?? null };
}

function readNames(raw: readonly string[], target: string, isMx: boolean): DomainPattern[] {
  if (raw.length > 0) return raw.map((text) => readBy(certificateName(), text, '--name'));
  if (isIP(target) !== 0) return [];
  return [{ kind: isMx ? 'wildcard' : 'exact', domain: target }];
}

function readAnchors(ca: string | undefined, fileOf: (path: string) => string): string {
  if (ca === undefined) return 'bundled';
  return ca === 'bundled' || ca === 'system' ? ca : `file:${fileOf(ca)}`;
}

function readClientCertificate(
  { clientCert, clientKey }: Options,
  fileOf: (path: string) => string,
): ProbeQuestion['clientCertificate'] {
  if (clientCert === undefined) {
    if (clientKey === undefined) return null;
    throw new Failure('option-wrong', '--client-key needs --client-cert with its certificate');
  }
  if (clientKey === undefined) return { kind: 'named', name: clientCert };
  return { kind: 'files', certificateFile: fileOf(clientCert), keyFile: fileOf(clientKey) };
}

function readTimeout(text: string): number {
  const seconds = Number(text);
  if (!(seconds >= 1 && seconds <= 300)) throw wrong('--timeout', text, 'seconds from 1 to 300');
  return seconds * 1000;
}

function readBy<Value>(reader: Reader<Value>, raw: string, option: string): Value {
  const read = reader.read(raw);
  if ('value' in read) return read.value;
  throw new Failure('option-wrong', `${option} ${read.wrong}`);
}

function wrong(what: string, text: string, expected: string): Failure {
  return new Failure('option-wrong', `${what}: "${text}" is not ${expected}`);
}
