// Lets callers in by client certificate: TLS has verified it against the client CA, and one of its names has to be on
// the list. Who is on the list may call everything.

import type { Registry } from '@prometheus-io/client';

import type { ClientCertificate } from '../tls/client-certificate.ts';
import type { CallError } from '../errors/call-error.ts';
import { permissionDenied, unauthenticated } from '../errors/outcomes.ts';
import type { Authenticator, CallIdentity } from './authenticator.ts';
import { createDecisionCounter } from './auth-metrics.ts';

export interface ClientCertificateOptions {
  /** The verified certificate of a peer, as `call.getPeer()` names it. */
  readonly certificateOf: (peer: string) => ClientCertificate | undefined;
  /** `dns:…`, `uri:…`, compared as a whole. */
  readonly allowed: ReadonlySet<string>;
  readonly registry: Registry;
  /** ms since the epoch. */
  readonly nowMs: () => number;
}

export function clientCertificateAuthenticator(options: ClientCertificateOptions): Authenticator {
  const { certificateOf, allowed, nowMs } = options;
  const decisions = createDecisionCounter(options.registry);
  const decide = (call: CallIdentity): CallError | undefined => {
    const certificate = certificateOf(call.getPeer());
    if (certificate === undefined) return unauthenticated('this service wants a client certificate');
    // Connections live longer than certificates may.
    if (certificate.notAfterMs <= nowMs()) return unauthenticated('the client certificate has expired');
    const name = certificate.names.find((each) => allowed.has(each));
    if (name === undefined) {
      return permissionDenied('no name of the client certificate is allowed to call this service', call.method);
    }
    call.name = name;
    return undefined;
  };
  return (call) => {
    const refusal = decide(call);
    if (refusal === undefined) decisions.inc({ result: 'allowed' });
    else decisions.inc({ result: refusal.reason === 'PERMISSION_DENIED' ? 'denied' : 'unauthenticated' });
    return refusal;
  };
}
