/**
 * `postern/testing`: what people rehearse their connectors with. A fake partner, a fake resolver, a
 * raw SMTP client and certificates with any fault; none of it belongs in front of real mail.
 */
export { createFakeResolver } from './dns/fake-resolver.ts';
export type { FakeResolver, FakeResolverOptions } from './dns/fake-resolver.ts';
export { fakeZone } from './dns/fake-zone.ts';
export type { FakeEntry } from './dns/fake-zone.ts';
export {
  chainPem,
  expired,
  makeCa,
  makeIntermediate,
  makeLeaf,
  makeSelfSigned,
  notYetValid,
  serverAuthOnly,
} from './testing/certificates.ts';
export type { TestCertificate } from './testing/certificates.ts';
export { partnerExtensions, startFakePartner } from './testing/fake-partner.ts';
export type {
  FakePartner,
  FakePartnerOptions,
  PartnerConnection,
  StarttlsVice,
} from './testing/fake-partner.ts';
export { sendAsPartner } from './testing/partner-client.ts';
export type { PartnerVisit, PartnerVisited } from './testing/partner-client.ts';
export type { PartnerMessage } from './testing/partner-session.ts';
export { connectRaw } from './testing/raw-client.ts';
export type { RawClient, RawClientOptions, RawReply } from './testing/raw-client.ts';
