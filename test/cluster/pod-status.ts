// Status of a pod as a kubelet writes it, for tests that write it by hand. Times are whole seconds, truncated.

/** `status` of a running pod whose sandbox has these addresses. Without `sandboxReadyMs` it has no condition of it. */
export function runningStatus(
  addresses: readonly string[],
  times: { readonly startMs: number; readonly sandboxReadyMs?: number | undefined },
  hostIps: readonly string[] = [],
): object {
  const { startMs, sandboxReadyMs } = times;
  return {
    phase: 'Running',
    startTime: timestamp(startMs),
    podIP: addresses[0],
    podIPs: addresses.map((ip) => ({ ip })),
    ...(hostIps.length === 0 ? {} : { hostIP: hostIps[0], hostIPs: hostIps.map((ip) => ({ ip })) }),
    ...(sandboxReadyMs === undefined
      ? {}
      : {
          conditions: [
            { type: 'PodReadyToStartContainers', status: 'True', lastTransitionTime: timestamp(sandboxReadyMs) },
          ],
        }),
  };
}

/** `status` of a pod with one container, `main`, that has ended. Its addresses stay as they are. */
export function finishedStatus(image: string, endedMs: number): object {
  const terminated = {
    exitCode: 0,
    reason: 'Completed',
    startedAt: timestamp(endedMs - 1_000),
    finishedAt: timestamp(endedMs),
  };
  return {
    phase: 'Succeeded',
    containerStatuses: [{ name: 'main', image, imageID: '', ready: false, restartCount: 0, state: { terminated } }],
  };
}

/** As the API writes times. */
export function timestamp(ms: number): string {
  return new Date(wholeSecond(ms)).toISOString().replace('.000Z', 'Z');
}

export function wholeSecond(ms: number): number {
  return Math.floor(ms / 1_000) * 1_000;
}
