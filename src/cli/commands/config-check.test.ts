import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { minimalConfig, partnerConfig } from '../../../test/support/sample-config.ts';
import { makeFolder, run } from '../../../test/support/command-line.ts';

test('a file that is not there exits with 66, without any file too', async (t) => {
  const workingFolder = await makeFolder(t);
  const named = await run(['config', 'check', 'x.yaml'], { io: { workingFolder } });
  assert.equal(named.code, 66);
  assert.ok(named.stderr.includes(join(workingFolder, 'x.yaml')));
  const unnamed = await run(['config', 'check'], { io: { workingFolder } });
  assert.equal(unnamed.code, 66);
  assert.match(unnamed.stderr, /none of \.\/postern\.yaml/);
});

test('every problem is shown with its place and the nearest right word, exit code 78', async (t) => {
  const workingFolder = await makeFolder(t);
  const text = `${minimalConfig()}    outboundConnectors:
      - { name: x, recipientDomains: contoso.com, tlsSetings: DomainValidation }
      - { name: y, recipientDomains: '*.*', tlsSettings: EncryptionOnly }
`;
  await writeFile(join(workingFolder, 'postern.yaml'), text);
  const result = await run(['config', 'check'], { io: { workingFolder } });
  assert.equal(result.code, 78);
  const lines = result.stdout.trimEnd().split('\n');
  assert.match(lines[0] ?? '', /postern\.yaml:15:\d+: .*tlsSetings.*did you mean "tlsSettings"\?/);
  assert.match(lines[1] ?? '', /postern\.yaml:16:\d+: /);
  assert.match(lines.at(-1) ?? '', /postern\.yaml: refused, 2 problems/);
  const json = await run(['config', 'check', '--json'], { io: { workingFolder } });
  assert.equal(json.code, 78);
  const answer = JSON.parse(json.stdout) as { kind: string; problems: { line: number }[] };
  assert.deepEqual(
    [answer.kind, answer.problems.map((problem) => problem.line)],
    ['refused', [15, 16]],
  );
});

test('a good file shows what each connector proves, and that revocation is not checked', async (t) => {
  const workingFolder = await makeFolder(t);
  await writeFile(join(workingFolder, 'postern.yaml'), partnerConfig());
  const result = await run(['config', 'check'], { io: { workingFolder } });
  assert.equal(result.code, 0, result.stdout);
  assert.match(result.stdout, /warning: /);
  assert.match(result.stdout, /postern\.yaml: good, \d+ warnings? \(policy [0-9a-f]+\)/);
  assert.match(result.stdout, /^to contoso +outbound +named .* \(only the partner\)$/m);
  assert.match(result.stdout, /^to fabrikam +outbound +encrypted \(anyone may answer\)$/m);
  assert.match(
    result.stdout,
    /^to adatum +outbound +CA-signed \(anyone with a certificate may answer\)$/m,
  );
  assert.match(
    result.stdout,
    /^from contoso +inbound +named mail\.contoso\.com \(only the partner\)$/m,
  );
  assert.match(result.stdout, /^from fabrikam +inbound +encrypted \(anyone may answer\)$/m);
  assert.match(result.stdout, /revoked is not checked/);
  const json = await run(['config', 'check', '--json'], { io: { workingFolder } });
  const answer = JSON.parse(json.stdout) as { connectors: { name: string; grade: string }[] };
  assert.equal(answer.connectors.find((each) => each.name === 'to adatum')?.grade, 'ca-signed');
});
