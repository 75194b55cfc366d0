/** A real Exim (GnuTLS) as the partner, in both directions. */
import { startExim, whyNoExim } from '../support/exim.ts';
import { eximDemandsCertificates, eximSendsSecurely } from '../support/partner-servers.ts';
import { testRealServer } from '../support/real-server-flow.ts';

testRealServer({
  skip: await whyNoExim(),
  startReceiver: (files, { domains, isTls12Only }) => {
    const { main, ...options } = eximDemandsCertificates(files);
    const only12 = isTls12Only ? { tls_require_ciphers: 'NORMAL:-VERS-ALL:+VERS-TLS1.2' } : {};
    return startExim({ ...options, domains, main: { ...main, ...only12 } });
  },
  startSender: (port, files, hasCertificate) => {
    const { transport } = eximSendsSecurely(port, files);
    const { tls_certificate: _, tls_privatekey: __, ...without } = transport;
    return startExim({
      smartHost: { port, transport: hasCertificate ? transport : without },
      main: { message_size_limit: '100M' },
    });
  },
  receivedUnderTls: /with esmtps\s+\(TLS1\.3\)/,
});
