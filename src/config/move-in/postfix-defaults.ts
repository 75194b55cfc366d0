/** Defaults of Postfix that decide about policy, as `postconf -d` prints them. */

/** What is not here is empty where it is left out. */
export const postfixDefaults: Readonly<Record<string, string>> = {
  compatibility_level: '0',
  default_database_type: 'hash',
  mail_name: 'Postfix',
  config_directory: '/etc/postfix',
  queue_directory: '/var/spool/postfix',
  data_directory: '/var/lib/postfix',
  daemon_directory: '/usr/lib/postfix/sbin',
  mydestination: '$myhostname, localhost.$mydomain, localhost',
  myorigin: '$myhostname',
  default_transport: 'smtp',
  relay_transport: 'relay',
  local_transport: 'local:$myhostname',
  virtual_transport: 'virtual',
  relay_domains: '${{$compatibility_level} < {2} ? {$mydestination} : {}}',
  virtual_alias_domains: '$virtual_alias_maps',
  virtual_mailbox_domains: '$virtual_mailbox_maps',
  proxy_interfaces: '',
  parent_domain_matches_subdomains:
    'debug_peer_list,fast_flush_domains,mynetworks,permit_mx_backup_networks,qmqpd_authorized_clients,relay_domains,smtpd_access_maps',
  smtpd_relay_restrictions:
    '${{$compatibility_level} < {1} ? {} : {permit_mynetworks, permit_sasl_authenticated, defer_unauth_destination}}',
  smtpd_tls_key_file: '$smtpd_tls_cert_file',
  smtpd_tls_eckey_file: '$smtpd_tls_eccert_file',
  smtpd_tls_dkey_file: '$smtpd_tls_dcert_file',
  smtp_tls_key_file: '$smtp_tls_cert_file',
  smtp_tls_eckey_file: '$smtp_tls_eccert_file',
  smtp_tls_dkey_file: '$smtp_tls_dcert_file',
  smtp_tls_verify_cert_match: 'hostname',
  smtp_tls_secure_cert_match: 'nexthop, dot-nexthop',
  smtp_tls_fingerprint_digest: '${{$compatibility_level} < {3.6} ? {md5} : {sha256}}',
  smtpd_tls_fingerprint_digest: '${{$compatibility_level} < {3.6} ? {md5} : {sha256}}',
  smtp_tls_enforce_peername: 'yes',
  tls_append_default_CA: 'no',
};
