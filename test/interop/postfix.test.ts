/** A real Postfix as the partner, in both directions. */
import { postfixDemandsCertificates, postfixSendsSecurely } from '../support/partner-servers.ts';
import { startPostfix, whyNoPostfix } from '../support/postfix.ts';
import { testRealServer } from '../support/real-server-flow.ts';

testRealServer({
  skip: await whyNoPostfix(),
  startReceiver: (files, { domains, isTls12Only }) =>
    startPostfix({
      domains,
      main: {
        ...postfixDemandsCertificates(files),
        ...(isTls12Only ? { smtpd_tls_mandatory_protocols: '>=TLSv1.2, <=TLSv1.2' } : {}),
      },
    }),
  startSender: (port, files, hasCertificate) => {
    const main = postfixSendsSecurely(port, files, 'gateway.example.test');
    const { smtp_tls_cert_file: _, smtp_tls_key_file: __, ...without } = main;
    return startPostfix({ main: hasCertificate ? main : without });
  },
  receivedUnderTls:
    /using TLSv1\.3 with cipher TLS_[^]*client CN "client\.example\.test"|\(Client CN "client\.example\.test", Issuer "Gateway CA" \(verified OK\)\)/i,
});
