/** What testssl.sh finds is what we accept, each with its reason, and nothing else. */
import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { chainPem, makeLeaf } from '../../src/testing/certificates.ts';
import { startGateway } from '../support/gateway.ts';
import type { RunningGateway } from '../support/gateway.ts';
import { gatewayCa, gatewaySetup } from '../support/gateway-config.ts';
import { acceptedFindings, scanTls, wantedFindings, whyNoTestssl } from '../support/testssl.ts';

const skip = (await whyNoTestssl()) ?? false;
const hostName = 'gateway.example.test';
/** Ours of the other tests ends so soon that the scanner warns of it. */
const notAfter = new Date(Date.now() + 300 * 86_400_000);
const leaf = makeLeaf(gatewayCa, [hostName], { notAfter });

let gateway: RunningGateway;
let folder: string;

before(async () => {
  if (skip !== false) return;
  folder = await mkdtemp(join(tmpdir(), 'postern-testssl-'));
  await writeFile(join(folder, 'ca.pem'), chainPem(gatewayCa));
  const many = 1_000_000;
  gateway = await startGateway(
    await gatewaySetup({
      certificates: { server: [leaf] },
      top: {
        limits: { handshakesPerAddressPerMinute: many, sessionsPerAddressPerMinute: many },
      },
    }),
  );
});
after(async () => {
  await gateway?.stop();
  await gateway?.remove();
  if (folder !== undefined) await rm(folder, { recursive: true, force: true });
});

// Both at once: a scan mostly waits.
test('testssl.sh', { skip, concurrency: 2, timeout: 420_000 }, async (context) => {
  // Weaknesses are those of one TLS library: looked for on one port.
  const ports = [
    { listener: 'mx', isStartTls: true, hasWeaknesses: true },
    { listener: 'submissions', isStartTls: false, hasWeaknesses: false },
  ];
  const scans = ports.map(({ listener, isStartTls, hasWeaknesses }) =>
    context.test(`finds nothing on ${listener} but what is accepted`, async () => {
      const caFile = join(folder, 'ca.pem');
      const findings = await scanTls(gateway.port(listener), hostName, {
        caFile,
        isStartTls,
        hasWeaknesses,
      });
      const facts = ['OK', 'INFO', 'DEBUG'];
      for (const { id, severity, finding } of findings) {
        if (facts.includes(severity)) continue;
        const accepted = acceptedFindings.find((each) => each.id === id);
        assert.ok(accepted?.finding.test(finding), `${severity} ${id}: ${finding}`);
      }
      for (const { id } of acceptedFindings.filter(({ isConstant }) => isConstant)) {
        assert.ok(
          findings.some((each) => each.id === id),
          `${id} is accepted and is found no more: take it off the list`,
        );
      }
      for (const [id, wanted] of Object.entries(wantedFindings)) {
        assert.match(findings.find((each) => each.id === id)?.finding ?? 'nothing', wanted, id);
      }
    }),
  );
  await Promise.all(scans);
});
