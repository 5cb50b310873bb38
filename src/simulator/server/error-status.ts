// Error answers of an API server: `Status` objects with the reasons, causes and wordings of the real one.
//
// Clients decide by `code`, `reason` and `details.causes`, so these are exact (k8s.io/apimachinery pkg/api/errors,
// k8s.io/apiserver pkg/storage); the messages are those seen on a kube-apiserver 1.37.

export interface StatusCause {
  readonly reason: string;
  readonly message: string;
  readonly field?: string;
}

export interface StatusDetails {
  readonly name?: string;
  readonly group?: string;
  readonly kind?: string;
  readonly causes?: readonly StatusCause[];
  readonly retryAfterSeconds?: number;
}

export interface Status {
  readonly kind: 'Status';
  readonly apiVersion: 'v1';
  readonly metadata: { readonly continue?: string };
  readonly status: 'Failure';
  readonly message: string;
  readonly reason?: string;
  readonly details?: StatusDetails;
  readonly code: number;
}

/** Thrown by whatever handles a request; becomes the answer. */
export class StatusError extends Error {
  override readonly name = 'StatusError';
  readonly status: Status;

  constructor(status: Status) {
    super(status.message);
    this.status = status;
  }
}

export function createStatus(
  code: number,
  reason: string | undefined,
  message: string,
  details?: StatusDetails,
  metadata: Status['metadata'] = {},
): Status {
  return {
    kind: 'Status',
    apiVersion: 'v1',
    metadata,
    status: 'Failure',
    message,
    ...(reason === undefined ? {} : { reason }),
    ...(details === undefined ? {} : { details }),
    code,
  };
}

/** The usual status for a code, for answers that a test or a demo orders. */
export function statusForCode(code: number, retryAfterSeconds?: number): Status {
  const known = COMMON[code] ?? { reason: 'InternalError', message: `Internal error occurred: answer ${code}` };
  return createStatus(
    code,
    known.reason,
    known.message,
    retryAfterSeconds === undefined ? undefined : { retryAfterSeconds },
  );
}

/** A watch from a version that the history no longer holds. */
export function tooOldResourceVersion(requested: bigint, oldest: bigint): Status {
  return createStatus(410, 'Expired', `too old resource version: ${requested} (${oldest})`);
}

export function tooLargeResourceVersion(requested: bigint, current: bigint): Status {
  return createStatus(504, 'Timeout', `Timeout: Too large resource version: ${requested}, current: ${current}`, {
    causes: [{ reason: 'ResourceVersionTooLarge', message: 'Too large resource version' }],
    retryAfterSeconds: 1,
  });
}

export function expiredList(): Status {
  return createStatus(410, 'Expired', 'The resourceVersion for the provided list is too old.');
}

/** Carries a token that goes on in the present; a client that uses it gets an inconsistent list. */
export function expiredContinue(token: string): Status {
  const message =
    'The provided continue parameter is too old to display a consistent list result. You can start a new list ' +
    'without the continue parameter, or use the continue token in this response to retrieve the remainder of the ' +
    'results. Continuing with the provided token results in an inconsistent list - objects that were created, ' +
    'modified, or deleted between the time the first chunk was returned and now may show up in the list.';
  return createStatus(410, 'Expired', message, undefined, { continue: token });
}

export function notFound(group: string, plural: string, name: string): Status {
  const qualified = group === '' ? plural : `${plural}.${group}`;
  const details = group === '' ? { name, kind: plural } : { name, group, kind: plural };
  return createStatus(404, 'NotFound', `${qualified} ${JSON.stringify(name)} not found`, details);
}

export function unknownResource(): Status {
  return createStatus(404, 'NotFound', 'the server could not find the requested resource', {});
}

export function badRequest(message: string): Status {
  return createStatus(400, 'BadRequest', message);
}

export function invalidListOptions(causes: readonly (StatusCause & { readonly field: string })[]): Status {
  const texts = causes.map((cause) => `${cause.field}: ${cause.message}`);
  const text = texts.length === 1 ? texts[0] : `[${texts.join(', ')}]`;
  return createStatus(422, 'Invalid', `ListOptions.meta.k8s.io "" is invalid: ${text}`, {
    group: 'meta.k8s.io',
    kind: 'ListOptions',
    causes,
  });
}

export function notAcceptable(protobuf: boolean): Status {
  const types = ['application/json', 'application/yaml'];
  const streams = ['application/json;stream=watch'];
  if (protobuf) {
    types.push('application/vnd.kubernetes.protobuf');
    streams.push('application/vnd.kubernetes.protobuf;stream=watch');
  }
  const available = [...types, ...streams].join(', ');
  const message = `406: Not Acceptable\n\nAvailable representations: ${available}`;
  return createStatus(406, 'NotAcceptable', message, {});
}

/** Metadata was asked for in the form of a list where there is one object, or the other way round. */
export function wrongForm(wantedList: boolean, kind: string): Status {
  const message = wantedList
    ? `you requested PartialObjectMetadataList, but the requested object is not a list (*${kind})`
    : `you requested PartialObjectMetadata, but the requested object is a list (*${kind}List)`;
  return createStatus(406, 'NotAcceptable', message);
}

export function methodNotAllowed(): Status {
  return createStatus(405, 'MethodNotAllowed', 'the server does not allow this method on the requested resource', {});
}

const COMMON: Readonly<Record<number, { readonly reason: string; readonly message: string }>> = {
  400: { reason: 'BadRequest', message: 'the server rejected our request for an unknown reason' },
  401: { reason: 'Unauthorized', message: 'Unauthorized' },
  403: { reason: 'Forbidden', message: 'forbidden: User "digger" cannot list resource at the cluster scope' },
  404: { reason: 'NotFound', message: 'the server could not find the requested resource' },
  409: { reason: 'Conflict', message: 'the server reported a conflict' },
  410: { reason: 'Expired', message: 'The resourceVersion for the provided watch is too old.' },
  422: { reason: 'Invalid', message: 'ListOptions.meta.k8s.io "" is invalid' },
  429: { reason: 'TooManyRequests', message: 'Too many requests, please try again later.' },
  500: { reason: 'InternalError', message: 'Internal error occurred: simulated' },
  503: { reason: 'ServiceUnavailable', message: 'apiserver not ready' },
  504: { reason: 'Timeout', message: 'Timeout: request did not complete within the allotted timeout' },
};
