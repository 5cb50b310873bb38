// What a client of a digger service gives to grpc-js, so that it proves who it is and knows whom to trust: credentials of
// a channel, and what goes with a call. Made of files that are read at that moment (connection-security.ts).

import { checkServerIdentity, type PeerCertificate } from 'node:tls';
import { type ChannelCredentials, credentials, Metadata } from '@grpc/grpc-js';
import { type ConnectionSecurity, readSecurityFile, readToken, SecurityFileError } from './connection-security.ts';

/** Throws a SecurityFileError. */
export function createChannelCredentials(security: ConnectionSecurity | undefined): ChannelCredentials {
  if (security === undefined || !security.tls) return credentials.createInsecure();
  const { caPath, certPath, keyPath, serverName } = security;
  const files = [caPath, keyPath, certPath].map((path) => (path === undefined ? null : readSecurityFile(path)));
  const [ca = null, key = null, cert = null] = files;
  try {
    const isNamed = (_: string, certificate: PeerCertificate) => checkServerIdentity(serverName ?? '', certificate);
    return credentials.createSsl(ca, key, cert, serverName === undefined ? {} : { checkServerIdentity: isNamed });
  } catch {
    // OpenSSL's message does not say which file is meant.
    throw new SecurityFileError('the certificate, its key and the CA do not match, or are not PEM');
  }
}

/** What goes with a call. Throws a SecurityFileError. */
export function createCallMetadata(security: ConnectionSecurity | undefined): Metadata {
  const metadata = new Metadata();
  if (security?.tokenPath === undefined) return metadata;
  metadata.set('authorization', `Bearer ${readToken(security.tokenPath)}`);
  return metadata;
}
