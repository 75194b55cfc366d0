/** Failure codes of the API and its client. The exit codes are those of sysexits(3). */
import type { FailureTable } from '../mail/failure.ts';

export const apiFailures = {
  'api-request-invalid': {
    httpStatus: 400,
    exitCode: 64,
    whatToDo: 'Mend the named fields; /v1/openapi.json says what is right.',
  },
  'connector-unknown': {
    httpStatus: 404,
    exitCode: 66,
    whatToDo: 'Name a connector as the configuration does; `postern config check` lists them.',
  },
  'api-route-unknown': {
    httpStatus: 404,
    exitCode: 76,
    whatToDo: 'Use a path of /v1/openapi.json; the gateway may be older than the caller.',
  },
  'api-request-malformed': {
    httpStatus: 400,
    exitCode: 76,
    whatToDo: 'Send HTTP/1.1 with one Host and a path; curl does.',
  },
  'api-host-unknown': {
    httpStatus: 421,
    exitCode: 64,
    whatToDo: 'Ask by a name of `api.hostNames`, or add this one there.',
  },
  'api-cross-site': {
    httpStatus: 403,
    exitCode: 77,
    whatToDo: 'Ask from a page of the gateway itself, or from a program that sends no Origin.',
  },
  'api-not-signed-in': {
    httpStatus: 401,
    exitCode: 77,
    whatToDo: 'Send a token that is valid (`Authorization: Bearer …`), or sign in.',
  },
  'api-too-many-requests': {
    httpStatus: 429,
    exitCode: 75,
    whatToDo: 'Wait as long as Retry-After says.',
  },
  'api-method-wrong': {
    httpStatus: 405,
    exitCode: 76,
    whatToDo: 'Use a method that Allow names; /v1/openapi.json has all.',
  },
  'api-media-type-wrong': {
    httpStatus: 415,
    exitCode: 65,
    whatToDo: 'Send JSON with Content-Type: application/json.',
  },
  'api-header-too-large': {
    httpStatus: 431,
    exitCode: 65,
    whatToDo: 'Send fewer and shorter header fields and a shorter query.',
  },
  'api-request-slow': {
    httpStatus: 408,
    exitCode: 75,
    whatToDo: 'Send the request faster, or in smaller parts.',
  },
  'api-not-permitted': {
    httpStatus: 403,
    exitCode: 77,
    whatToDo:
      'Ask an administrator for a role that may do it; `GET /v1/session` tells what yours may.',
  },
  'api-body-too-large': {
    httpStatus: 413,
    exitCode: 65,
    whatToDo: 'Send less; large messages go by SMTP submission.',
  },
  'api-busy': {
    httpStatus: 503,
    exitCode: 75,
    whatToDo: 'Try again in a few seconds.',
  },
  'api-timeout': {
    httpStatus: 504,
    exitCode: 75,
    whatToDo: 'Look whether it was done nevertheless, then try again.',
  },
  'api-internal': {
    httpStatus: 500,
    exitCode: 70,
    whatToDo: "Read the gateway's log at this time and report the defect.",
  },
  'trace-unknown': {
    httpStatus: 404,
    exitCode: 66,
    whatToDo: 'Look for the id with `postern queue list`, in the log, or in the refusal.',
  },
  'message-not-queued': {
    httpStatus: 404,
    exitCode: 66,
    whatToDo: 'It may be delivered already: `postern trace ID` tells what became of it.',
  },
  'domain-unknown': {
    httpStatus: 404,
    exitCode: 66,
    whatToDo: 'Look for the domain with `postern domain list`, or accept it in the configuration.',
  },
  'queue-match-empty': {
    httpStatus: 400,
    exitCode: 64,
    whatToDo: 'Name an id or a filter, or say --all.',
  },
  'queue-cursor-wrong': {
    httpStatus: 400,
    exitCode: 64,
    whatToDo: 'Give the `next` of the answer before, unchanged.',
  },
  'api-port-failed': {
    httpStatus: 500,
    exitCode: 71,
    whatToDo: 'Choose another `api.port`, or stop what listens there.',
  },
  'api-socket-path-too-long': {
    httpStatus: 500,
    exitCode: 78,
    whatToDo: 'Choose a data folder with a shorter path.',
  },
  'api-socket-folder-unsafe': {
    httpStatus: 500,
    exitCode: 78,
    whatToDo: "Give the folder to the gateway's user and close it: chown, then chmod 0700.",
  },
  'api-socket-in-use': {
    httpStatus: 500,
    exitCode: 75,
    whatToDo: 'Stop the gateway that runs already, or choose another data folder.',
  },
  'api-socket-not-a-socket': {
    httpStatus: 500,
    exitCode: 73,
    whatToDo: 'Move the file that lies in the place of the socket away.',
  },
  'api-socket-failed': {
    httpStatus: 500,
    exitCode: 71,
    whatToDo: "Look at the folder's rights and the disk.",
  },
  'gateway-not-running': {
    httpStatus: 503,
    exitCode: 69,
    whatToDo: 'Start it with `postern serve`, or name its socket with --socket.',
  },
  'gateway-not-allowed': {
    httpStatus: 403,
    exitCode: 77,
    whatToDo: "Run the command as the gateway's user or as root.",
  },
  'gateway-url-wrong': {
    httpStatus: 400,
    exitCode: 64,
    whatToDo: 'Write the address as https://gateway.example.com:8443.',
  },
  'gateway-unreachable': {
    httpStatus: 503,
    exitCode: 69,
    whatToDo:
      'Look at the address of the profile, at the firewall, and whether the gateway runs there.',
  },
  'gateway-certificate-refused': {
    httpStatus: 502,
    exitCode: 77,
    whatToDo:
      'Nothing was sent. If it is your gateway, name its CA (--ca-file) or its key (--pin) in the profile.',
  },
  'gateway-timeout': {
    httpStatus: 504,
    exitCode: 75,
    whatToDo: 'Try again; if it stays so, read the log of the gateway.',
  },
  'gateway-connection-lost': {
    httpStatus: 502,
    exitCode: 75,
    whatToDo: 'Look whether the gateway still runs, then try again.',
  },
  'gateway-answer-unreadable': {
    httpStatus: 502,
    exitCode: 76,
    whatToDo: 'Use the command line of the same version as the gateway.',
  },
} satisfies FailureTable;
