// One TLS connection to the API server, through a proxy where there is one, and the protocol that both sides chose.
//
// Offers `h2` and `http/1.1` by ALPN (RFC 7301). Refuses to wait for longer than the connect timeout for all of it
// together: name, TCP, proxy, handshake. Certificates are verified as the material says, never more loosely.

import { request as requestHttp } from 'node:http';
import { request as requestHttps } from 'node:https';
import { isIP, type Socket } from 'node:net';
import { connect as connectTls, type TLSSocket } from 'node:tls';
import type { TlsMaterial } from '../credentials/credentials.ts';

export interface DialOptions {
  /** `https:` */
  readonly server: URL;
  readonly tls: TlsMaterial;
  /** `http:` or `https:`, credentials in it travel as Basic. */
  readonly proxy: URL | undefined;
  readonly timeoutMs: number;
  /** For ALPN, best first. Default: `h2` and `http/1.1`. */
  readonly protocols?: readonly string[];
  /** Idle time before the kernel probes the peer. */
  readonly keepAliveDelayMs: number;
}

/** Rejects with what the socket, the handshake or the proxy said. `alpnProtocol` tells what to speak. */
export async function dial(options: DialOptions): Promise<TLSSocket> {
  checkMaterial(options.tls);
  const timeout = AbortSignal.timeout(options.timeoutMs);
  const tunnel = options.proxy === undefined ? undefined : await openTunnel(options, options.proxy, timeout);
  return handshake(options, tunnel, timeout);
}

/** True: `dial` can go through it. Others (SOCKS) are the business of the HTTP/1.1 client. */
export function canTunnel(proxy: URL): boolean {
  return proxy.protocol === 'http:' || proxy.protocol === 'https:';
}

/** Without this an unreadable CA would be told as a server that is not to be trusted, and a key by a number of OpenSSL. */
function checkMaterial({ ca, cert, key }: TlsMaterial): void {
  const wrong = (field: string, what: string) => new Error(`${field} of the kubeconfig ${what}`);
  if (ca !== undefined && !CERTIFICATE.test(ca.toString('latin1'))) {
    throw wrong('certificate-authority', 'holds no certificate in PEM');
  }
  if (cert !== undefined && !CERTIFICATE.test(cert.toString('latin1'))) {
    throw wrong('client-certificate', 'holds no certificate in PEM');
  }
  if (key === undefined) return;
  const text = key.toString('latin1');
  if (!PRIVATE_KEY.test(text)) throw wrong('client-key', 'holds no private key in PEM');
  if (/ENCRYPTED/.test(text)) throw wrong('client-key', 'is encrypted, and a kubeconfig has no place for its password');
}

const CERTIFICATE = /-----BEGIN (?:TRUSTED |X509 )?CERTIFICATE-----/;
const PRIVATE_KEY = /-----BEGIN (?:[A-Z]+ )?PRIVATE KEY-----/;

function handshake(options: DialOptions, tunnel: Socket | undefined, timeout: AbortSignal): Promise<TLSSocket> {
  const { server, tls } = options;
  const host = hostOf(server);
  // An address cannot be a server name (RFC 6066, section 3); the certificate is checked against the host all the same.
  const servername = tls.serverName ?? (isIP(host) === 0 ? host : '');
  const socket = connectTls({
    host,
    port: portOf(server),
    ...(tunnel === undefined ? {} : { socket: tunnel }),
    ...(tls.ca === undefined ? {} : { ca: tls.ca }),
    ...(tls.cert === undefined ? {} : { cert: tls.cert }),
    ...(tls.key === undefined ? {} : { key: tls.key }),
    servername,
    rejectUnauthorized: tls.rejectUnauthorized,
    ALPNProtocols: [...(options.protocols ?? ['h2', 'http/1.1'])],
  });
  return new Promise((resolve, reject) => {
    const fail = (error: Error) => {
      timeout.removeEventListener('abort', giveUp);
      socket.destroy();
      tunnel?.destroy();
      reject(error);
    };
    const giveUp = () => fail(new ConnectTimeoutError(server, options.timeoutMs));
    const closed = () => fail(new Error(`${server.host} closed the connection during the TLS handshake`));
    timeout.addEventListener('abort', giveUp, { once: true });
    if (timeout.aborted) giveUp();
    socket.once('error', fail);
    socket.once('close', closed);
    socket.once('secureConnect', () => {
      timeout.removeEventListener('abort', giveUp);
      socket.off('error', fail);
      socket.off('close', closed);
      socket.setNoDelay(true);
      (tunnel ?? socket).setKeepAlive(true, options.keepAliveDelayMs);
      resolve(socket);
    });
  });
}

function openTunnel(options: DialOptions, proxy: URL, timeout: AbortSignal): Promise<Socket> {
  const target = `${options.server.hostname}:${portOf(options.server)}`;
  const user = `${decodeURIComponent(proxy.username)}:${decodeURIComponent(proxy.password)}`;
  const authorization = user === ':' ? {} : { 'proxy-authorization': `Basic ${Buffer.from(user).toString('base64')}` };
  return new Promise((resolve, reject) => {
    const request = (proxy.protocol === 'https:' ? requestHttps : requestHttp)({
      host: hostOf(proxy),
      port: portOf(proxy),
      method: 'CONNECT',
      path: target,
      headers: { host: target, ...authorization },
      // A connection of its own, which no agent gives to another request.
      agent: false,
      signal: timeout,
    });
    request.once('connect', (response, socket) => {
      const status = response.statusCode ?? 0;
      if (status >= 200 && status < 300) {
        resolve(socket);
        return;
      }
      socket.destroy();
      reject(new Error(`the proxy ${proxy.host} answered ${status} to CONNECT ${target}`));
    });
    request.once('error', (error) => {
      reject(timeout.aborted ? new ConnectTimeoutError(proxy, options.timeoutMs) : error);
    });
    request.once('response', (response) => {
      response.destroy();
      reject(new Error(`the proxy ${proxy.host} does not know CONNECT: ${response.statusCode}`));
    });
    request.end();
  });
}

class ConnectTimeoutError extends Error {
  readonly code = 'ETIMEDOUT';

  constructor(to: URL, timeoutMs: number) {
    super(`no connection to ${to.host} within ${timeoutMs} ms`);
  }
}

function hostOf(url: URL): string {
  return url.hostname.replace(/^\[|\]$/g, '');
}

function portOf(url: URL): number {
  return url.port === '' ? (url.protocol === 'https:' ? 443 : 80) : Number(url.port);
}
