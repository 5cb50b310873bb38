// Waiting for a resourceVersion from the future, as an API server waits for its watch cache to catch up.

import type { Cluster } from './cluster.ts';

/** Resolves to false when `deadlineMs` has passed. Polls: hardly any client asks for the future. */
export async function waitForVersion(cluster: Cluster, resourceVersion: bigint, deadlineMs: number): Promise<boolean> {
  const giveUpMs = performance.now() + deadlineMs;
  while (cluster.resourceVersion < resourceVersion && performance.now() < giveUpMs) {
    await new Promise((resolve) => {
      setTimeout(resolve, POLL_MS);
    });
  }
  return cluster.resourceVersion >= resourceVersion;
}

/** Much shorter than the three seconds that are waited in all. */
const POLL_MS = 20;
