import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readFlow } from './read-flow.ts';

const text = `organizations:
  - id: contoso
    outboundConnectors:
      - name: Bank
        recipientDomains: [bank.example]
        tlsSettings: EncryptionOnly
`;

test('a finding stands at its line of the file, and says whether it is a warning', () => {
  const { describe } = readFlow(text, 'flow.yaml');
  const problem = {
    file: '',
    line: 0,
    column: 0,
    key: 'tlsSettings',
    object: { kind: 'outbound-connector', organization: 'contoso', name: 'Bank' },
    text: 'proves no name',
    suggestion: null,
  } as const;
  const place = 'outbound connector "Bank" of contoso: tlsSettings: proves no name';
  assert.equal(describe({ ...problem, severity: 'error' }), `flow.yaml:6:9: ${place}`);
  assert.equal(describe({ ...problem, severity: 'warning' }), `flow.yaml:6:9: warning: ${place}`);
});
