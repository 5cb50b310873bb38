// Certificates made with node:crypto alone: tests need no openssl. Without options a self-signed one for 127.0.0.1 and
// localhost, valid for a day around now, its own CA.
//
// ECDSA P-256. Only as much of X.509 (RFC 5280) as the ends of a TLS connection look at.

import { createPrivateKey, generateKeyPairSync, type KeyObject, randomBytes, sign } from 'node:crypto';

export interface Certificate {
  /** PEM. */
  readonly key: string;
  /** PEM; also the CA to trust. */
  readonly cert: string;
}

export interface CertificateOptions {
  /** Who signs; unset: it signs itself. */
  readonly issuer?: Certificate;
  /** Common name; a CA and what it signs must differ. */
  readonly commonName?: string;
  readonly dnsNames?: readonly string[];
  readonly uris?: readonly string[];
  readonly addresses?: readonly (readonly [number, number, number, number])[];
  /** ms since the epoch. */
  readonly notBeforeMs?: number;
  readonly notAfterMs?: number;
}

const DAY_MS = 24 * 60 * 60 * 1000;

export function createCertificate(options: CertificateOptions = {}): Certificate {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'prime256v1' });
  const signer = options.issuer === undefined ? privateKey : createPrivateKey(options.issuer.key);
  const body = toBeSigned(publicKey, options);
  const signature = sign('sha256', body, signer);
  const der = sequence(body, ECDSA_WITH_SHA256, tlv(0x03, Buffer.concat([Buffer.of(0), signature])));
  const lines = der.toString('base64').match(/.{1,64}/g) ?? [];
  const cert = `-----BEGIN CERTIFICATE-----\n${lines.join('\n')}\n-----END CERTIFICATE-----\n`;
  commonNames.set(cert, options.commonName ?? 'simulator');
  return { key: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(), cert };
}

/** The name under which each signs. */
const commonNames = new Map<string, string>();

function toBeSigned(publicKey: KeyObject, options: CertificateOptions): Buffer {
  const {
    issuer,
    commonName = 'simulator',
    dnsNames = ['localhost'],
    uris = [],
    addresses = [[127, 0, 0, 1]],
    notBeforeMs = Date.now() - DAY_MS,
    notAfterMs = Date.now() + DAY_MS,
  } = options;
  const alternativeNames = sequence(
    ...dnsNames.map((name) => tlv(0x82, Buffer.from(name))),
    ...uris.map((uri) => tlv(0x86, Buffer.from(uri))),
    ...addresses.map((address) => tlv(0x87, Buffer.from(address))),
  );
  const extensions = [sequence(oid('551d11'), tlv(0x04, alternativeNames))];
  if (issuer === undefined) {
    const isCa = sequence(tlv(0x01, Buffer.of(0xff)));
    extensions.push(sequence(oid('551d13'), tlv(0x01, Buffer.of(0xff)), tlv(0x04, isCa)));
  }
  return sequence(
    tlv(0xa0, tlv(0x02, Buffer.of(2))),
    // Positive, and never the same twice.
    tlv(0x02, Buffer.concat([Buffer.of(0x01), randomBytes(8)])),
    ECDSA_WITH_SHA256,
    distinguishedName(issuer === undefined ? commonName : (commonNames.get(issuer.cert) ?? 'simulator')),
    sequence(utcTime(notBeforeMs), utcTime(notAfterMs)),
    distinguishedName(commonName),
    publicKey.export({ type: 'spki', format: 'der' }),
    tlv(0xa3, sequence(...extensions)),
  );
}

function distinguishedName(commonName: string): Buffer {
  return sequence(tlv(0x31, sequence(oid('550403'), tlv(0x0c, Buffer.from(commonName)))));
}

function tlv(tag: number, value: Buffer): Buffer {
  const { length } = value;
  const head = length < 0x80 ? [length] : length < 0x100 ? [0x81, length] : [0x82, length >> 8, length & 0xff];
  return Buffer.concat([Buffer.of(tag, ...head), value]);
}

function sequence(...parts: readonly Buffer[]): Buffer {
  return tlv(0x30, Buffer.concat(parts));
}

function oid(hex: string): Buffer {
  return tlv(0x06, Buffer.from(hex, 'hex'));
}

function utcTime(timeMs: number): Buffer {
  return tlv(0x17, Buffer.from(`${new Date(timeMs).toISOString().replace(/[-:T]/g, '').slice(2, 14)}Z`));
}

const ECDSA_WITH_SHA256 = sequence(oid('2a8648ce3d040302'));
