// Who a client certificate is: the names in its SubjectAltName, and until when it is valid.
//
// Only names that identify a workload: DNS names and URIs (SPIFFE ids are URIs). The common name does not (RFC 6125);
// addresses and e-mail say nothing about a workload. Node gives the extension as one text, in which a value that could
// be mistaken for several is quoted as JSON: whatever does not parse to its end has no names at all.

import type { X509Certificate } from 'node:crypto';

export interface ClientCertificate {
  /** `dns:` in lower case, or `uri:` as it stands. */
  readonly names: readonly string[];
  /** ms since the epoch. */
  readonly notAfterMs: number;
}

export function describeClientCertificate(certificate: X509Certificate): ClientCertificate {
  return {
    names: alternativeNames(certificate.subjectAltName ?? ''),
    notAfterMs: Date.parse(certificate.validTo),
  };
}

/** The names in a SubjectAltName as node writes it: `DNS:a.example, URI:spiffe://example/a, IP Address:10.0.0.1`. */
export function alternativeNames(text: string): readonly string[] {
  const names: string[] = [];
  let position = 0;
  while (position < text.length) {
    ENTRY.lastIndex = position;
    const [whole, type = '', value = ''] = ENTRY.exec(text) ?? [];
    if (whole === undefined) return [];
    position = ENTRY.lastIndex;
    const name = value.startsWith('"') ? unquote(value) : value;
    if (name === undefined) return [];
    if (type === 'DNS') names.push(`dns:${name.toLowerCase()}`);
    else if (type === 'URI') names.push(`uri:${name}`);
  }
  return names;
}

const ENTRY = /([A-Za-z][A-Za-z ]*):("(?:[^"\\]|\\.)*"|[^",]*)(?:, |$)/y;

function unquote(json: string): string | undefined {
  try {
    return String(JSON.parse(json));
  } catch {
    // Not what node writes.
    return undefined;
  }
}
