/** A gateway that is nobody's yet, two partners and DNS for the scripts of examples/api, and who runs them. */
import assert from 'node:assert/strict';
import { access, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { fakeZone } from '../../src/dns/fake-zone.ts';
import { startLoopbackServer } from '../../src/dns/loopback-server.ts';
import { chainPem, makeCa, makeLeaf } from '../../src/testing/certificates.ts';
import { startFakePartner } from '../../src/testing/fake-partner.ts';
import type { FakePartner } from '../../src/testing/fake-partner.ts';
import { runProgram, startGateway } from './gateway.ts';
import type { RunningGateway } from './gateway.ts';
import { gatewayCa, gatewaySetup, smartHost } from './gateway-config.ts';
import { freePort } from './ports.ts';
import { openRecordingDoor } from './recording-door.ts';
import type { RecordingDoor } from './recording-door.ts';

/** Where the scripts are. */
export const examplesFolder = fileURLToPath(new URL('../../examples/api/', import.meta.url));

const name = 'gateway.contoso.com';
const bankCa = makeCa('Bank CA');
const bankLeaf = makeLeaf(bankCa, ['mx.bank.example']);
const apiLeaf = makeLeaf(gatewayCa, [name]);
const ourLeaf = makeLeaf(gatewayCa, ['mx.contoso.com']);

/** Of our certificate for partners. */
export const ourCertificate = ourLeaf.der;

const programs = {
  bash: 'bash',
  curl: 'curl',
  jq: 'jq',
  oathtool: 'oathtool',
  openssl: 'openssl',
} as const;

/** Null where this machine can run the scripts; else what to install. */
export async function whyNoExamples(): Promise<string | null> {
  const missing: string[] = [];
  for (const [program, debianPackage] of Object.entries(programs)) {
    await access(`/usr/bin/${program}`).catch(() => missing.push(debianPackage));
  }
  if (missing.length > 0) return `programs are missing: apt-get install ${missing.join(' ')}`;
  const { stdout } = await runProgram(['curl', '--version']);
  const [, major = '0', minor = '0'] = /^curl (\d+)\.(\d+)/.exec(stdout) ?? [];
  return Number(major) * 1000 + Number(minor) >= 7082 ? null : 'curl is older than 7.82';
}

export interface ExamplesRig {
  readonly gateway: RunningGateway;
  /** Its server offers TLS with the right certificate. */
  readonly bank: FakePartner;
  /** Its server offers none. */
  readonly museum: FakePartner;
  /** What the scripts asked, and what they were answered. */
  readonly door: RecordingDoor;
  /** Publishes this as the only TXT record of contoso.com. */
  readonly publish: (text: string) => void;
  /** Runs one script to its end, and throws where it fails; gives what it printed. */
  readonly run: (script: string, options?: RunOptions) => Promise<string>;
  /** Where the scripts keep things. */
  readonly kept: string;
  close(): Promise<void>;
}

export interface RunOptions {
  readonly words?: readonly string[];
  readonly input?: string;
}

export async function startExamplesRig(): Promise<ExamplesRig> {
  const folder = await mkdtemp(join(tmpdir(), 'postern-examples-'));
  const zone = fakeZone({ 'contoso.com': { txt: [] } });
  const dns = await startLoopbackServer(zone);
  const bankTls = { cert: chainPem(bankLeaf, bankCa), key: bankLeaf.keyPem };
  const bank = await startFakePartner({
    hostName: 'mx.bank.example',
    tls: bankTls,
    clientCertificate: 'requested',
    clientCa: gatewayCa.pem,
  });
  const museum = await startFakePartner({ hostName: 'mx.museum.example' });
  const { gateway, port } = await startEmptyGateway([bank.port, museum.port], dns.port);
  const certificate = chainPem(apiLeaf, gatewayCa);
  const key = apiLeaf.keyPem;
  const door = await openRecordingDoor({ name, port, ca: gatewayCa.pem, certificate, key });
  await writeFile(join(folder, 'ca.pem'), gatewayCa.pem);
  // All that is said besides: where that name is, which DNS would say.
  await writeFile(join(folder, '.curlrc'), `connect-to = "${name}:8443:127.0.0.1:${door.port}"\n`);
  const environment = {
    HOME: folder,
    CURL_HOME: folder,
    CA_FILE: join(folder, 'ca.pem'),
    FOLDER: join(folder, 'kept'),
    BANK_HOST: smartHost(bank.port),
    BANK_ANCHORS: 'tls/bank.pem',
    MUSEUM_HOST: smartHost(museum.port),
    CERTIFICATE_FILE: 'tls/contoso.pem',
    KEY_FILE: 'tls/contoso.key',
  };
  return {
    gateway,
    bank,
    museum,
    door,
    kept: environment.FOLDER,
    publish: (text) => void zone.set('contoso.com', { txt: [text] }),
    run: async (script, { words = [], input = '' } = {}) => {
      const command = [join(examplesFolder, script), ...words];
      const options = { cwd: folder, input, timeoutMs: 120_000, environment };
      const { code, stdout, stderr } = await runProgram(command, options);
      assert.equal(code, 0, `${script}:\n${stdout}${stderr}`);
      return stdout;
    },
    close: async () => {
      await door.close();
      await gateway.remove();
      await Promise.all([bank.close(), museum.close(), dns.close()]);
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** Without organizations; `gateway.contoso.com:8443` is what clients call it. */
async function startEmptyGateway(
  peerPorts: readonly number[],
  dnsPort: number,
): Promise<{ readonly gateway: RunningGateway; readonly port: number }> {
  const port = await freePort();
  const setup = await gatewaySetup({
    certificates: { api: [apiLeaf, gatewayCa], contoso: [ourLeaf, gatewayCa] },
    anchors: { bank: [bankCa] },
    peerPorts,
    top: {
      api: { port, serverCertificates: 'api', hostNames: `${name}:8443` },
      dns: { servers: `127.0.0.1:${dnsPort}`, timeout: '500ms' },
    },
  });
  const config = Object.entries(setup.config).filter(([key]) => key !== 'organizations');
  const gateway = await startGateway({ ...setup, config: Object.fromEntries(config) });
  return { gateway, port };
}
