// metav1.Status, the API server's way to say what went wrong, from an error response or an ERROR event.

import { kubernetesType } from './kubernetes-schema.ts';
import { isEnvelope, openEnvelope } from './envelope.ts';

export interface ApiStatus {
  /** HTTP status code, also inside events. 0 when the body gave none. */
  readonly code: number;
  /** `Expired`, `Gone`, `TooManyRequests`, `StoreReadError`, …; `''` when the body gave none. */
  readonly reason: string;
  readonly message: string;
  readonly causes: readonly { readonly reason: string; readonly message: string }[];
  /** `details.retryAfterSeconds` in ms; 0: none. */
  readonly retryAfterMs: number;
}

/**
 * A Status out of an error body; proxies and load balancers answer with anything, which becomes the message.
 * `redirect`: where the answer sends us instead, which is not followed: credentials would go to a server that the
 * kubeconfig does not name.
 */
export function parseStatusBody(body: Buffer, httpCode: number, redirect?: string): ApiStatus {
  if (redirect !== undefined) {
    const message = `redirected to ${redirect.slice(0, MAX_QUOTED_LENGTH)}, which is not followed: is that the server?`;
    return { code: httpCode, reason: '', message, causes: [], retryAfterMs: 0 };
  }
  try {
    if (isEnvelope(body)) {
      const { kind, raw } = openEnvelope(body);
      if (kind === 'Status') return statusFromProtobuf(raw, httpCode);
    } else {
      const parsed: unknown = JSON.parse(body.toString('utf8'));
      if (isStatusObject(parsed)) return toApiStatus(parsed, httpCode);
    }
  } catch (error) {
    // Not a Status at all: an HTML page, an empty body, a body cut short.
    return plainStatus(body, httpCode, error instanceof SyntaxError ? '' : String(error));
  }
  return plainStatus(body, httpCode, '');
}

/** The message inside an envelope of kind Status. */
export function statusFromProtobuf(raw: Uint8Array, fallbackCode: number): ApiStatus {
  return toApiStatus(StatusMessage.decode(raw) as StatusObject, fallbackCode);
}

export function statusFromJson(object: unknown, fallbackCode: number): ApiStatus {
  return toApiStatus(isStatusObject(object) ? object : {}, fallbackCode);
}

interface StatusObject {
  readonly code?: number;
  readonly reason?: string;
  readonly message?: string;
  readonly details?: {
    readonly causes?: readonly { readonly reason?: string; readonly message?: string }[] | null;
    readonly retryAfterSeconds?: number;
  } | null;
}

const StatusMessage = kubernetesType('Status');

/** Longest part of a strange error body that is worth a place in a message. */
const MAX_QUOTED_LENGTH = 200;

function isStatusObject(value: unknown): value is StatusObject {
  return typeof value === 'object' && value !== null && (value as { kind?: unknown }).kind === 'Status';
}

function toApiStatus(object: StatusObject, fallbackCode: number): ApiStatus {
  const details = object.details ?? {};
  const causes = Array.isArray(details.causes) ? details.causes : [];
  return {
    code: typeof object.code === 'number' && object.code !== 0 ? object.code : fallbackCode,
    reason: typeof object.reason === 'string' ? object.reason : '',
    message: typeof object.message === 'string' ? object.message : '',
    causes: causes.map((cause) => ({ reason: String(cause?.reason ?? ''), message: String(cause?.message ?? '') })),
    retryAfterMs: typeof details.retryAfterSeconds === 'number' ? Math.max(0, details.retryAfterSeconds * 1000) : 0,
  };
}

function plainStatus(body: Buffer, httpCode: number, problem: string): ApiStatus {
  const quoted = body.toString('utf8', 0, MAX_QUOTED_LENGTH).trim();
  return { code: httpCode, reason: '', message: quoted === '' ? problem : quoted, causes: [], retryAfterMs: 0 };
}
