// What may be called without authentication where there is authentication: a choice of the operator, for services that
// tell nothing about the cluster's workloads. gRPC health never asks, because probes have no credentials.

import type { Authenticator } from './authenticator.ts';

/** Services that can be exempted. */
export const EXEMPTIBLE_SERVICES = ['status', 'reflection'] as const;

export type ExemptibleService = (typeof EXEMPTIBLE_SERVICES)[number];

/** Lets calls of the services pass, and asks `authenticate` for all others. */
export function exempting(services: readonly ExemptibleService[], authenticate: Authenticator): Authenticator {
  const prefixes = services.map((service) => PREFIXES[service]);
  if (prefixes.length === 0) return authenticate;
  return (call) => (prefixes.some((prefix) => call.method.startsWith(prefix)) ? undefined : authenticate(call));
}

const PREFIXES: Readonly<Record<ExemptibleService, string>> = {
  status: '/digger.v1.StatusService/',
  reflection: '/grpc.reflection.',
};
