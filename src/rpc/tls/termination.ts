// The TLS end of the gRPC port: a server of node's own in front of grpc-js, which gets connections that are agreed on.
//
// TLS 1.2 and up with forward secret AEAD suites only (what HTTP/2 allows, RFC 9113 section 9.2), HTTP/2 by ALPN only,
// no renegotiation. No session tickets: a resumed session would bring a client certificate past the CA and the expiry
// that hold now. With a client CA a connection without a certificate that it signed never gets through.
//
// A handshake that fails ends its connection, is counted, and is logged once in a while for each reason: a peer
// that can reach the port must not be able to fill the log.

import { constants } from 'node:crypto';
import { createServer, type SecureContextOptions, type Server as TlsServer, type TLSSocket } from 'node:tls';

import type { Logger } from '../../telemetry/logger.ts';
import type { TlsMaterial } from './files.ts';
import type { HandshakeFailureReason, TlsMetrics } from './metrics.ts';

/** Where the material comes from. */
export interface TlsSource {
  readonly current: TlsMaterial;
  readonly metrics: TlsMetrics;
  onChange(listener: (material: TlsMaterial) => void): void;
}

export interface TlsTermination {
  readonly source: TlsSource;
  readonly logger: Logger;
  /** A monotonic clock. */
  readonly nowMs: () => number;
}

/** A server that calls `accept` with every connection on which TLS and HTTP/2 are agreed. */
export function createTlsServer(termination: TlsTermination, accept: (socket: TLSSocket) => void): TlsServer {
  const { source, logger, nowMs } = termination;
  const failures = new HandshakeFailures(source.metrics, logger, nowMs);
  const requiresClientCertificate = source.current.clientCa !== undefined;
  const server = createServer(
    {
      ...toContext(source.current),
      ALPNProtocols: ['h2'],
      requestCert: requiresClientCertificate,
      rejectUnauthorized: requiresClientCertificate,
      handshakeTimeout: HANDSHAKE_TIMEOUT_MS,
      noDelay: true,
    },
    (socket) => {
      if (socket.alpnProtocol === 'h2') {
        accept(socket);
        return;
      }
      failures.tell('no_http2', socket.remoteAddress, 'the client did not offer h2 by ALPN');
      socket.destroy();
    },
  );
  server.on('tlsClientError', (error: Error & { readonly code?: string }, socket) => {
    const unauthorized = socket.authorizationError as unknown;
    const code = typeof unauthorized === 'string' ? unauthorized : (error.code ?? '');
    failures.tell(handshakeFailureReason(code), socket.remoteAddress, code === '' ? error.message : code);
    socket.destroy();
  });
  // Connections that are open keep what they began with.
  source.onChange((material) => server.setSecureContext(toContext(material)));
  return server;
}

/** From an OpenSSL or verification error code. */
export function handshakeFailureReason(code: string): HandshakeFailureReason {
  switch (code) {
    // OpenSSL names plaintext by what it looks like: HTTP/1 methods and proxies, else a record with a wrong version.
    case 'ERR_SSL_HTTP_REQUEST':
    case 'ERR_SSL_HTTPS_PROXY_REQUEST':
    case 'ERR_SSL_WRONG_VERSION_NUMBER':
    case 'ERR_SSL_PACKET_LENGTH_TOO_LONG':
    case 'ERR_SSL_RECORD_LAYER_FAILURE':
      return 'plaintext';
    case 'ERR_SSL_UNSUPPORTED_PROTOCOL':
    case 'ERR_SSL_VERSION_TOO_LOW':
    case 'ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION':
      return 'protocol_version';
    case 'ERR_SSL_PEER_DID_NOT_RETURN_A_CERTIFICATE':
      return 'no_client_certificate';
    case 'CERT_HAS_EXPIRED':
    case 'CERT_NOT_YET_VALID':
      return 'client_certificate_expired';
    case 'ERR_SSL_NO_APPLICATION_PROTOCOL':
      return 'no_http2';
    case 'ERR_SSL_NO_SHARED_CIPHER':
      return 'no_common_cipher';
    case 'ECONNRESET':
    case 'EPIPE':
      return 'gone';
    case 'ERR_TLS_HANDSHAKE_TIMEOUT':
      return 'timeout';
    default:
  }
  // An alert from the other side: it does not trust our certificate, for the most part.
  if (code.includes('_ALERT_')) return 'rejected_by_client';
  // All others of X509_verify_cert_error.
  return code.startsWith('ERR_') || !/^[A-Z0-9_]+$/.test(code) ? 'other' : 'client_certificate_untrusted';
}

