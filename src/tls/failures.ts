/** Failures of this room: files of certificates, keys and anchors that cannot be used. */
import type { FailureTable } from '../mail/failure.ts';

export const tlsFailures = {
  'tls-file-missing': {
    httpStatus: 422,
    exitCode: 66,
    whatToDo: 'Correct the path in the configuration, or put the file there.',
  },
  'tls-file-unreadable': {
    httpStatus: 422,
    exitCode: 66,
    whatToDo: "Let the gateway's user read the file: owner, mode and every folder above it.",
  },
  'tls-certificate-malformed': {
    httpStatus: 422,
    exitCode: 65,
    whatToDo: 'Give a PEM file with the certificate first and its intermediates after it.',
  },
  'tls-key-malformed': {
    httpStatus: 422,
    exitCode: 65,
    whatToDo: 'Give a PEM file with one private key that is not encrypted.',
  },
  'tls-key-mismatch': {
    httpStatus: 422,
    exitCode: 65,
    whatToDo:
      'Put the certificate that belongs to the key first in its file, or name the right key.',
  },
  'tls-no-certificate': {
    httpStatus: 422,
    exitCode: 78,
    whatToDo: 'Name at least one certificate and key for the listeners.',
  },
  'tls-anchors-unavailable': {
    httpStatus: 422,
    exitCode: 66,
    whatToDo:
      'Give a PEM file of CA certificates that the gateway can read, or use bundled or system.',
  },
  'tls-archive-unread': {
    httpStatus: 422,
    exitCode: 65,
    whatToDo:
      'Unpack a PKCS #12 archive first: `openssl pkcs12 -in FILE -nodes -out both.pem`, import both.pem, and remove it.',
  },
  'tls-certificate-outdated': {
    httpStatus: 422,
    exitCode: 65,
    whatToDo: 'Import the renewed certificate.',
  },
} as const satisfies FailureTable;
