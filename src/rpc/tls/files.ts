// The server's certificate, its key and the CA of its clients, read from files and checked before they are
// used.
//
// Refused: a key of another certificate, text that is cut off or no PEM, a bundle without a certificate. What is
// refused is named by its file; key material never appears in a message.

import { createPrivateKey, type KeyObject, X509Certificate } from 'node:crypto';
import { readFile } from 'node:fs/promises';

/** Paths of PEM files. */
export interface TlsPaths {
  /** The server's certificate first, then its intermediates. */
  readonly cert: string;
  /** Without a passphrase. */
  readonly key: string;
  /** Unset: clients show no certificate. */
  readonly clientCa: string | undefined;
}

/** The bytes as they were read. */
export interface TlsBytes {
  readonly cert: Buffer;
  readonly key: Buffer;
  readonly clientCa: Buffer | undefined;
}

/** Bytes that fit together. */
export interface TlsMaterial extends TlsBytes {
  /** End of the server certificate's validity, ms since the epoch. */
  readonly notAfterMs: number;
  /** Serial number, hexadecimal: tells certificates apart in logs. */
  readonly serialNumber: string;
}

/** Files that cannot be served with; the message says which and why. */
export class TlsFilesError extends Error {
  override readonly name = 'TlsFilesError';
}

/** Rejects with a TlsFilesError for the first file, in the order of the paths, that cannot be read. */
export async function readTlsFiles(paths: TlsPaths): Promise<TlsBytes> {
  // All at once, as close to one moment as can be. Which of them fails sooner must not decide what is told.
  const cert = read(paths.cert);
  const key = read(paths.key);
  const clientCa = paths.clientCa === undefined ? undefined : read(paths.clientCa);
  await Promise.allSettled([cert, key, clientCa]);
  return { cert: await cert, key: await key, clientCa: await clientCa };
}

/** Throws a TlsFilesError when the bytes are not a usable set. Expiry is not checked. */
export function checkTlsBytes(bytes: TlsBytes, paths: TlsPaths): TlsMaterial {
  const [leaf] = parseCertificates(bytes.cert, paths.cert);
  if (leaf === undefined) throw new TlsFilesError(`${paths.cert} holds no certificate`);
  if (!leaf.checkPrivateKey(parseKey(bytes.key, paths.key))) {
    throw new TlsFilesError(`${paths.key} is not the key of the certificate in ${paths.cert}`);
  }
  if (bytes.clientCa !== undefined && paths.clientCa !== undefined) {
    const authorities = parseCertificates(bytes.clientCa, paths.clientCa);
    if (authorities.length === 0) throw new TlsFilesError(`${paths.clientCa} holds no certificate`);
  }
  return { ...bytes, notAfterMs: Date.parse(leaf.validTo), serialNumber: leaf.serialNumber };
}

export function sameTlsBytes(a: TlsBytes, b: TlsBytes): boolean {
  const sameCa =
    a.clientCa === undefined || b.clientCa === undefined ? a.clientCa === b.clientCa : a.clientCa.equals(b.clientCa);
  return sameCa && a.cert.equals(b.cert) && a.key.equals(b.key);
}

async function read(path: string): Promise<Buffer> {
  try {
    return await readFile(path);
  } catch (error) {
    throw new TlsFilesError(`cannot read ${path}: ${codeOf(error)}`);
  }
}

/** OpenSSL would take what it understands of a bundle and pass over the rest in silence. */
function parseCertificates(bytes: Buffer, path: string): X509Certificate[] {
  const text = bytes.toString('latin1');
  const blocks = text.match(/-----BEGIN CERTIFICATE-----[^-]*-----END CERTIFICATE-----/g) ?? [];
  const begun = text.match(/-----BEGIN/g) ?? [];
  if (begun.length !== blocks.length) throw new TlsFilesError(`${path} is cut off, or holds more than certificates`);
  return blocks.map((block, index) => {
    try {
      return new X509Certificate(block);
    } catch {
      throw new TlsFilesError(`certificate ${index + 1} of ${path} cannot be read`);
    }
  });
}

function parseKey(bytes: Buffer, path: string): KeyObject {
  try {
    return createPrivateKey(bytes);
  } catch {
    // The cause may quote what it was given.
    throw new TlsFilesError(`${path} holds no private key that can be read without a passphrase`);
  }
}

function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : String(error);
}