/** A handshake takes two round trips; more than this is a port scanner or an overload that waiting makes worse. */
const HANDSHAKE_TIMEOUT_MS = 10_000;

const CIPHERS = [
  'TLS_AES_128_GCM_SHA256',
  'TLS_AES_256_GCM_SHA384',
  'TLS_CHACHA20_POLY1305_SHA256',
  'ECDHE-ECDSA-AES128-GCM-SHA256',
  'ECDHE-RSA-AES128-GCM-SHA256',
  'ECDHE-ECDSA-AES256-GCM-SHA384',
  'ECDHE-RSA-AES256-GCM-SHA384',
  'ECDHE-ECDSA-CHACHA20-POLY1305',
  'ECDHE-RSA-CHACHA20-POLY1305',
].join(':');

function toContext({ cert, key, clientCa }: TlsMaterial): SecureContextOptions {
  return {
    cert,
    key,
    ...(clientCa === undefined ? {} : { ca: clientCa }),
    minVersion: 'TLSv1.2',
    ciphers: CIPHERS,
    secureOptions: constants.SSL_OP_NO_TICKET | constants.SSL_OP_NO_RENEGOTIATION,
  };
}

/** One line for each reason in this time; the counter has them all. */
const LOG_INTERVAL_MS = 60_000;

class HandshakeFailures {
  readonly #metrics: TlsMetrics;
  readonly #logger: Logger;
  readonly #nowMs: () => number;
  /** At most one entry a reason. */
  readonly #quiet = new Map<HandshakeFailureReason, { readonly untilMs: number; suppressed: number }>();

  constructor(metrics: TlsMetrics, logger: Logger, nowMs: () => number) {
    this.#metrics = metrics;
    this.#logger = logger;
    this.#nowMs = nowMs;
  }

  tell(reason: HandshakeFailureReason, remoteAddress: string | undefined, detail: string): void {
    this.#metrics.handshakeFailures.inc({ reason });
    const nowMs = this.#nowMs();
    const quiet = this.#quiet.get(reason);
    if (quiet !== undefined && nowMs < quiet.untilMs) {
      quiet.suppressed += 1;
      return;
    }
    this.#quiet.set(reason, { untilMs: nowMs + LOG_INTERVAL_MS, suppressed: 0 });
    const facts = { reason, detail, remoteAddress, suppressed: quiet?.suppressed ?? 0 };
    // Load balancers and probes that only look whether the port is open are no reason to alert anyone.
    this.#logger[reason === 'gone' ? 'debug' : 'warn'](facts, MESSAGES[reason]);
  }
}

const MESSAGES: Readonly<Record<HandshakeFailureReason, string>> = {
  plaintext: 'a client spoke plaintext to the TLS port',
  protocol_version: 'a client offered no TLS version from 1.2 on',
  no_client_certificate: 'a client showed no certificate',
  client_certificate_expired: 'a client showed a certificate that is not valid now',
  client_certificate_untrusted: 'a client showed a certificate that the client CA does not vouch for',
  rejected_by_client: 'a client refused our certificate',
  no_http2: 'a client did not offer HTTP/2 by ALPN',
  no_common_cipher: 'a client offered no cipher suite that is allowed',
  gone: 'a client left before TLS was agreed',
  timeout: 'a client did not finish its TLS handshake in time',
  other: 'a TLS handshake failed',
};
